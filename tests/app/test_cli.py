import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from app.cli import cli, main
from app.settings import CHECKOUT, Settings
from data.store import Store

Draw = Callable[..., list[Path]]
Capture = pytest.CaptureFixture[str]
COMMAND = [sys.executable, "-m", "app.cli"]


def every_command() -> Iterator[tuple[str, ...]]:
    def walk(command: Any, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield names
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*names, name))

    yield from walk(typer.main.get_command(cli), ())


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"}
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, env=environment, check=False)


def printed(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("names", list(every_command()), ids=lambda names: " ".join(names) or "holdpoint")
def test_every_command_explains_itself(names: tuple[str, ...], capsys: Capture):
    assert main([*names, "--help"]) == 0
    assert "Usage: holdpoint" in capsys.readouterr().out


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from app.cli import main; main(['--help']); "
        "print(sorted({'torch', 'sqlalchemy', 'streamlit', 'openvino', 'cv2', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["nonsense"], 2, "nonsense"),
        (["ingest", "--site", "lyon"], 2, "SRC"),
        (["ingest", "x.png"], 2, "--site"),
        (["ingest", "nothing.png", "--site", "lyon"], 1, "nothing.png"),
        (["ingest", "nothing.png", "--site", "paris"], 1, "paris"),
        (["models", "show", "nothing"], 1, "nothing"),
        (["dataset", "show", "nothing"], 1, "nothing"),
        (["score", "x.png", "--model", "nothing"], 1, "nothing"),
        (["thresholds", "show", "--site", "paris"], 1, "paris"),
        (["export", "out", "--format", "coco", "--as-of", "soon"], 1, "soon"),
        (["export", "out", "--format", "coco", "--only", "all"], 1, "corrected"),
        (["users", "add", "ada", "--role", "king"], 1, "king"),
        (["watch", "nowhere", "--site", "lyon"], 1, "nowhere"),
        (["dataset", "build", "d", "--filter", "lyon"], 1, "key=value"),
    ],
)
def test_a_failing_command_prints_exactly_one_sentence(
    held: Store, capsys: Capture, arguments: list[str], status: int, word: str
):
    assert main(arguments) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert word in err


def test_a_setting_that_cannot_be_used_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: Capture):
    monkeypatch.setenv("HOLDPOINT_DEVICE", "abacus")
    assert main(["sites", "list"]) == 1
    assert "HOLDPOINT_DEVICE" in capsys.readouterr().err


