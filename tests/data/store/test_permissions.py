"""Every public method of the store against every role, from the one table of permissions."""

import inspect
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from core.audits.facts import Shares
from core.decide.policy import Policy
from core.decide.requests import Matrix
from core.defect_book import ExampleKind
from core.detection import DrawnBoxes
from core.errors import HoldpointError, NotAllowed
from core.gates.limits import Limits
from core.gates.records import Verdict as GateVerdict
from core.kpis.baseline import Baseline
from core.kpis.escapes import Escape
from core.learn.metrics import Counts
from core.learn.pipeline import StepName
from core.learn.select.batches import Proposed
from core.plant import PartType
from core.privacy import Mode
from core.records import ImageState, Review, TaskKind, Verdict
from core.retention import DataClass
from core.roles import PERMISSIONS, Action, Actor, Role
from core.seals import Key
from core.watch.alarms import Notice
from core.watch.rules import DEFAULTS, RuleKind, Step
from core.words.complaints.notices import Draft, Message
from core.words.complaints.records import Sight
from core.words.labelling.registry import LabelRules
from data.columns import METADATA
from data.store import Store
from tests.data.store.plant import CLASSES, PASSWORD, arrival, file, person, site

REFUSED = GateVerdict((), 0.05)
MATRIX = Matrix(Counts(90, 4, 6, 100), "net-1", "made up")
SOON = datetime(2026, 5, 1, tzinfo=UTC)
PICKS = [Proposed(1, "random", None, "")]
_NOW = datetime(2026, 3, 2, tzinfo=UTC)
NOTICE = Notice(1, 1, "quality", "waiting", "title", "body", 0, "", _NOW, _NOW)
DRAFT = Draft("seller", "x", "title", "body", {})
MESSAGE = Message(1, 1, "quality", "waiting", "title", "body", 0, "", _NOW, _NOW)
# Each method of the store, a call of it, and the action it needs; None where it has a rule of its own.
CALLS = {
    "sites.add": (Action.PEOPLE, lambda s: s.sites.add("Oslo")),
    "sites.get": (Action.SEE, lambda s: s.sites.get("Lyon")),
    "sites.all": (Action.SEE, lambda s: s.sites.all()),
    "sites.set_model": (Action.TRAIN, lambda s: s.sites.set_model("Lyon", None)),
    "sites.set_calibrated": (Action.POLICY, lambda s: s.sites.set_calibrated("Lyon", False)),
    "sites.pause": (Action.POLICY, lambda s: s.sites.pause("Lyon", "why")),
    "sites.set_timezone": (Action.PEOPLE, lambda s: s.sites.set_timezone("Lyon", "UTC")),
    "sites.require_ids": (Action.PEOPLE, lambda s: s.sites.require_ids("Lyon")),
    "sites.names": (Action.SEE, lambda s: s.sites.names("Lyon")),
    "sites.rename": (Action.PEOPLE, lambda s: s.sites.rename("Lyon", "camera", "cam 8", "cam 9")),
    "sites.add_name": (Action.PEOPLE, lambda s: s.sites.add_name("Lyon", "camera", "cam 9")),
    "sites.set_blind": (Action.POLICY, lambda s: s.sites.set_blind("Lyon")),
    "part_types.get": (Action.SEE, lambda s: s.part_types.get("Lyon", "none")),
    "part_types.all": (Action.SEE, lambda s: s.part_types.all("Lyon")),
    "part_types.put": (Action.PART_TYPE, lambda s: s.part_types.put("Lyon", PartType("x"))),
    "taxonomies.append": (Action.TAXONOMY, lambda s: s.taxonomies.append("Lyon", CLASSES, "")),
    "taxonomies.of": (Action.SEE, lambda s: s.taxonomies.of("Lyon")),
    "taxonomies.versions": (Action.SEE, lambda s: s.taxonomies.versions("Lyon")),
    "taxonomies.unmapped": (Action.SEE, lambda s: s.taxonomies.unmapped("Lyon")),
    "taxonomies.map_name": (Action.TAXONOMY, lambda s: s.taxonomies.map_name("Lyon", "x", "CRACK")),
    "taxonomies.names": (Action.SEE, lambda s: s.taxonomies.names("Lyon")),
    "taxonomies.named": (Action.SEE, lambda s: s.taxonomies.named("Lyon", "x")),
    "claims.limits": (Action.SEE, lambda s: s.claims.limits("Lyon")),
    "claims.set_limits": (Action.POLICY, lambda s: s.claims.set_limits("Lyon", None, "why")),
    "claims.keep": (Action.SCORE, lambda s: s.claims.keep(1, "test", {})),
    "claims.of_part": (Action.SEE, lambda s: s.claims.of_part(1)),
    "book.pages": (Action.SEE, lambda s: s.book.pages("Lyon")),
    "book.write": (Action.TAXONOMY, lambda s: s.book.write("Lyon", "CRACK", "a break")),
    "book.add": (Action.TAXONOMY, lambda s: s.book.add("Lyon", "CRACK", 1, ExampleKind.GOOD)),
    "book.change": (Action.TAXONOMY, lambda s: s.book.change(1, "look", ExampleKind.GOOD)),
    "book.move": (Action.TAXONOMY, lambda s: s.book.move(1, 1)),
    "book.remove": (Action.TAXONOMY, lambda s: s.book.remove(1)),
    "book.with_hashes": (Action.TAXONOMY, lambda s: s.book.with_hashes("Lyon", [])),
    "arrivals.known": (Action.SEE, lambda s: s.arrivals.known("Lyon", [])),
    "arrivals.file": (Action.INGEST, lambda s: s.arrivals.file("Lyon", [])),
    "parts.get": (Action.SEE, lambda s: s.parts.get(1)),
    "parts.find": (Action.SEE, lambda s: s.parts.find("Lyon", "x")),
    "parts.close": (Action.INGEST, lambda s: s.parts.close("Lyon", [])),
    "parts.close_due": (Action.INGEST, lambda s: s.parts.close_due()),
    "parts.evidence": (Action.SEE, lambda s: s.parts.evidence(1)),
    "parts.decision": (Action.SEE, lambda s: s.parts.decision(1)),
    "parts.decisions": (Action.SEE, lambda s: s.parts.decisions([1])),
    "parts.history": (Action.SEE, lambda s: s.parts.history(1)),
    "images.get": (Action.SEE, lambda s: s.images.get(1)),
    "images.many": (Action.SEE, lambda s: s.images.many([1])),
    "images.of_part": (Action.SEE, lambda s: s.images.of_part(1)),
    "images.find": (Action.SEE, lambda s: s.images.find("Lyon")),
    "images.count": (Action.SEE, lambda s: s.images.count("Lyon")),
    "images.prediction": (Action.SEE, lambda s: s.images.prediction(1)),
    "images.predictions": (Action.SEE, lambda s: s.images.predictions([1])),
    "images.set_state": (Action.SCORE, lambda s: s.images.set_state(1, ImageState.MISSING)),
    "quarantine.list": (Action.SEE, lambda s: s.quarantine.list("Lyon")),
    "quarantine.counts": (Action.SEE, lambda s: s.quarantine.counts("Lyon")),
    "quarantine.to_read_again": (Action.RESTORE, lambda s: s.quarantine.to_read_again(1)),
    "quarantine.restore": (Action.RESTORE, lambda s: s.quarantine.restore(1)),
    "queue.lease": (Action.REVIEW, lambda s: s.queue.lease()),
    "queue.lease_ahead": (Action.REVIEW, lambda s: s.queue.lease_ahead(1)),
    "queue.release_ahead": (Action.REVIEW, lambda s: s.queue.release_ahead()),
    "queue.task": (Action.SEE, lambda s: s.queue.task(1)),
    "queue.held": (Action.SEE, lambda s: s.queue.held()),
    "queue.first_looks_due": (Action.SEE, lambda s: s.queue.first_looks_due([1])),
    "queue.asks_again": (Action.SEE, lambda s: s.queue.asks_again("Lyon")),
    "queue.next": (Action.REVIEW, lambda s: s.queue.next()),
    "queue.renew": (Action.REVIEW, lambda s: s.queue.renew(1, 0)),
    "queue.release": (Action.REVIEW, lambda s: s.queue.release(1, 0)),
    "queue.counts": (Action.SEE, lambda s: s.queue.counts()),
    "queue.previous": (Action.REVIEW, lambda s: s.queue.previous()),
    "queue.send": (Action.SCORE, lambda s: s.queue.send(1, TaskKind.LABEL)),
    "queue.withdraw": (Action.POLICY, lambda s: s.queue.withdraw(1, "")),
    "reviews.add": (Action.REVIEW, lambda s: s.reviews.add(1, 0, 0, Review(Verdict.PASS, ""))),
    "reviews.undo": (Action.REVIEW, lambda s: s.reviews.undo(task_id=1)),
    "reviews.answered": (Action.REVIEW, lambda s: s.reviews.answered(1)),
    "reviews.of_part": (Action.SEE, lambda s: s.reviews.of_part(1)),
    "reviews.imported": (Action.IMPORT, lambda s: s.reviews.imported("Lyon", [])),
    "reviews.import_digests": (Action.SEE, lambda s: s.reviews.import_digests([1])),
    "reviews.overrides": (Action.SEE, lambda s: s.reviews.overrides("Lyon")),
    "labels.get": (Action.SEE, lambda s: s.labels.get(1)),
    "labels.many": (Action.SEE, lambda s: s.labels.many([1])),
    "labels.count": (Action.SEE, lambda s: s.labels.count("Lyon")),
    "labels.find": (Action.SEE, lambda s: list(s.labels.find("Lyon"))),
    "labels.files": (Action.SEE, lambda s: s.labels.files("Lyon")),
    "labels.again": (Action.SEE, lambda s: s.labels.again([1]).__enter__()),
    "policies.in_force": (Action.SEE, lambda s: s.policies.in_force("Lyon")),
    "policies.history": (Action.SEE, lambda s: s.policies.history("Lyon")),
    "policies.all_in_force": (Action.SEE, lambda s: s.policies.all_in_force("Lyon")),
    "policies.version": (Action.SEE, lambda s: s.policies.version("Lyon")),
    "policies.rates": (Action.SEE, lambda s: s.policies.rates("Lyon")),
    "policies.put_forward": (Action.POLICY, lambda s: s.policies.put_forward(Policy(0, "Lyon", 0.1, 0.9), "why")),
    "policies.tighten": (Action.POLICY, lambda s: s.policies.tighten(Policy(0, "Lyon", 0.1, 0.8), "why")),
    "policies.rollback": (Action.POLICY, lambda s: s.policies.rollback("Lyon", 1, "why")),
    "requests.ask_resume": (Action.POLICY, lambda s: s.requests.ask_resume("Lyon", "why")),
    "requests.ask_calibration": (Action.POLICY, lambda s: s.requests.ask_calibration("Lyon", MATRIX, SOON, "why")),
    "requests.agree": (Action.POLICY, lambda s: s.requests.agree(1, "why")),
    "requests.waiting": (Action.SEE, lambda s: s.requests.waiting("Lyon")),
    "requests.history": (Action.SEE, lambda s: s.requests.history("Lyon")),
    "requests.matrix": (Action.SEE, lambda s: s.requests.matrix("Lyon")),
    "reported.baseline": (Action.SEE, lambda s: s.reported.baseline("Lyon")),
    "reported.baselines": (Action.SEE, lambda s: s.reported.baselines("Lyon")),
    "reported.set_baseline": (Action.POLICY, lambda s: s.reported.set_baseline("Lyon", Baseline(), "why")),
    "reported.escapes": (Action.SEE, lambda s: s.reported.escapes("Lyon")),
    "reported.today": (Action.SEE, lambda s: s.reported.today("Lyon")),
    "reported.report": (Action.POLICY, lambda s: s.reported.report("Lyon", [Escape(_NOW.date())], "test")),
    "reported.take_back": (Action.POLICY, lambda s: s.reported.take_back(1, "why")),
    "policies.propose": (Action.POLICY, lambda s: s.policies.propose("Lyon", 0.1, 0.9, "why")),
    "policies.approve": (Action.POLICY, lambda s: s.policies.approve("Lyon", 1, "why")),
    "gold.shares": (Action.SEE, lambda s: s.gold.shares("Lyon")),
    "gold.set_shares": (Action.POLICY, lambda s: s.gold.set_shares("Lyon", Shares(0.1, 0.1), "why")),
    "gold.add": (Action.POLICY, lambda s: s.gold.add(1, True, "why")),
    "gold.retire": (Action.POLICY, lambda s: s.gold.retire(1, "why")),
    "gold.items": (Action.POLICY, lambda s: s.gold.items("Lyon")),
    "gold.candidates": (Action.POLICY, lambda s: s.gold.candidates("Lyon")),
    "auditing.facts": (Action.POLICY, lambda s: s.auditing.facts("Lyon", SOON)),
    "replays.parts": (Action.POLICY, lambda s: s.replays.parts("Lyon", SOON)),
    "auditing.said": (Action.POLICY, lambda s: s.auditing.said("Lyon")),
    "models.add": (Action.TRAIN, lambda s: s.models.add({"name": "n"}, "p", "h")),
    "models.get": (Action.SEE, lambda s: s.models.get("net-1")),
    "models.all": (Action.SEE, lambda s: s.models.all()),
    "datasets.add": (Action.DATASET, lambda s: s.datasets.add("d", {}, "h")),
    "datasets.get": (Action.SEE, lambda s: s.datasets.get("d")),
    "datasets.sides": (Action.SEE, lambda s: s.datasets.sides("d")),
    "datasets.names": (Action.SEE, lambda s: s.datasets.names()),
    "datasets.opinions": (Action.DATASET, lambda s: s.datasets.opinions([1])),
    "datasets.unlabelled": (Action.DATASET, lambda s: list(s.datasets.unlabelled("net-1", ["Lyon"]))),
    "datasets.shares": (Action.SEE, lambda s: s.datasets.shares("Lyon")),
    "datasets.scores": (Action.DATASET, lambda s: s.datasets.scores([1])),
    "datasets.being_labelled": (Action.DATASET, lambda s: s.datasets.being_labelled([1])),
    "selections.candidates": (Action.DATASET, lambda s: s.selections.candidates("Lyon")),
    "selections.propose": (Action.DATASET, lambda s: s.selections.propose("random", "n", "h", PICKS, {}, {}, 1, 1)),
    "selections.send": (Action.DATASET, lambda s: s.selections.send(1)),
    "selections.discard": (Action.DATASET, lambda s: s.selections.discard(1)),
    "selections.get": (Action.DATASET, lambda s: s.selections.get(1)),
    "selections.all": (Action.DATASET, lambda s: s.selections.all()),
    "selections.items": (Action.DATASET, lambda s: s.selections.items(1)),
    "pipelines.configure": (Action.TRAIN, lambda s: s.pipelines.configure("weekly", "Lyon", {})),
    "pipelines.switch": (Action.TRAIN, lambda s: s.pipelines.switch("weekly", True)),
    "pipelines.get": (Action.SEE, lambda s: s.pipelines.get("weekly")),
    "pipelines.all": (Action.SEE, lambda s: s.pipelines.all("Lyon")),
    "pipelines.configuration": (Action.SEE, lambda s: s.pipelines.configuration("weekly", 1)),
    "pipelines.start": (Action.TRAIN, lambda s: s.pipelines.start("weekly")),
    "pipelines.due": (None, lambda s: s.pipelines.due()),
    "pipelines.resume": (Action.TRAIN, lambda s: s.pipelines.resume(1)),
    "pipelines.run": (Action.SEE, lambda s: s.pipelines.run(1)),
    "pipelines.runs": (Action.SEE, lambda s: s.pipelines.runs()),
    "pipelines.begin": (None, lambda s: s.pipelines.begin(1, StepName.TRAIN)),
    "pipelines.done": (None, lambda s: s.pipelines.done(1, StepName.TRAIN, {})),
    "pipelines.skip": (None, lambda s: s.pipelines.skip(1, StepName.TRAIN, "why")),
    "pipelines.end": (None, lambda s: s.pipelines.end(1, "")),
    "pipelines.fail": (None, lambda s: s.pipelines.fail(1, "why")),
    "pipelines.settle": (None, lambda s: s.pipelines.settle()),
    "jobs.submit": (Action.TRAIN, lambda s: s.jobs.submit("train")),
    "jobs.claim": (None, lambda s: s.jobs.claim("w")),
    "jobs.progress": (None, lambda s: s.jobs.progress(1, 0, 0)),
    "jobs.beat": (None, lambda s: s.jobs.beat("w")),
    "jobs.finish": (None, lambda s: s.jobs.finish(1)),
    "jobs.fail": (None, lambda s: s.jobs.fail(1, "")),
    "jobs.stopped": (None, lambda s: s.jobs.stopped(1)),
    "jobs.give_back": (None, lambda s: s.jobs.give_back(1)),
    "jobs.cancel": (Action.PEOPLE, lambda s: s.jobs.cancel(1)),
    "jobs.get": (Action.INGEST, lambda s: s.jobs.get(1)),
    "jobs.recent": (Action.SEE, lambda s: s.jobs.recent()),
    "jobs.alive": (Action.SEE, lambda s: s.jobs.alive()),
    "people.add": (Action.PEOPLE, lambda s: s.people.add("new", PASSWORD, Role.INSPECTOR)),
    "people.all": (Action.PEOPLE, lambda s: s.people.all()),
    "people.set_role": (Action.PEOPLE, lambda s: s.people.set_role("other", Role.QA_LEAD)),
    "people.set_sites": (Action.PEOPLE, lambda s: s.people.set_sites("other", None)),
    "people.disable": (Action.PEOPLE, lambda s: s.people.disable("other")),
    "people.enable": (Action.PEOPLE, lambda s: s.people.enable("other")),
    "people.set_password": (Action.PEOPLE, lambda s: s.people.set_password("other", PASSWORD)),
    "people.locked": (Action.PEOPLE, lambda s: s.people.locked()),
    "people.unlock": (Action.PEOPLE, lambda s: s.people.unlock("other")),
    "people.set_identity": (Action.PEOPLE, lambda s: s.people.set_identity("other", "o@plant.example")),
    "people.replace_name": (Action.PEOPLE, lambda s: s.people.replace_name("other")),
    "people.sign_in_company": (None, lambda s: s.people.sign_in_company("https://id.example", "nobody")),
    "people.demo_people": (None, lambda s: s.people.demo_people()),
    "people.sign_in_demo": (None, lambda s: s.people.sign_in_demo("other")),
    "audit.recent": (Action.AUDIT, lambda s: s.audit.recent()),
    "audit.actions": (Action.AUDIT, lambda s: s.audit.actions()),
    "seals.verify": (Action.AUDIT, lambda s: s.seals.verify(Key(b"k" * 32))),
    "seals.seal": (None, lambda s: s.seals.seal(Key(b"k" * 32))),
    "upkeep.rules": (Action.UPKEEP, lambda s: s.upkeep.rules()),
    "upkeep.set_rule": (Action.UPKEEP, lambda s: s.upkeep.set_rule(DataClass.AUDIT, 400)),
    "upkeep.old_images": (Action.UPKEEP, lambda s: s.upkeep.old_images(s.database.clock())),
    "upkeep.forget_images": (Action.UPKEEP, lambda s: s.upkeep.forget_images([], s.database.clock(), 90)),
    "upkeep.old_events": (Action.UPKEEP, lambda s: s.upkeep.old_events(s.database.clock())),
    "upkeep.delete_events": (Action.UPKEEP, lambda s: s.upkeep.delete_events(s.database.clock(), 400)),
    "upkeep.deleted": (Action.UPKEEP, lambda s: s.upkeep.deleted(DataClass.PREVIEWS, {})),
    "upkeep.backed_up": (Action.UPKEEP, lambda s: s.upkeep.backed_up({})),
    "upkeep.restored": (Action.UPKEEP, lambda s: s.upkeep.restored({})),
    "upkeep.backups": (Action.AUDIT, lambda s: s.upkeep.backups()),
    "facts.marks": (Action.SEE, lambda s: s.facts.marks()),
    "facts.stamps": (None, lambda s: s.facts.stamps({})),
    "facts.places": (Action.SEE, lambda s: s.facts.places()),
    "facts.rows": (Action.SEE, lambda s: s.facts.rows("decisions", 0, 1)),
    "facts.newest": (Action.SEE, lambda s: s.facts.newest({}, 1)),
    "facts.reported": (Action.SEE, lambda s: s.facts.reported()),
    "facts.waiting": (Action.SEE, lambda s: s.facts.waiting()),
    "casebook.take": (Action.REVIEW, lambda s: s.casebook.take(1)),
    "casebook.open_cases": (Action.INGEST, lambda s: s.casebook.open_cases([1], "why")),
    "casebook.to_labelling": (Action.INGEST, lambda s: s.casebook.to_labelling([1], "why")),
    "gates.add": (Action.TRAIN, lambda s: s.gates.add("Lyon", "net-1", "", "d", "test", None, REFUSED, Limits(), {})),
    "gates.get": (Action.SEE, lambda s: s.gates.get(1)),
    "gates.of": (Action.SEE, lambda s: s.gates.of("net-1", "Lyon")),
    "shadows.start": (Action.PROMOTE, lambda s: s.shadows.start("Lyon", "net-1")),
    "shadows.stop": (Action.PROMOTE, lambda s: s.shadows.stop("Lyon")),
    "shadows.latest": (Action.SEE, lambda s: s.shadows.latest("Lyon")),
    "shadows.due": (Action.INGEST, lambda s: s.shadows.due()),
    "shadows.waiting": (Action.INGEST, lambda s: s.shadows.waiting(1, 1)),
    "shadows.keep": (Action.INGEST, lambda s: s.shadows.keep(1, [])),
    "shadows.note": (Action.INGEST, lambda s: s.shadows.note(1, "")),
    "shadows.seen": (Action.SEE, lambda s: s.shadows.seen(1)),
    "shadows.errors": (Action.SEE, lambda s: s.shadows.errors(1)),
    "explained.answers": (Action.SEE, lambda s: s.explained.answers("Lyon", "net-1")),
    "detectors.add": (Action.TRAIN, lambda s: s.detectors.add({"name": "det"}, "p", "h")),
    "detectors.get": (Action.SEE, lambda s: s.detectors.get("det")),
    "detectors.all": (Action.SEE, lambda s: s.detectors.all()),
    "detectors.keep_trial": (Action.TRAIN, lambda s: s.detectors.keep_trial("Lyon", "d", "h", "n", "f", "", "", {})),
    "detectors.trials": (Action.SEE, lambda s: s.detectors.trials("Lyon")),
    "detectors.put_in_force": (Action.PROMOTE, lambda s: s.detectors.put_in_force("Lyon", "det", "why")),
    "detectors.stop": (Action.PROMOTE, lambda s: s.detectors.stop("Lyon", "why")),
    "detectors.in_force": (Action.SEE, lambda s: s.detectors.in_force("Lyon")),
    "detectors.history": (Action.SEE, lambda s: s.detectors.history("Lyon")),
    "detectors.keep": (Action.INGEST, lambda s: s.detectors.keep([(1, DrawnBoxes("det"))])),
    "detectors.boxes": (Action.SEE, lambda s: s.detectors.boxes([1])),
    "memories.add": (Action.TRAIN, lambda s: s.memories.add("Lyon", None, "p", "h", {"name": "m"})),
    "memories.get": (Action.SEE, lambda s: s.memories.get("m")),
    "memories.all": (Action.SEE, lambda s: s.memories.all("Lyon")),
    "memories.in_force": (Action.SEE, lambda s: s.memories.in_force("Lyon")),
    "memories.put_in_force": (Action.PROMOTE, lambda s: s.memories.put_in_force("Lyon", "m", "why")),
    "memories.stop": (Action.PROMOTE, lambda s: s.memories.stop("Lyon", None, "why")),
    "memories.history": (Action.SEE, lambda s: s.memories.history("Lyon")),
    "proposals.novel": (Action.SEE, lambda s: s.proposals.novel("Lyon")),
    "proposals.propose": (Action.DATASET, lambda s: s.proposals.propose("Lyon", "net-1", [])),
    "proposals.all": (Action.SEE, lambda s: s.proposals.all("Lyon")),
    "proposals.accept": (Action.TAXONOMY, lambda s: s.proposals.accept(1, "DENT", "", "why")),
    "proposals.decline": (Action.TAXONOMY, lambda s: s.proposals.decline(1, "why")),
    "notes.file": (Action.IMPORT, lambda s: s.notes.file("Lyon", "f", [], {})),
    "notes.imports": (Action.SEE, lambda s: s.notes.imports("Lyon")),
    "notes.rules": (Action.SEE, lambda s: s.notes.rules("Lyon")),
    "notes.rules_history": (Action.SEE, lambda s: s.notes.rules_history("Lyon")),
    "notes.set_rules": (Action.TAXONOMY, lambda s: s.notes.set_rules("Lyon", LabelRules(), "why")),
    "notes.versions": (Action.SEE, lambda s: s.notes.versions("Lyon")),
    "notes.shown": (Action.SEE, lambda s: s.notes.shown("Lyon")),
    "notes.begin_version": (Action.TAXONOMY, lambda s: s.notes.begin_version("Lyon", 0, "f", {})),
    "notes.unlabelled": (Action.SEE, lambda s: s.notes.unlabelled(1)),
    "notes.keep_labels": (Action.TAXONOMY, lambda s: s.notes.keep_labels(1, [], {})),
    "notes.labels_in": (Action.SEE, lambda s: s.notes.labels_in("Lyon", 1)),
    "notes.find": (Action.SEE, lambda s: s.notes.find("Lyon")),
    "notes.get": (Action.SEE, lambda s: s.notes.get(1)),
    "notes.counts": (Action.SEE, lambda s: s.notes.counts("Lyon")),
    "notes.override": (Action.REVIEW, lambda s: s.notes.override(1, 0, 1, "line")),
    "notes.to_check": (Action.SEE, lambda s: s.notes.to_check("Lyon")),
    "notes.check": (Action.REVIEW, lambda s: s.notes.check(1, [])),
    "notes.checks": (Action.SEE, lambda s: s.notes.checks("Lyon")),
    "prints.rules": (Action.SEE, lambda s: s.prints.rules("Lyon")),
    "prints.set_rules": (Action.PART_TYPE, lambda s: s.prints.set_rules("Lyon", "shaft", None, "why")),
    "prints.catalogue": (Action.SEE, lambda s: s.prints.catalogue("Lyon")),
    "prints.set_catalogue": (Action.IMPORT, lambda s: s.prints.set_catalogue("Lyon", [])),
    "prints.recent": (Action.SEE, lambda s: s.prints.recent("Lyon")),
    "prints.unchecked": (Action.SEE, lambda s: s.prints.unchecked("Lyon")),
    "prints.say_right": (Action.REVIEW, lambda s: s.prints.say_right(1, True, "en")),
    "prints.accuracy": (Action.SEE, lambda s: s.prints.accuracy("Lyon")),
    "prints.of_part": (Action.SEE, lambda s: s.prints.of_part(1)),
    "prints.check": (Action.SEE, lambda s: s.prints.check(1)),
    "vault.known": (Action.UPKEEP, lambda s: s.vault.known()),
    "vault.took": (Action.UPKEEP, lambda s: s.vault.took("0" * 16)),
    "vault.notes_left": (Action.UPKEEP, lambda s: s.vault.notes_left()),
    "vault.reseal_notes": (Action.UPKEEP, lambda s: s.vault.reseal_notes()),
    "vault.retire": (Action.UPKEEP, lambda s: s.vault.retire({})),
    "upkeep.forget_readings": (Action.UPKEEP, lambda s: s.upkeep.forget_readings(SOON, 30)),
    "upkeep.forget_notes": (Action.UPKEEP, lambda s: s.upkeep.forget_notes(SOON, 30)),
    "privacy.sees_originals": (Action.SEE, lambda s: s.privacy.sees_originals()),
    "privacy.rule": (Action.SEE, lambda s: s.privacy.rule("Lyon")),
    "privacy.set_rule": (Action.PEOPLE, lambda s: s.privacy.set_rule("Lyon", Mode.NEVER, "why")),
    "privacy.look": (Action.SEE, lambda s: s.privacy.look(1)),
    "privacy.outside": (Action.SEE, lambda s: s.privacy.outside(1)),
    "privacy.for_export": (Action.EXPORT, lambda s: s.privacy.for_export([1])),
    "privacy.found": (Action.UPKEEP, lambda s: s.privacy.found([])),
    "privacy.of": (Action.ORIGINALS, lambda s: s.privacy.of(1)),
    "privacy.recent": (Action.ORIGINALS, lambda s: s.privacy.recent("Lyon")),
    "privacy.waiting": (Action.UPKEEP, lambda s: s.privacy.waiting("Lyon")),
    "privacy.waiting_count": (Action.UPKEEP, lambda s: s.privacy.waiting_count("Lyon")),
    "privacy.status": (Action.UPKEEP, lambda s: s.privacy.status()),
    "promotions.in_use": (Action.SEE, lambda s: s.promotions.in_use("Lyon")),
    "promotions.hindered": (Action.SEE, lambda s: s.promotions.hindered("Lyon", "net-9")),
    "promotions.history": (Action.SEE, lambda s: s.promotions.history("Lyon")),
    "promotions.way_back": (Action.SEE, lambda s: s.promotions.way_back("Lyon")),
    "promotions.promote": (Action.PROMOTE, lambda s: s.promotions.promote("Lyon", "net-9", "why")),
    "promotions.ask_override": (Action.PROMOTE, lambda s: s.promotions.ask_override("Lyon", "net-9", "why")),
    "promotions.rollback": (Action.PROMOTE, lambda s: s.promotions.rollback("Lyon", "why")),
    "alarms.rules": (Action.SEE, lambda s: s.alarms.rules("Lyon")),
    "alarms.rule_history": (Action.SEE, lambda s: s.alarms.rule_history("Lyon")),
    "alarms.set_rule": (Action.POLICY, lambda s: s.alarms.set_rule("Lyon", DEFAULTS[RuleKind.BACKLOG], "why", 0)),
    "alarms.approve_rule": (Action.POLICY, lambda s: s.alarms.approve_rule("Lyon", RuleKind.BACKLOG, 1, "why")),
    "alarms.find": (Action.SEE, lambda s: s.alarms.find("Lyon")),
    "alarms.get": (Action.SEE, lambda s: s.alarms.get(1)),
    "alarms.history": (Action.SEE, lambda s: s.alarms.history(1)),
    "alarms.told": (Action.SEE, lambda s: s.alarms.told(1)),
    "alarms.acknowledge": (Action.POLICY, lambda s: s.alarms.acknowledge(1)),
    "alarms.close": (Action.POLICY, lambda s: s.alarms.close(1, "why")),
    "alarms.follow_ups": (Action.SEE, lambda s: s.alarms.follow_ups("Lyon")),
    "alarms.ask": (Action.POLICY, lambda s: s.alarms.ask("Lyon", Step.RETRAIN, "why")),
    "alarms.check_off": (Action.POLICY, lambda s: s.alarms.check_off(1, "exposure")),
    "alarms.finish": (Action.POLICY, lambda s: s.alarms.finish(1, "why")),
    "alarms.figures": (Action.SEE, lambda s: s.alarms.figures("Lyon")),
    "alarms.status": (Action.SEE, lambda s: s.alarms.status()),
    "watching.begin": (None, lambda s: s.watching.begin("Lyon")),
    "watching.marks": (None, lambda s: s.watching.marks("Lyon")),
    "watching.stream": (None, lambda s: s.watching.stream("Lyon", 0, 0, s.database.clock(), s.database.clock())),
    "watching.decided": (None, lambda s: s.watching.decided("Lyon", 0, 0, 0, 0.0, s.database.clock())),
    "watching.keep": (None, lambda s: s.watching.keep("Lyon", 0, {}, [], [], s.database.clock())),
    "watching.add_document": (None, lambda s: s.watching.add_document(1, {})),
    "watching.missed_scores": (None, lambda s: s.watching.missed_scores("Lyon", s.database.clock())),
    "watching.due": (None, lambda s: s.watching.due(s.database.clock())),
    "watching.take": (None, lambda s: s.watching.take(NOTICE, s.database.clock(), 1)),
    "watching.went": (None, lambda s: s.watching.went(NOTICE, "", s.database.clock())),
    "complaints.known": (Action.SEE, lambda s: s.complaints.known("Lyon", ["R-1"])),
    "complaints.keep": (Action.COMPLAINTS, lambda s: s.complaints.keep("Lyon", [], "test")),
    "complaints.get": (Action.SEE, lambda s: s.complaints.get(1)),
    "complaints.find": (Action.SEE, lambda s: s.complaints.find("Lyon")),
    "complaints.counts": (Action.SEE, lambda s: s.complaints.counts("Lyon")),
    "complaints.correct": (Action.REVIEW, lambda s: s.complaints.correct(1, {}, "late", None)),
    "complaints.put_aside": (Action.REVIEW, lambda s: s.complaints.put_aside(1, "why")),
    "complaints.link_to": (Action.REVIEW, lambda s: s.complaints.link_to(1, "part-1")),
    "complaints.answer": (Action.REVIEW, lambda s: s.complaints.answer(1, Sight.VISIBLE)),
    "complaints.acts": (Action.SEE, lambda s: s.complaints.acts(1)),
    "complaints.confirm_act": (Action.COMPLAINTS, lambda s: s.complaints.confirm_act(1)),
    "complaints.decline_act": (Action.COMPLAINTS, lambda s: s.complaints.decline_act(1, "why")),
    "complaint_counts.weeks": (Action.SEE, lambda s: s.complaint_counts.weeks("Lyon", SOON.date(), SOON.date(), 28)),
    "complaint_counts.leavers": (Action.SEE, lambda s: s.complaint_counts.leavers("Lyon", SOON.date())),
    "complaint_counts.groups": (Action.SEE, lambda s: s.complaint_counts.groups("Lyon", SOON.date())),
    "complaint_counts.about": (Action.SEE, lambda s: s.complaint_counts.about("Lyon", "seller", "x", SOON.date())),
    "complaint_counts.set_volumes": (Action.COMPLAINTS, lambda s: s.complaint_counts.set_volumes("Lyon", {})),
    "complaint_counts.changes": (Action.SEE, lambda s: s.complaint_counts.changes("Lyon", SOON.date())),
    "complaint_notices.draft": (Action.COMPLAINTS, lambda s: s.complaint_notices.draft("Lyon", DRAFT)),
    "complaint_notices.find": (Action.SEE, lambda s: s.complaint_notices.find("Lyon")),
    "complaint_notices.approve": (Action.POLICY, lambda s: s.complaint_notices.approve(99, ["quality"], "why")),
    "complaint_notices.decline": (Action.COMPLAINTS, lambda s: s.complaint_notices.decline(1, "why")),
    "complaint_notices.messages": (Action.SEE, lambda s: s.complaint_notices.messages(1)),
    "complaint_notices.again": (Action.COMPLAINTS, lambda s: s.complaint_notices.again(1)),
    "complaint_notices.due": (None, lambda s: s.complaint_notices.due(s.database.clock())),
    "complaint_notices.take": (None, lambda s: s.complaint_notices.take(MESSAGE, s.database.clock(), 1)),
    "complaint_notices.went": (None, lambda s: s.complaint_notices.went(MESSAGE, "", s.database.clock())),
    "outbox.pending": (Action.INGEST, lambda s: s.outbox.pending()),
    "outbox.sent": (Action.INGEST, lambda s: s.outbox.sent([])),
}
OPEN = {
    "people.sign_in",
    "people.sign_out",
    "people.who",
    "people.any",
    "people.me",
    "seals.head",
    "seals.waiting",
}  # before, or about, oneself


