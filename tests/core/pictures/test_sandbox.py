import gc
import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image

from core.errors import HoldpointError, QuarantineReason, Unreadable
from core.pictures import decode as decoding
from core.pictures.decode import sha256_of
from core.pictures.quality import measure
from core.pictures.sandbox import DecodePool, Read, Upload

ROOT = Path(__file__).parents[3]

# A decoder with bad manners, chosen by the file's name; everything else it looks at honestly.
HOSTILE = """
    import os, signal, sys, time
    from core.pictures.child import look as honest

    def look(data, request, *others):
        name = os.path.basename(request["name"])
        if name.startswith("hang"):
            time.sleep(3600)
        if name.startswith("spin"):
            while True:
                pass
        if name.startswith("deaf"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGXCPU])
            time.sleep(3600)
        if name.startswith("eat"):
            heap = [bytearray(2**24) for _ in range(1000)]
        if name.startswith("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if name.startswith("bug"):
            raise KeyError("a bug of ours")
        if name.startswith("tell"):
            from core.errors import QuarantineReason, Unreadable
            raise Unreadable(QuarantineReason.UNDECODABLE, os.environ.get("HOLDPOINT_SECRET", "no secret") + ".")
        return honest(data, request, *others)
"""


@pytest.fixture(scope="module")
def pool():
    with DecodePool(workers=2) as pool:
        yield pool


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    (tmp_path / "hostile_look.py").write_text(textwrap.dedent(HOSTILE))
    monkeypatch.syspath_prepend(str(tmp_path))
    return "hostile_look:look"


def picture(folder, name, seed=0, size=(48, 32)):
    samples = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    path = folder / name
    path.write_bytes(cv2.imencode(".png", samples)[1].tobytes())
    return path


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def gone_within(seconds, pids):
    until = time.monotonic() + seconds
    while time.monotonic() < until and any(map(alive, pids)):
        time.sleep(0.02)
    return not any(map(alive, pids))


def test_nothing_in_nothing_out(pool):
    assert list(pool.decode([])) == []


def test_pictures_come_back_in_order_just_as_the_decoder_sees_them(pool, tmp_path):
    paths = [picture(tmp_path, f"{n}.png", n, (20 + n, 60 - n)) for n in range(40)]
    found = list(pool.decode(paths))
    assert [read.path for read in found] == paths
    for path, read in zip(paths, found, strict=True):
        data = path.read_bytes()
        alone = decoding.decode(data)
        assert_array_equal(read.decoded.pixels, alone.pixels)
        assert (read.decoded.exposure, read.decoded.taken_at) == (alone.exposure, alone.taken_at)
        assert read.sha256 == sha256_of(data)
        assert read.size == len(data)
        assert read.quality == measure(alone.pixels)


def test_a_bad_picture_takes_its_place_in_the_row_and_the_others_go_through(pool, tmp_path):
    good = picture(tmp_path, "good.png")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:500])
    (tmp_path / "not.jpg").write_bytes(b"GIF89a and more")
    names = ["empty.png", "good.png", "cut.png", "gone.png", "not.jpg", "good.png"]
    found = list(pool.decode(tmp_path / name for name in names))
    assert [one.reason.name if isinstance(one, Unreadable) else "read" for one in found] == [
        "EMPTY",
        "read",
        "TRUNCATED",
        "MISSING",
        "WRONG_TYPE",
        "read",
    ]
    assert found[2].sha256 == sha256_of(good.read_bytes()[:500])
    assert found[3].sha256 is None


def test_arrays_are_not_written_over_while_somebody_holds_them(pool, tmp_path):
    paths = [picture(tmp_path, f"{n}.png", n) for n in range(30)]
    kept = [read.decoded.pixels for read in pool.decode(paths)]
    rows = [pixels[3:5] for pixels in kept]
    expected = [pixels.copy() for pixels in kept]
    del kept
    for _ in pool.decode(paths[::-1] * 3):
        pass
    for row, pixels in zip(rows, expected, strict=True):
        assert_array_equal(row, pixels[3:5])


