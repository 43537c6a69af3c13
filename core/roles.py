"""Who may do what: one table, from which the checks and their tests are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is here to do."""

    INSPECTOR = "inspector"
    QA_LEAD = "qa_lead"
    DATA_SCIENTIST = "data_scientist"
    ADMIN = "admin"
    VIEWER = "viewer"

    @property
    def spoken(self) -> str:
        """As people write it."""
        return {"qa_lead": "QA lead"}.get(self.value, self.value.replace("_", " ").capitalize())


class Action(StrEnum):
    """What can be done to plant data."""

    SEE = "see images, predictions, decisions and labels"
    REVIEW = "lease tasks and review"
    SCORE = "score a picture without storing it"
    INGEST = "file new images"
    IMPORT = "import labelled images"
    EXPORT = "export labels"
    RESTORE = "restore from quarantine"
    TAXONOMY = "change a taxonomy or map a name"
    PART_TYPE = "set how a part type is looked at"
    DATASET = "build datasets"
    TRAIN = "train and evaluate models"
    PROMOTE = "run models in the shadow, promote them and roll them back"
    POLICY = "propose, approve or pause a site's policy"
    COMPLAINTS = "import complaints, and have something done about them"
    PEOPLE = "manage users and sites"
    AUDIT = "read the audit trail"
    UPKEEP = "back up, and set how long data is kept"
    ORIGINALS = "see what is covered in pictures and texts"


_EVERYONE = frozenset({Action.SEE, Action.SCORE})

PERMISSIONS: Mapping[Role, frozenset[Action]] = {
    Role.INSPECTOR: _EVERYONE | {Action.REVIEW},
    Role.QA_LEAD: _EVERYONE
    | {
        Action.REVIEW,
        Action.RESTORE,
        Action.EXPORT,
        Action.TAXONOMY,
        Action.PART_TYPE,
        Action.POLICY,
        Action.AUDIT,
        Action.PROMOTE,
        Action.COMPLAINTS,
        Action.ORIGINALS,
    },
    Role.DATA_SCIENTIST: _EVERYONE
    | {
        Action.INGEST,
        Action.IMPORT,
        Action.EXPORT,
        Action.RESTORE,
        Action.TAXONOMY,
        Action.PART_TYPE,
        Action.DATASET,
        Action.TRAIN,
        Action.PROMOTE,
        Action.REVIEW,
        Action.COMPLAINTS,
    },
    Role.ADMIN: frozenset(Action) - {Action.REVIEW},
    Role.VIEWER: frozenset({Action.SEE}),
}


@dataclass(frozen=True)
class Actor:
    """Somebody who acts: a person with an account, or a process of the plant itself.

    Attributes:
        name: of the account, or of the process such as "worker" or "command line".
        system: a process that holds the store's own file or password; it is not limited by roles.
    """

    name: str
    system: bool = False


COMMAND_LINE = Actor("command line", system=True)
WORKER = Actor("worker", system=True)
# Nobody may be called so: a person must not look like a process in the audit trail.
PROCESSES = frozenset({COMMAND_LINE.name, WORKER.name, "web server", "endpoint", "sign-in page"})


def allowed(role: Role, action: Action) -> bool:
    """Whether the table grants the action to the role."""
    return action in PERMISSIONS[role]