@pytest.fixture
def plant(store: Store) -> Store:
    site(store)
    file(store, arrival(1))
    person(store, "other")
    store.jobs.submit("ingest")
    store.sites.pause("Lyon", "lamp flickers")
    store.requests.ask_resume("Lyon", "a new lamp")
    return store


def _refused(store: Store, call) -> bool:
    try:
        call(store)
    except NotAllowed:
        return True
    except HoldpointError:
        pass  # it was let in, and failed for a reason of its own
    return False


@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_the_table_says_and_no_more(plant: Store, role: Role) -> None:
    worker = person(plant, "worker bee", role)
    wrong = {}
    for name, (action, call) in CALLS.items():
        granted = action is not None and action in PERMISSIONS[role]
        if _refused(worker, call) == granted:
            wrong[name] = "refused" if granted else "let in"
    assert wrong == {}


def test_nobody_without_an_account_may_do_anything(plant: Store) -> None:
    stranger = plant.acting_as(Actor("stranger"))
    assert [name for name, (_, call) in CALLS.items() if not _refused(stranger, call)] == []


def test_a_disabled_person_may_do_nothing_any_more(plant: Store) -> None:
    worker = person(plant, "worker bee", Role.ADMIN)
    plant.people.disable("worker bee")
    assert [name for name, (_, call) in CALLS.items() if not _refused(worker, call)] == []


