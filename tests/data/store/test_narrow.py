"""A share of the queue: what is asked for comes, in the queue's own order, and nothing else is taken."""

from datetime import UTC, datetime, timedelta

import pytest

from core.plant import Narrow
from core.records import TaskKind, Verdict
from data.store import Store
from tests.data.store.plant import answer, arrival, file, person, site

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def ana(store: Store) -> Store:
    site(store)
    return person(store, "ana")


@pytest.fixture
def filed(store: Store, ana: Store) -> dict[str, int]:
    """Parts by name: two on line A with cameras of their own, one on line B, one without a region, a day later."""

    def of(*made):
        return [one.part_id for one in made]

    early = file(
        store,
        arrival(1, 0.4, line="A", camera="a1"), arrival(2, 0.7, line="A", camera="a2"),
        arrival(3, 0.6, line="B", camera="b1"), now=MORNING,
    )  # fmt: skip
    late = file(store, arrival(4, None, line="B", camera="b1"), now=MORNING + timedelta(days=1))
    return dict(zip(("a1", "a2", "b", "late"), of(*early, *late), strict=True))


def taken(store: Store, narrow: Narrow) -> list[int]:
    now = MORNING + timedelta(days=2)
    first = store.queue.lease(now=now, narrow=narrow)
    found = [] if first is None else [first, *store.queue.lease_ahead(now=now, narrow=narrow)]
    store.queue.lease_ahead(0, now=now)
    if first is not None:
        store.queue.release(first.id, first.fence, now)
    return [task.part_id for task in found]


def test_lines_cameras_classes_and_days_narrow_the_queue_and_keep_its_order(ana: Store, filed: dict[str, int]) -> None:
    a1, a2, b, late = filed.values()
    day = MORNING + timedelta(hours=12)
    for narrow, wanted in (
        (Narrow(), {a1, a2, b, late}),
        (Narrow(line="A"), {a1, a2}),
        (Narrow(line="B"), {b, late}),
        (Narrow(camera="a2"), {a2}),
        (Narrow(class_id="CRACK"), {a1, a2, b}),
        (Narrow(class_id="BURR"), set()),
        (Narrow(since=day), {late}),
        (Narrow(until=day), {a1, a2, b}),
        (Narrow(line="B", class_id="CRACK", until=day), {b}),
        (Narrow(line="A", camera="b1"), set()),
        (Narrow(line="nowhere"), set()),
    ):
        found = taken(ana, narrow)
        assert set(found) == wanted
        whole = [one for one in taken(ana, Narrow()) if one in wanted]
        assert found == whole
        counts = ana.queue.counts(now=MORNING + timedelta(days=2), narrow=narrow)
        assert counts.waiting == sum(counts.kinds.values()) == len(wanted)
        assert counts.all_caught_up == (not wanted)


def test_asking_for_another_share_gives_back_what_is_in_hand_and_ahead(
    store: Store, ana: Store, filed: dict[str, int]
) -> None:
    ben, now = person(store, "ben"), MORNING + timedelta(days=2)
    ana.queue.lease(now=now, narrow=Narrow(line="A"))
    ana.queue.lease_ahead(now=now, narrow=Narrow(line="A"))
    assert ben.queue.counts(now=now, narrow=Narrow(line="A")).waiting == 0
    assert ben.queue.counts(now=now, narrow=Narrow(line="B")).waiting == 2
    mine = ana.queue.lease(now=now, narrow=Narrow(line="B"))
    ana.queue.lease_ahead(now=now, narrow=Narrow(line="B"))
    assert mine.part_id in (filed["b"], filed["late"])
    assert ben.queue.counts(now=now, narrow=Narrow(line="A")).waiting == 2
    assert ben.queue.lease(now=now, narrow=Narrow(line="A")).part_id == filed["a2"]


def test_a_second_look_stays_with_a_second_person_in_a_share_too(
    store: Store, ana: Store, filed: dict[str, int]
) -> None:
    ben, now = person(store, "ben"), MORNING + timedelta(days=2)
    only = Narrow(camera="a1")
    answer(ana, ana.queue.lease(now=now, narrow=only), Verdict.UNSURE)
    assert ana.queue.lease(now=now, narrow=only) is None
    assert ana.queue.counts(now=now, narrow=only).all_caught_up
    assert ben.queue.lease(now=now, narrow=only).kind is TaskKind.SECOND_LOOK
