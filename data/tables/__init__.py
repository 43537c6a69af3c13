"""Every table of the store, with the constraints that keep it true whatever the code does.

A class is a table and its name is the plural of what a row is. Code above `data/store` never sees one: it speaks
`core.records` and `core.plant`. Change a table together with a migration; a test compares the two.
"""

import sqlalchemy as sa

from data.columns import Table as Table
from data.columns import table
from data.tables.book import BookExamples, BookPages
from data.tables.claims import ClaimChecks, ClaimLimits
from data.tables.complaints import (
    ComplaintActs,
    ComplaintMessages,
    ComplaintNotices,
    Complaints,
    ComplaintSights,
    ComplaintVolumes,
)
from data.tables.desk import LabelClasses, Labels, Reviews, Tasks
from data.tables.detecting import DetectorBoxes, DetectorChanges, Detectors, DetectorTrials
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
from data.tables.notes import (
    NoteChecks,
    NoteImports,
    NoteLabels,
    NoteOverrides,
    NoteRules,
    Notes,
    NoteVersions,
)
from data.tables.novelty import ClassProposals, Memories, MemoryChanges, NovelParts
from data.tables.people import AuditEvents, AuditSeals, RetentionRules, Sessions, SignInFailures, Users, UserSites
from data.tables.pipelines import PipelineConfigurations, PipelineRuns, Pipelines, PipelineSteps
from data.tables.plant import Cameras, Images, Lines, Machines, Orders, Parts, PartTypes, Sites
from data.tables.printing import CatalogueItems, PrintRules, ReadingChecks, Readings
from data.tables.privacy import CoveringRules, Coverings, VaultKeys
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
    "book_pages",
    "pipeline_configurations",
    "memories",
    "memory_changes",
    "detectors",
    "detector_trials",
    "detector_changes",
    "print_rules",
    "covering_rules",
    "coverings",
    "claim_limits",
    "claim_checks",
    "complaint_sights",
    "note_imports",
    "note_rules",
    "note_labels",
    "note_overrides",
    "note_checks",
)

alarm_events = table(AlarmEvents)
alarm_rule_approvals = table(AlarmRuleApprovals)
alarm_rules = table(AlarmRules)
alarms = table(Alarms)
audit_events = table(AuditEvents)
audit_seals = table(AuditSeals)
baselines = table(Baselines)
book_examples = table(BookExamples)
book_pages = table(BookPages)
cameras = table(Cameras)
catalogue_items = table(CatalogueItems)
claim_checks = table(ClaimChecks)
claim_limits = table(ClaimLimits)
class_proposals = table(ClassProposals)
complaint_acts = table(ComplaintActs)
complaint_messages = table(ComplaintMessages)
complaint_notices = table(ComplaintNotices)
complaint_sights = table(ComplaintSights)
complaint_volumes = table(ComplaintVolumes)
complaints = table(Complaints)
covering_rules = table(CoveringRules)
coverings = table(Coverings)
datasets = table(Datasets)
decisions = table(Decisions)
detector_boxes = table(DetectorBoxes)
detector_changes = table(DetectorChanges)
detector_trials = table(DetectorTrials)
detectors = table(Detectors)
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
memories = table(Memories)
memory_changes = table(MemoryChanges)
model_changes = table(ModelChanges)
models = table(Models)
note_checks = table(NoteChecks)
note_imports = table(NoteImports)
note_labels = table(NoteLabels)
note_overrides = table(NoteOverrides)
note_rules = table(NoteRules)
note_versions = table(NoteVersions)
notes = table(Notes)
notices = table(Notices)
novel_parts = table(NovelParts)
orders = table(Orders)
outbox = table(Outbox)
part_types = table(PartTypes)
parts = table(Parts)
pipeline_configurations = table(PipelineConfigurations)
pipeline_runs = table(PipelineRuns)
pipeline_steps = table(PipelineSteps)
pipelines = table(Pipelines)
policies = table(Policies)
policy_approvals = table(PolicyApprovals)
predictions = table(Predictions)
print_rules = table(PrintRules)
reading_checks = table(ReadingChecks)
readings = table(Readings)
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
vault_keys = table(VaultKeys)
watch_states = table(WatchStates)
workers = table(Workers)

# Written out and not as a parameter: a partial index serves a query only where the plan can see the same words.
IS_OPEN = tasks.c.state == sa.literal_column("'open'")