@pytest.mark.parametrize("role", Role)
def test_a_site_that_was_not_given_is_closed(plant: Store, role: Role) -> None:
    plant.sites.add("Bern")
    worker = person(plant, "worker bee", role, ["Bern"])
    about_lyon = [
        name for name in CALLS if '"Lyon"' in inspect.getsource(CALLS[name][1]).split(f'"{name}"')[1].split("\n")[0]
    ]
    about_part = ["parts.get", "parts.evidence", "parts.decision", "parts.history", "images.get", "images.set_state",
                  "queue.task", "queue.send", "reviews.of_part", "requests.agree"]  # fmt: skip
    assert len(about_lyon) > 25
    assert [name for name in (*about_lyon, *about_part) if not _refused(worker, CALLS[name][1])] == []
    assert worker.images.many([1]) == worker.images.predictions([1]) == worker.parts.decisions([1]) == {}
    assert (
        worker.images.find() == worker.images.of_part(1) == worker.quarantine.list() == list(worker.labels.find()) == []
    )
    assert [one.name for one in worker.sites.all()] == ["Bern"]


def test_every_public_method_of_the_store_is_in_this_table(store: Store) -> None:
    found = set()
    for part in [name for name in vars(Store) if not name.startswith("_")]:
        member = getattr(store, part)
        if type(member).__module__.startswith("data.store.") and part not in ("database", "actor"):
            methods = inspect.getmembers(type(member), inspect.isfunction)
            found |= {
                f"{part}.{name}"
                for name, method in methods
                if not name.startswith("_") and name not in ("writing", "seeing", "rights", "now")
            }
    found = {name for name in found if name.split(".")[0] not in ("acting_as", "close")}
    assert found == CALLS.keys() | OPEN


def test_a_viewer_changes_nothing_whatever_is_called(plant: Store) -> None:
    """Whatever the table lets a viewer do is a question: no row of any table is another one afterwards."""
    vera = person(plant, "vera", Role.VIEWER)
    before = _everything(plant)
    for action, call in CALLS.values():
        if action in PERMISSIONS[Role.VIEWER]:
            _refused(vera, call)
    assert _everything(plant) == before


def test_every_other_role_may_do_all_that_a_viewer_may_and_act(store: Store) -> None:
    for role in set(Role) - {Role.VIEWER}:
        assert PERMISSIONS[Role.VIEWER] < PERMISSIONS[role]


def _everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.database.reading() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in METADATA.sorted_tables
        }
