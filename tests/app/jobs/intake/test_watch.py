import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs.intake.watch import Inbox, watch
from app.jobs.runner import Clockwork
from app.settings import Settings
from core.errors import NotFound
from core.plant import PartType
from data.store import Store

Draw = Callable[..., list[Path]]


def test_a_file_counts_once_it_has_not_changed_for_long_enough():
    inbox = Inbox(settle_seconds=1.0)
    assert inbox.ready({"a": (10, 1)}, now=0.0) == []
    assert inbox.ready({"a": (20, 2)}, now=0.75) == []  # it grew, so it starts anew
    assert inbox.ready({"a": (20, 2)}, now=1.5) == []
    assert inbox.ready({"a": (20, 2)}, now=1.75) == ["a"]


def test_a_file_is_handed_out_once_until_it_changes():
    inbox = Inbox(settle_seconds=0.0)
    assert inbox.ready({"a": (10, 1)}, now=0.0) == ["a"]
    inbox.take("a", (10, 1))
    assert inbox.ready({"a": (10, 1)}, now=5.0) == []
    assert inbox.ready({"a": (11, 2)}, now=6.0) == ["a"]


def test_a_file_that_goes_away_and_comes_back_is_looked_at_again():
    inbox = Inbox(settle_seconds=0.0)
    inbox.take("a", (10, 1))
    assert inbox.ready({}, now=1.0) == []
    assert inbox.ready({"a": (10, 1)}, now=2.0) == ["a"]


@given(st.lists(st.tuples(st.floats(0.01, 0.9), st.integers(1, 3)), min_size=1, max_size=20))
def test_a_file_that_keeps_changing_is_never_handed_out(steps: list[tuple[float, int]]):
    inbox = Inbox(settle_seconds=1.0)
    now, size = 0.0, 0
    for wait, grown in steps:
        now, size = now + wait, size + grown
        assert inbox.ready({"a": (size, size)}, now) == []


def test_what_lies_in_the_inbox_is_filed_once(line_ready: Store, current: Settings, pictures: Draw):
    files = pictures("a.png", "deep/b.png", ".hidden.png")
    files[0].with_name("c.png.part").write_bytes(files[0].read_bytes())
    done = watch(line_ready, current, files[0].parent, "lyon", camera="cam 3", once=True)
    assert (done["images"], done["decisions"]["PASS"]) == (2, 2)
    again = watch(line_ready, current, files[0].parent, "lyon", once=True)
    assert (again["images"], again["known"]) == (0, 2)


