"""What the demo's customers tell follows from its seed and from what is wrong with its parts."""

from collections import Counter
from datetime import UTC, datetime

from core.words.complaints.records import Sight
from data.demo.complaints import SELLERS, demo_complaints
from data.demo.plan import parts
from data.demo.plant import SITES

ANCHOR = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLANNED = parts(1, 600, ANCHOR)
GONE = {part.name for part in PLANNED if part.number % 3}


def told(seed: int = 1):
    return demo_complaints(PLANNED, GONE, ANCHOR, seed)


def test_the_same_seed_tells_the_same_and_another_one_something_else():
    assert told() == told()
    assert told() != told(2)


def test_only_parts_that_left_are_told_of_and_only_by_now():
    found = [one for some in told().values() for one in some]
    assert len(found) > 24
    assert set(told()) <= {site.name for site in SITES}
    for one in found:
        assert one.told.told_on <= ANCHOR.date()
        assert one.told.shipped_on <= one.told.told_on
        assert one.told.part in GONE | {""}
        assert one.told.seller in SELLERS
    references = Counter(one.told.reference for one in found)
    assert max(references.values()) == 1


def test_some_are_answered_and_a_defect_that_a_camera_saw_is_visible():
    by_name = {part.name: part for part in PLANNED}
    answered = [one for some in told().values() for one in some if one.sight is not None]
    assert 0 < len(answered) < sum(map(len, told().values()))
    for one in answered:
        if one.sight is Sight.VISIBLE:
            assert any(shot.scene.flaws for shot in by_name[one.told.part].shots)
