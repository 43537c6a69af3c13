import pickle

import pytest

from core import errors
from core.errors import HoldpointError, QuarantineReason, Unreadable

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HoldpointError)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Unreadable], ids=lambda kind: kind.__name__)
def test_every_error_travels_between_processes(kind: type[HoldpointError]):
    there = pickle.loads(pickle.dumps(kind("Mend this.")))
    assert (type(there), str(there)) == (kind, "Mend this.")


def test_an_unreadable_picture_keeps_its_reason_on_the_way():
    there = pickle.loads(pickle.dumps(Unreadable(QuarantineReason.TRUNCATED, "It ends too early.", "ab12")))
    assert (str(there), there.reason, there.sha256) == ("It ends too early.", QuarantineReason.TRUNCATED, "ab12")