def test_files_that_arrive_later_and_slowly_are_filed_whole(
    line_ready: Store, current: Settings, pictures: Draw, monkeypatch: pytest.MonkeyPatch
):
    (file,) = pictures("a.png")
    whole = file.read_bytes()
    file.unlink()
    monkeypatch.setenv("HOLDPOINT_SETTLE_SECONDS", "0.6")
    ended = threading.Event()
    result: list[dict[str, object]] = []
    watcher = threading.Thread(
        target=lambda: result.append(
            watch(line_ready, Settings(), file.parent, "lyon", stop=ended.is_set, sleep=lambda _: time.sleep(0.1))
        )
    )
    watcher.start()
    with file.open("wb") as out:
        for start in range(0, len(whole), len(whole) // 3):
            out.write(whole[start : start + len(whole) // 3])
            out.flush()
            time.sleep(0.3)
    deadline = time.monotonic() + 60
    while line_ready.images.count() < 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)
    ended.set()
    watcher.join()
    assert (result[0]["images"], result[0]["quarantined"]) == (1, {})


def test_watching_nothing_is_said(line_ready: Store, current: Settings, tmp_path: Path):
    with pytest.raises(NotFound, match="no folder"):
        watch(line_ready, current, tmp_path / "nowhere", "lyon", once=True)


# --- parts whose pictures come one by one ---------------------------------------------------------------------------

PART_AND_VIEW = r"(?P<part>[^_]+)_(?P<view>[^.]+)"


class Belt:
    """A watcher stepped by hand: each tick brings what is due then, or says that it is over."""

    def __init__(self, store: Store, current: Settings, inbox: Path) -> None:
        self.store, self.current, self.inbox = store, current, inbox
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.seen: list[list[str]] = []  # the decisions about part 7 after each tick

    def run(self, ticks: Sequence[tuple[float, Callable[[], object]]], part_type: str | None = None) -> dict[str, Any]:
        """Watch; after each round that found nothing new, time passes by the next tick's seconds and it is done."""
        coming = iter(ticks)
        ended = threading.Event()

        def sleep(_: float) -> None:
            part = self.store.parts.find("lyon", "7")
            history = [] if part is None else self.store.parts.history(part.id)
            self.seen.append([decision.outcome.value for decision in history])
            seconds, act = next(coming, (0.0, ended.set))
            self.now += timedelta(seconds=seconds)
            act()

        return watch(
            self.store, self.current, self.inbox, "lyon", part_from=PART_AND_VIEW, part_type=part_type,
            stop=ended.is_set, now=lambda: self.now, sleep=sleep,
        )  # fmt: skip


@pytest.fixture
def belt(line_ready: Store, current: Settings, tmp_path: Path) -> Belt:
    (tmp_path / "in").mkdir()
    return Belt(line_ready, current, tmp_path / "in")


def test_a_part_of_uncounted_views_waits_until_no_more_come_and_has_one_decision(belt: Belt, draw_picture: Any):
    def bring(name: str, seed: int) -> Callable[[], Path]:
        return lambda: draw_picture(belt.inbox / name, seed)

    done = belt.run([(0, bring("7_top.png", 1)), (20, bring("7_side.png", 2)), (29, lambda: None), (2, lambda: None)])
    assert belt.seen == [[], [], [], [], ["PASS"]]
    assert done["images"] == 2
    assert done["decisions"] == {"PASS": 1, "HOLD": 0, "FAIL": 0}


def test_a_picture_that_comes_after_the_decision_adds_one_that_is_never_looser(belt: Belt, draw_picture: Any):
    def spoil() -> None:
        (belt.inbox / "7_side.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")

    belt.run(
        [
            (0, lambda: draw_picture(belt.inbox / "7_top.png", 1)),
            (31, lambda: None),
            (60, spoil),
            (60, lambda: draw_picture(belt.inbox / "7_back.png", 3)),
        ]
    )
    assert belt.seen == [[], [], ["PASS"], ["PASS", "HOLD"], ["PASS", "HOLD", "HOLD"]]


def test_the_time_out_of_the_part_type_counts_where_it_expects_no_views(belt: Belt, draw_picture: Any):
    belt.store.part_types.put("lyon", PartType("bracket", tile=64, stride=32, time_out_s=90))
    belt.run([(0, lambda: draw_picture(belt.inbox / "7_top.png", 1)), (89, lambda: None), (2, lambda: None)], "bracket")
    assert belt.seen == [[], [], [], ["PASS"]]


def test_a_part_whose_views_are_declared_is_decided_with_the_last_of_them(belt: Belt, draw_picture: Any):
    belt.store.part_types.put("lyon", PartType("bracket", views=("top", "side"), tile=64, stride=32, time_out_s=90))
    belt.run(
        [
            (0, lambda: draw_picture(belt.inbox / "7_top.png", 1)),
            (1, lambda: draw_picture(belt.inbox / "7_side.png", 2)),
        ],
        "bracket",
    )
    assert belt.seen == [[], [], ["PASS"]]


def test_a_declared_view_that_never_comes_holds_the_part_at_the_time_out(belt: Belt, draw_picture: Any):
    belt.store.part_types.put("lyon", PartType("bracket", views=("top", "side"), tile=64, stride=32, time_out_s=90))
    belt.run([(0, lambda: draw_picture(belt.inbox / "7_top.png", 1)), (91, lambda: None)], "bracket")
    assert belt.seen == [[], [], ["HOLD"]]


def test_a_picture_that_is_a_part_of_its_own_waits_for_nothing(line_ready: Store, current: Settings, pictures: Draw):
    (file,) = pictures("a.png")
    waited: list[float] = []
    done = watch(line_ready, current, file.parent, "lyon", once=True, sleep=waited.append)
    assert done["decisions"]["PASS"] == 1
    assert len(waited) <= 1  # for the file to lie still


def test_watching_once_stays_until_its_parts_are_decided(belt: Belt, draw_picture: Any):
    draw_picture(belt.inbox / "7_top.png", 1)
    draw_picture(belt.inbox / "7_side.png", 2)

    def sleep(_: float) -> None:
        belt.now += timedelta(seconds=10)

    done = watch(
        belt.store, belt.current, belt.inbox, "lyon", part_from=PART_AND_VIEW, once=True, now=lambda: belt.now,
        sleep=sleep,
    )  # fmt: skip
    assert done["decisions"] == {"PASS": 1, "HOLD": 0, "FAIL": 0}


def test_a_watcher_that_ends_leaves_its_waiting_parts_to_the_worker(belt: Belt, draw_picture: Any):
    belt.run([(0, lambda: draw_picture(belt.inbox / "7_top.png", 1))])
    assert belt.seen == [[], []]
    Clockwork(belt.store, lambda: belt.now + timedelta(seconds=31)).tick()
    part = belt.store.parts.find("lyon", "7")
    assert part is not None
    assert [decision.outcome.value for decision in belt.store.parts.history(part.id)] == ["PASS"]