def test_pixels_lie_in_shared_memory_and_are_given_back(tmp_path):
    paths = [picture(tmp_path, f"{n}.png", n, (400, 300)) for n in range(4)]
    with DecodePool(workers=1) as pool:
        for _ in range(30):
            for read in pool.decode(paths):
                assert not read.decoded.pixels.flags.owndata
                assert read.decoded.pixels.flags.writeable
        del read
        gc.collect()
        maps = Path(f"/proc/{pool.pids[0]}/maps").read_text().count("holdpoint-picture")
        assert maps <= 12  # 120 pictures went through


def test_no_descriptor_is_left_open(tmp_path):
    paths = [picture(tmp_path, f"{n}.png", n) for n in range(10)]
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with DecodePool(workers=1) as pool:
        kept = list(pool.decode(paths))
        pool.preview(Upload("a.png", paths[0].read_bytes()), 16)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    assert len(kept) == 10


def test_a_thousand_pictures_may_be_held_at_once(pool, tmp_path):
    path = picture(tmp_path, "a.png", 4)
    kept = [read.decoded.pixels for read in pool.decode([path] * 1_000)]
    assert len(os.listdir("/proc/self/fd")) < 200  # noqa: PTH208
    assert all(np.array_equal(pixels, kept[0]) for pixels in kept)


def test_arrays_outlive_the_pool(tmp_path):
    path = picture(tmp_path, "a.png", 5)
    with DecodePool(workers=1) as pool:
        read = next(pool.decode([path]))
    assert_array_equal(read.decoded.pixels, decoding.decode(path.read_bytes()).pixels)


def test_an_upload_needs_no_file(pool, tmp_path):
    data = picture(tmp_path, "a.png", 3).read_bytes()
    read = next(pool.decode([Upload("from a browser.png", data)]))
    assert read.sha256 == sha256_of(data)
    assert_array_equal(read.decoded.pixels, decoding.decode(data).pixels)
    assert next(pool.decode([Upload("a.png", b"")])).reason is QuarantineReason.EMPTY


def whole_files():
    samples = np.random.default_rng(2).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    picture = Image.fromarray(cv2.GaussianBlur(samples, (0, 0), 3))
    saved = {"JPEG": {}, "PNG": {}, "TIFF": {"compression": "tiff_lzw"}, "BMP": {}, "WebP": {}}
    for kind, options in saved.items():
        for turned in (picture, picture.convert("L"), picture.convert("CMYK" if kind in {"JPEG", "TIFF"} else "RGBA")):
            file = io.BytesIO()
            turned.save(file, kind, **options)
            yield file.getvalue()


WHOLE = tuple(whole_files())


