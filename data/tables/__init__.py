"""Every table of the store, with the constraints that keep it true whatever the code does.

A class is a table and its name is the plural of what a row is. Code above `data/store` never sees one: it speaks
`core.records` and `core.plant`. Change a table together with a migration; a test compares the two.
"""

import sqlalchemy as sa

from data.columns import Table as Table
from data.columns import table
from data.tables.desk import LabelClasses, Labels, Reviews, Tasks
from data.tables.instruments import GoldItems
from data.tables.judging import (
    Decisions,
    Policies,
    PolicyApprovals,
    Predictions,
    Regions,
    RequestApprovals,
    Requests,
    Taxonomies,
)
from data.tables.people import AuditEvents, AuditSeals, RetentionRules, Sessions, SignInFailures, Users, UserSites
from data.tables.plant import Cameras, Images, Lines, Machines, Orders, Parts, PartTypes, Sites
from data.tables.reported import Baselines, EscapeReports
from data.tables.selecting import SelectionItems, Selections
from data.tables.serving import Gates, ModelChanges, ShadowPredictions, Shadows
from data.tables.watching import AlarmEvents, AlarmRuleApprovals, AlarmRules, Alarms, FollowUps, Notices, WatchStates
from data.tables.work import Datasets, Jobs, Models, Outbox, Workers

APPEND_ONLY = (
    "reviews",
    "policies",
    "policy_approvals",
    "requests",
    "request_approvals",
    "taxonomies",
    "audit_events",
    "audit_seals",
    "alarm_rules",
    "alarm_rule_approvals",
    "alarm_events",
    "gates",
    "model_changes",
    "baselines",
    "escape_reports",
)

alarm_events = table(AlarmEvents)
alarm_rule_approvals = table(AlarmRuleApprovals)
alarm_rules = table(AlarmRules)
alarms = table(Alarms)
audit_events = table(AuditEvents)
audit_seals = table(AuditSeals)
baselines = table(Baselines)
cameras = table(Cameras)
datasets = table(Datasets)
decisions = table(Decisions)
escape_reports = table(EscapeReports)
follow_ups = table(FollowUps)
gates = table(Gates)
gold_items = table(GoldItems)
images = table(Images)
jobs = table(Jobs)
label_classes = table(LabelClasses)
labels = table(Labels)
lines = table(Lines)
machines = table(Machines)
model_changes = table(ModelChanges)
models = table(Models)
notices = table(Notices)
orders = table(Orders)
outbox = table(Outbox)
part_types = table(PartTypes)
parts = table(Parts)
policies = table(Policies)
policy_approvals = table(PolicyApprovals)
predictions = table(Predictions)
regions = table(Regions)
request_approvals = table(RequestApprovals)
requests = table(Requests)
retention_rules = table(RetentionRules)
reviews = table(Reviews)
selection_items = table(SelectionItems)
selections = table(Selections)
sessions = table(Sessions)
shadow_predictions = table(ShadowPredictions)
shadows = table(Shadows)
sign_in_failures = table(SignInFailures)
sites = table(Sites)
tasks = table(Tasks)
taxonomies = table(Taxonomies)
user_sites = table(UserSites)
users = table(Users)
watch_states = table(WatchStates)
workers = table(Workers)

# Written out and not as a parameter: a partial index serves a query only where the plan can see the same words.
IS_OPEN = tasks.c.state == sa.literal_column("'open'")