def test_ingest_from_a_real_shell_prints_one_document_and_speaks_on_standard_error(
    line_ready: Store, current: Settings, pictures: Draw
):
    folder = pictures("a.png", "b.png")[0].parent
    done = run("ingest", str(folder), "--site", "lyon", "--camera", "cam 3", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report.keys() == {"images", "known", "quarantined", "decisions", "files"}
    assert (report["images"], report["decisions"]) == (2, {"PASS": 2, "HOLD": 0, "FAIL": 0})
    assert report["files"][0].keys() == {"file", "outcome", "reason", "decision"}
    assert "Ingest at lyon" in done.stderr


def test_a_failure_in_a_real_shell_is_one_sentence_and_a_status(held: Store, current: Settings):
    done = run("ingest", "nothing.png", "--site", "lyon", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


def test_score_prints_answers_and_draws_overlays(
    current: Settings, pictures: Draw, model_folder: Path, tmp_path: Path, capsys: Capture
):
    (file,) = pictures("a.png")
    overlays = tmp_path / "overlays"
    assert main(["score", str(file), "--model", str(model_folder), "--overlays", str(overlays), "--json"]) == 0
    (answer,) = printed(capsys)
    assert {"decision", "tiles", "heatmap_ms", "coordinates"} <= answer.keys()
    assert (overlays / "a.png").is_file()


def test_watch_once_files_what_is_there(line_ready: Store, pictures: Draw, capsys: Capture):
    folder = pictures("a.png")[0].parent
    assert main(["watch", str(folder), "--site", "lyon", "--once", "--json"]) == 0
    assert printed(capsys)["images"] == 1


def test_a_policy_is_proposed_by_one_and_approved_by_another(line_ready: Store, capsys: Capture):
    proposal = ["thresholds", "propose", "--site", "lyon", "--pass-below", ".2", "--fail-above", ".8", "--reason", "r"]
    assert main([*proposal, "--by", "ada", "--json"]) == 0
    assert printed(capsys)["number"] == 2
    approval = ["thresholds", "approve", "2", "--site", "lyon", "--reason", "412 parts, no miss"]
    assert main([*approval, "--by", "ada"]) == 1
    assert "somebody else" in capsys.readouterr().err
    assert main([*approval, "--by", "grace", "--json"]) == 0
    assert printed(capsys)["approved_by"] == "grace"
    assert main([*approval, "--by", "grace"]) == 1
    capsys.readouterr()
    assert main(["thresholds", "show", "--site", "lyon", "--json"]) == 0
    shown = printed(capsys)
    assert (shown["in_force"]["number"], len(shown["history"])) == (2, 2)


def test_accounts_take_their_password_from_standard_input(
    held: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["users", "add", "ines", "--role", "inspector", "--site", "lyon"]) == 1
    assert "15" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("seven green tractors\n"))
    assert main(["users", "add", "ines", "--role", "inspector", "--site", "lyon"]) == 0
    assert held.people.sign_in("ines", "seven green tractors")
    monkeypatch.setattr("sys.stdin", io.StringIO("eight green tractors\n"))
    assert main(["users", "password", "ines"]) == 0
    assert held.people.sign_in("ines", "eight green tractors")
    assert main(["users", "disable", "ines"]) == 0
    capsys.readouterr()
    assert main(["users", "list", "--json"]) == 0
    (ines,) = printed(capsys)
    assert ines == {
        "name": "ines",
        "role": "inspector",
        "sites": ["lyon"],
        "disabled": True,
        "locked": False,
        "oidc": None,
    }


def test_a_taxonomy_goes_out_and_comes_back(held: Store, tmp_path: Path, capsys: Capture):
    file = tmp_path / "taxonomy.json"
    assert main(["taxonomy", "export", str(file), "--site", "lyon"]) == 0
    assert main(["taxonomy", "import", str(file), "--site", "lyon", "--note", "again", "--json"]) == 0
    assert printed(capsys)["number"] == 2


def test_a_damaged_taxonomy_is_one_sentence(held: Store, tmp_path: Path, capsys: Capture):
    file = tmp_path / "taxonomy.json"
    file.write_text("{")
    assert main(["taxonomy", "import", str(file), "--site", "lyon"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_sites_and_part_types_are_set_from_the_command_line(held: Store, capsys: Capture):
    assert main(["sites", "add", "turin", "--taxonomy", "fulfilment", "--timezone", "Europe/Rome"]) == 0
    assert main(["sites", "pause", "turin", "--reason", "camera moved"]) == 0
    capsys.readouterr()
    assert main(["sites", "list", "--json"]) == 0
    assert [(one["site"], one["paused"]) for one in printed(capsys)] == [("lyon", None), ("turin", "camera moved")]
    assert main(["sites", "part-type", "box", "--site", "turin"]) == 1
    assert main(["sites", "part-type", "box", "--site", "turin", "--views", "top,side", "--time-out", "20"]) == 0
    assert held.part_types.get("turin", "box").views == ("top", "side")
    assert main(["sites", "part-type", "box", "--site", "turin", "--exposures"]) == 0
    assert held.part_types.get("turin", "box").exposures is True
    assert held.part_types.get("turin", "box").views == ("top", "side")


def test_models_are_listed_shown_and_put_in_use(held: Store, current: Settings, model_folder: Path, capsys: Capture):
    assert main(["models", "add", str(model_folder)]) == 0
    assert main(["models", "use", "tiny", "--site", "lyon", "--reason", "first"]) == 0
    capsys.readouterr()
    assert main(["models", "list", "--json"]) == 0
    (listed,) = printed(capsys)
    assert (listed["name"], listed["used_at"]) == ("tiny", ["lyon"])
    assert main(["models", "show", "tiny", "--json"]) == 0
    assert printed(capsys)["classes"] == ["BURR", "CRACK"]
    assert held.sites.get("lyon").calibrated is False


def test_quarantine_is_listed_and_restored(
    line_ready: Store, pictures: Draw, capsys: Capture, monkeypatch: pytest.MonkeyPatch
):
    (file,) = pictures("a.png")
    monkeypatch.setenv("HOLDPOINT_PICTURE_PIXELS", "100")
    assert main(["ingest", str(file), "--site", "lyon"]) == 0
    capsys.readouterr()
    assert main(["quarantine", "list", "--site", "lyon", "--json"]) == 0
    listed = printed(capsys)
    assert listed["quarantined"] == {"too large": 1}
    monkeypatch.delenv("HOLDPOINT_PICTURE_PIXELS")
    assert main(["quarantine", "restore", str(listed["images"][0]["image"]), "--json"]) == 0
    assert printed(capsys)[0]["state"] == "ok"


def test_doctor_finds_a_healthy_plant_healthy_and_a_damaged_model_damaged(
    line_ready: Store, current: Settings, capsys: Capture
):
    assert main(["doctor", "--json"]) == 0
    checks = {one["what"]: one for one in printed(capsys)["checks"]}
    assert {"Python", "packages", "cv2", "disk", "store", "decoders", "back end", "model", "worker"} <= checks.keys()
    assert "journal mode wal" in checks["store"]["found"]
    assert "synchronous 2" in checks["store"]["found"]
    assert "OpenVINO" in checks["back end"]["found"]
    weights = current.models / "tiny" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert main(["doctor"]) == 1
    assert "tiny at lyon" in capsys.readouterr().err


def test_progress_off_a_terminal_is_a_few_plain_lines(capsys: Capture, monkeypatch: pytest.MonkeyPatch):
    from app.cli.output import progress

    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with progress("Work") as say:
        for done in range(101):
            now[0] += 0.1
            say(done, 100, "")
    lines = capsys.readouterr().err.splitlines()
    assert 4 <= len(lines) <= 8
    assert lines[-1] == "Work: 100/100"
