"""The store: everything that is true, behind one object that acts for one actor."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property

from core.roles import COMMAND_LINE, Actor
from core.seals import Key
from data.store.desk.auditing import Auditing
from data.store.desk.casebook import Casebook
from data.store.desk.gold import Gold
from data.store.desk.labels import Labels
from data.store.desk.queue import Queue
from data.store.desk.reviews import Reviews
from data.store.engine.database import Database, open_database, utc_now
from data.store.line.arrivals import Arrivals
from data.store.line.images import Images
from data.store.line.outbox import Outbox
from data.store.line.part_types import PartTypesStore
from data.store.line.parts import Parts
from data.store.line.prints import Prints
from data.store.line.privacy import Privacy
from data.store.line.quarantine import Quarantine
from data.store.people.people import People
from data.store.rules.alarms import Alarms
from data.store.rules.policies import Policies
from data.store.rules.replays import Replays
from data.store.rules.reported import Reported
from data.store.rules.requests import Requests
from data.store.rules.watching import Watching
from data.store.science.book import Book
from data.store.science.datasets import Datasets
from data.store.science.detectors import Detectors
from data.store.science.explained import Explained
from data.store.science.facts import Facts
from data.store.science.gates import Gates
from data.store.science.jobs import Jobs
from data.store.science.memories import Memories
from data.store.science.models import Models
from data.store.science.pipelines import Pipelines
from data.store.science.promotions import Promotions
from data.store.science.proposals import Proposals
from data.store.science.selections import Selections
from data.store.science.shadows import Shadows
from data.store.science.taxonomies import Taxonomies
from data.store.sites import Sites
from data.store.trail.audit import Audit
from data.store.trail.seals import Seals
from data.store.trail.upkeep import Upkeep
from data.store.trail.vault import VaultKeysStore
from data.store.words.claims import Claims
from data.store.words.complaint_counts import ComplaintCounts
from data.store.words.complaint_notices import ComplaintNoticesStore
from data.store.words.complaints import Complaints
from data.store.words.notes import Notes


class Store:
    """One database and one actor; every public method of its parts checks what that actor may do."""

    def __init__(self, database: Database, actor: Actor) -> None:
        """Use `open_store`."""
        self.database = database
        self.actor = actor

    def acting_as(self, actor: Actor) -> "Store":
        """The same database in somebody else's name."""
        return Store(self.database, actor)

    def close(self) -> None:
        """Close idle connections."""
        self.database.close()

    @cached_property
    def sites(self) -> Sites:
        """Plants and what is in force there."""
        return Sites(self)

    @cached_property
    def part_types(self) -> PartTypesStore:
        """How each kind of part is looked at."""
        return PartTypesStore(self)

    @cached_property
    def taxonomies(self) -> Taxonomies:
        """Defect classes and the names that mean them."""
        return Taxonomies(self)

    @cached_property
    def book(self) -> Book:
        """The defect book."""
        return Book(self)

    @cached_property
    def vault(self) -> VaultKeysStore:
        """Keys that encrypt what is kept, by number."""
        return VaultKeysStore(self)

    @cached_property
    def prints(self) -> Prints:
        """Printed labels: rules, catalogue and readings."""
        return Prints(self)

    @cached_property
    def privacy(self) -> Privacy:
        """What is covered in pictures, and who sees originals."""
        return Privacy(self)

    @cached_property
    def claims(self) -> Claims:
        """Limits for claims, and what checks of claims found."""
        return Claims(self)

    @cached_property
    def notes(self) -> Notes:
        """What people said, and the labels that it was given."""
        return Notes(self)

    @cached_property
    def complaints(self) -> Complaints:
        """What customers told and sent back."""
        return Complaints(self)

    @cached_property
    def complaint_counts(self) -> ComplaintCounts:
        """What complaints are counted in."""
        return ComplaintCounts(self)

    @cached_property
    def complaint_notices(self) -> ComplaintNoticesStore:
        """Who is told of complaints."""
        return ComplaintNoticesStore(self)

    @cached_property
    def arrivals(self) -> Arrivals:
        """Filing what comes in."""
        return Arrivals(self)

    @cached_property
    def parts(self) -> Parts:
        """Parts and their decisions."""
        return Parts(self)

    @cached_property
    def images(self) -> Images:
        """Pictures and what was said of them."""
        return Images(self)

    @cached_property
    def quarantine(self) -> Quarantine:
        """Pictures that could not be used."""
        return Quarantine(self)

    @cached_property
    def queue(self) -> Queue:
        """Tasks and leases."""
        return Queue(self)

    @cached_property
    def reviews(self) -> Reviews:
        """People's answers."""
        return Reviews(self)

    @cached_property
    def labels(self) -> Labels:
        """The present truth of each image."""
        return Labels(self)

    @cached_property
    def policies(self) -> Policies:
        """Thresholds and rules."""
        return Policies(self)

    @cached_property
    def requests(self) -> Requests:
        """What one person asks for and another agrees to."""
        return Requests(self)

    @cached_property
    def reported(self) -> Reported:
        """How it was before, and what customers have found."""
        return Reported(self)

    @cached_property
    def models(self) -> Models:
        """Trained nets."""
        return Models(self)

    @cached_property
    def gates(self) -> Gates:
        """What models have shown."""
        return Gates(self)

    @cached_property
    def shadows(self) -> Shadows:
        """Models that look on."""
        return Shadows(self)

    @cached_property
    def explained(self) -> Explained:
        """Answers with and without a heatmap on the screen."""
        return Explained(self)

    @cached_property
    def memories(self) -> Memories:
        """Memories of good parts, and which of them judges where."""
        return Memories(self)

    @cached_property
    def proposals(self) -> Proposals:
        """Novel parts, and classes proposed from them."""
        return Proposals(self)

    @cached_property
    def detectors(self) -> Detectors:
        """Detectors, and which of them draws where."""
        return Detectors(self)

    @cached_property
    def promotions(self) -> Promotions:
        """Which model decides, and how that came about."""
        return Promotions(self)

    @cached_property
    def datasets(self) -> Datasets:
        """Frozen lists of labelled images."""
        return Datasets(self)

    @cached_property
    def selections(self) -> Selections:
        """Batches of pictures to be labelled."""
        return Selections(self)

    @cached_property
    def jobs(self) -> Jobs:
        """Long work."""
        return Jobs(self)

    @cached_property
    def pipelines(self) -> Pipelines:
        """Trainings that run by a schedule, step by step."""
        return Pipelines(self)

    @cached_property
    def people(self) -> People:
        """Accounts and sessions."""
        return People(self)

    @cached_property
    def audit(self) -> Audit:
        """Who did what."""
        return Audit(self)

    @cached_property
    def seals(self) -> Seals:
        """The sealed chain over what was done."""
        return Seals(self)

    @cached_property
    def upkeep(self) -> Upkeep:
        """Retention and backups."""
        return Upkeep(self)

    @cached_property
    def gold(self) -> Gold:
        """Parts with a known answer, and how a site checks its own eyes."""
        return Gold(self)

    @cached_property
    def auditing(self) -> Auditing:
        """What audits and people's answers are made of."""
        return Auditing(self)

    @cached_property
    def replays(self) -> Replays:
        """Past parts, to be decided again."""
        return Replays(self)

    @cached_property
    def facts(self) -> Facts:
        """What analytics are made of."""
        return Facts(self)

    @cached_property
    def alarms(self) -> Alarms:
        """Rules that are watched, alarms and what follows from them."""
        return Alarms(self)

    @cached_property
    def watching(self) -> Watching:
        """What the worker looks at to raise alarms."""
        return Watching(self)

    @cached_property
    def casebook(self) -> Casebook:
        """One part that somebody chose, and what follows from answers against the model."""
        return Casebook(self)

    @cached_property
    def outbox(self) -> Outbox:
        """What others have to be told."""
        return Outbox(self)


def open_store(
    url: str, actor: Actor = COMMAND_LINE, clock: Callable[[], datetime] = utc_now, key: Key | None = None
) -> Store:
    """Open the store, making or migrating its schema where that is needed.

    Args:
        url: "sqlite:///PATH" or "postgresql+psycopg://...".
        actor: in whose name it acts.
        clock: gives aware UTC wherever a method is given no time.
        key: marks what is written to the audit trail as the plant's own; without it `audit verify` will ask who did.
    """
    database = open_database(url, clock)
    if key is not None:
        database.engine.update_execution_options(audit_key=key)
    return Store(database, actor)
