import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs.watch import Inbox, watch
from app.settings import Settings
from core.errors import NotFound
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