@given(data=st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_anywhere_ends_in_pixels_or_in_a_sentence(pool, data):
    """Twenty damaged files at a time; in a child, for a library may well crash on one."""
    uploads = []
    for _ in range(20):
        ruined = bytearray(data.draw(st.sampled_from(WHOLE)))
        for _ in range(data.draw(st.integers(1, 6))):
            ruined[data.draw(st.integers(0, min(len(ruined), 600) - 1))] = data.draw(st.integers(0, 255))
        uploads.append(Upload("a.jpg", bytes(ruined)))
    for one in pool.decode(uploads):
        if isinstance(one, Unreadable):
            assert str(one).endswith(".")
        else:
            assert one.decoded.pixels.ndim == 3


def test_a_name_that_is_no_text_is_opened_all_the_same(pool, tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9 \xff.png")
    picture(tmp_path, path.name)
    assert isinstance(next(pool.decode([path])), Read)


def test_a_preview_is_made_in_the_child(pool, tmp_path):
    path = picture(tmp_path, "a.png", size=(300, 200))
    shown = cv2.imdecode(np.frombuffer(pool.preview(path, 90), np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (60, 90, 3)
    with pytest.raises(Unreadable, match="put it back"):
        pool.preview(tmp_path / "gone.png", 90)


def test_a_jpeg_with_a_glued_on_end_is_refused(pool):
    samples = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = cv2.imencode(".jpg", samples)[1].tobytes()
    refused, read = pool.decode([Upload("a.jpg", whole[: len(whole) // 2] + b"\xff\xd9"), Upload("b.jpg", whole)])
    assert refused.reason is QuarantineReason.TRUNCATED
    assert isinstance(read, Read)  # what was heard of one picture is not held against the next


@pytest.mark.parametrize("manner", ["hang", "spin", "deaf"])
def test_a_picture_that_takes_too_long_is_stopped_and_the_next_ones_go_on(hostile, tmp_path, manner, monkeypatch):
    monkeypatch.setattr("core.pictures.sandbox._GRACE_SECONDS", 0.5)
    names = ["first.png", f"{manner}.png", "second.png", "third.png"]
    paths = [picture(tmp_path, name, n) for n, name in enumerate(names)]
    with DecodePool(workers=1, seconds=1, look=hostile) as pool:
        first, slow, second, third = pool.decode(paths)
    assert slow.reason is QuarantineReason.TOO_SLOW
    assert "1 s" in str(slow)
    for read, path in ((first, paths[0]), (second, paths[2]), (third, paths[3])):
        assert_array_equal(read.decoded.pixels, decoding.decode(path.read_bytes()).pixels)


def test_a_picture_that_eats_memory_is_refused_and_the_machine_lives(hostile, tmp_path):
    paths = [picture(tmp_path, name) for name in ("eat.png", "good.png")]
    with DecodePool(workers=1, memory_bytes=256 * 2**20, look=hostile) as pool:
        eaten, good = pool.decode(paths)
        assert len(pool.pids) == 1
    assert eaten.reason is QuarantineReason.TOO_SLOW
    assert "memory" in str(eaten)
    assert isinstance(good, Read)


def test_a_picture_too_large_for_its_memory_is_refused_in_words(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(cv2.imencode(".png", np.zeros((5000, 5000, 3), np.uint8))[1].tobytes())
    small = picture(tmp_path, "small.png")
    with DecodePool(workers=1, memory_bytes=40 * 2**20) as pool:
        large, read = pool.decode([path, small])
    assert large.reason is QuarantineReason.TOO_SLOW
    assert "5000x5000" in str(large)
    assert isinstance(read, Read)


def test_a_picture_that_crashes_its_decoder_twice_is_undecodable(hostile, tmp_path):
    paths = [picture(tmp_path, name) for name in ("a.png", "crash.png", "b.png")]
    with DecodePool(workers=2, look=hostile) as pool:
        found = list(pool.decode(paths))
    assert found[1].reason is QuarantineReason.UNDECODABLE
    assert "SIGSEGV" in str(found[1])
    assert isinstance(found[0], Read)
    assert isinstance(found[2], Read)


def test_a_bug_in_the_child_is_printed_and_costs_one_picture(hostile, tmp_path, capfd):
    paths = [picture(tmp_path, name) for name in ("bug.png", "b.png")]
    with DecodePool(workers=1, look=hostile) as pool:
        bug, read = pool.decode(paths)
    assert bug.reason is QuarantineReason.UNDECODABLE
    assert isinstance(read, Read)
    assert "a bug of ours" in capfd.readouterr().err


def test_a_child_killed_from_outside_costs_no_picture(tmp_path):
    paths = [picture(tmp_path, f"{n}.png", n) for n in range(60)]
    with DecodePool(workers=2) as pool:
        found = pool.decode(paths)
        reads = [next(found)]
        for pid in pool.pids:
            os.kill(pid, signal.SIGKILL)
        reads += list(found)
        os.kill(pool.pids[0], signal.SIGKILL)  # idle this time
        reads.append(next(pool.decode(paths[:1])))
    assert [read.sha256 for read in reads] == [sha256_of(path.read_bytes()) for path in [*paths, paths[0]]]


def test_no_secret_of_the_parent_reaches_the_child(hostile, tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDPOINT_SECRET", "the store's password")
    with DecodePool(workers=1, look=hostile) as pool:
        (told,) = pool.decode([picture(tmp_path, "tell.png")])
    assert str(told) == "no secret."


def test_threads_share_a_pool(pool, tmp_path):
    paths = [picture(tmp_path, f"{n}.png", n) for n in range(40)]
    expected = [sha256_of(path.read_bytes()) for path in paths]
    found = {}

    def work(number):
        mine = paths[number:] + paths[:number]
        found[number] = [read.sha256 for read in pool.decode(mine)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: expected[n:] + expected[:n] for n in range(6)}


def test_a_pool_survives_the_thread_that_opened_it(tmp_path):
    opened = []
    thread = threading.Thread(target=lambda: opened.append(DecodePool(workers=1)))
    thread.start()
    thread.join()
    with opened[0] as pool:
        assert isinstance(next(pool.decode([picture(tmp_path, "a.png")])), Read)


def test_reading_may_stop_halfway(pool, tmp_path):
    paths = [picture(tmp_path, f"{n}.png", n) for n in range(40)]
    found = pool.decode(paths)
    next(found)
    found.close()
    assert len(list(pool.decode(paths))) == 40


def test_a_source_that_trickles_is_answered_as_it_comes(pool, tmp_path):
    path = picture(tmp_path, "a.png")
    list(pool.decode([path]))

    def trickle():
        for _ in range(3):
            yield path
            time.sleep(0.3)
            seen.append(len(found))

    seen, found = [], []
    for read in pool.decode(trickle()):
        found.append(read)  # noqa: PERF402 - counted meanwhile
    assert len(found) == 3
    assert seen[-1] >= 1  # the first were handed out before the source had ended


def test_a_closed_pool_says_so(tmp_path):
    with DecodePool(workers=1) as pool:
        pass
    with pytest.raises(HoldpointError, match="open a new one"):
        list(pool.decode([picture(tmp_path, "a.png")]))


def test_closing_ends_the_children(tmp_path):
    with DecodePool(workers=2) as pool:
        list(pool.decode([picture(tmp_path, "a.png")] * 9))
        pids = pool.pids
    assert gone_within(1, pids)


def test_closing_does_not_wait_for_a_picture_that_hangs(hostile, tmp_path):
    begun = time.monotonic()
    with DecodePool(workers=1, look=hostile) as pool:
        found = pool.decode([picture(tmp_path, "good.png"), picture(tmp_path, "hang.png")])
        next(found)
    assert time.monotonic() - begun < 10
    with pytest.raises(HoldpointError, match="closed"):
        next(found)


def test_children_do_not_outlive_a_killed_parent(hostile, tmp_path):
    """Even while a picture hangs in C, and even when nobody could say goodbye."""
    script = f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(tmp_path)!r})
        from core.pictures.sandbox import DecodePool
        pool = DecodePool(workers=2, look={hostile!r})
        next(pool.decode([Path({str(picture(tmp_path, "a.png"))!r})]))
        jobs = [pool._submit(Path({str(picture(tmp_path, "spin.png"))!r}), {{"task": "decode"}}) for _ in range(2)]
        time.sleep(0.3)
        print(*pool.pids, flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(alive, pids))
    finally:
        parent.kill()
        parent.communicate()
    assert gone_within(3, pids)


@pytest.mark.parametrize("how", ["script", "module", "text"])
def test_a_pool_works_however_its_parent_was_started_and_need_not_be_closed(tmp_path, how):
    code = f"""
        from pathlib import Path
        from core.pictures.sandbox import DecodePool
        print(next(DecodePool(workers=1).decode([Path({str(picture(tmp_path, "a.png"))!r})])).decoded.pixels.shape)
    """
    (tmp_path / "started.py").write_text(textwrap.dedent(code))
    command = {
        "script": [str(tmp_path / "started.py")],
        "module": ["-m", "started"],
        "text": ["-c", textwrap.dedent(code)],
    }[how]
    done = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "(32, 48, 3)"
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_child_that_cannot_start_is_an_error_and_no_wait_for_ever(tmp_path):
    with (
        DecodePool(workers=2, look="core.pictures.child:no_such_function") as pool,
        pytest.raises(HoldpointError, match="No decoder starts"),
    ):
        list(pool.decode([picture(tmp_path, "a.png")] * 3))


def test_nobody_waits_for_ever_when_no_process_can_be_made(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with DecodePool(workers=2) as pool, pytest.raises(HoldpointError, match=r"No decoder starts|closed"):
        list(pool.decode([picture(tmp_path, "a.png")] * 3))


def test_children_start_without_the_heavy_libraries():
    code = "import sys, core.pictures.child; print([m for m in ('torch', 'scipy', 'streamlit') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
