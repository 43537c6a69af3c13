"""Policies from the command line: as a named user, alone where it tightens, by two where it does not."""

import json
from typing import Any

import pytest

from app.cli import main
from core.roles import Actor
from data.store import Store

Capture = pytest.CaptureFixture[str]
LYON = ["--site", "lyon"]


def said(capsys: Capture, *arguments: str) -> Any:
    """What a command that succeeds prints as JSON."""
    assert main([*arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(capsys: Capture, *arguments: str) -> str:
    """The sentence of a command that fails."""
    assert main(list(arguments)) == 1
    return capsys.readouterr().err


def test_one_tightens_alone_as_a_named_user(line_ready: Store, capsys: Capture):
    tighten = ["thresholds", "tighten", *LYON, "--reason", "a crack slipped through", "--by", "ada"]
    made = said(capsys, *tighten, "--set", "pass_below=.2", "--set", "class.CRACK.pass_below=.05")
    assert (made["number"], made["kind"], made["approved_by"]) == (2, "tightening", "ada")
    assert made["classes"]["CRACK"]["pass_below"] == 0.05
    assert "only tighten" in refused(capsys, *tighten, "--set", "pass_below=.3")
    assert "no rule of a policy" in refused(capsys, *tighten, "--set", "pass_under=.1")
    assert line_ready.policies.in_force("lyon").number == 2


def test_a_command_without_a_name_is_asked_for_one(line_ready: Store, capsys: Capture):
    assert main(["thresholds", "tighten", *LYON, "--reason", "r", "--set", "pass_below=.2"]) == 2
    assert main(["thresholds", "rollback", "1", *LYON, "--reason", "r"]) == 2
    assert main(["sites", "resume", "lyon", "--reason", "r"]) == 2
    assert "has no account" in refused(capsys, "thresholds", "rollback", "1", *LYON, "--reason", "r", "--by", "nobody")


def test_a_proposal_starts_from_what_is_in_force(line_ready: Store, capsys: Capture):
    by_ada = ["--reason", "r", "--by", "ada"]
    said(capsys, "thresholds", "tighten", *LYON, "--set", "class.CRACK.report_above=.4", *by_ada)
    loose = ["--pass-below", ".9995", "--fail-above", "1", *by_ada]
    made = said(capsys, "thresholds", "propose", *LYON, *loose, "--set", "hours=Mon-Fri 06:00-22:00")
    assert (made["number"], made["approved_by"], made["classes"]["CRACK"]["report_above"]) == (3, None, 0.4)
    assert made["attendance"]["hours"][0]["start"] == 360


def test_a_rollback_is_proposed_by_one_and_approved_by_another(line_ready: Store, capsys: Capture):
    said(capsys, "thresholds", "tighten", *LYON, "--set", "pass_below=.2", "--reason", "r", "--by", "ada")
    back = said(capsys, "thresholds", "rollback", "1", *LYON, "--reason", "a drawing error", "--by", "ada")
    assert (back["number"], back["rolls_back_to"], back["pass_below"], back["approved_by"]) == (3, 1, 0.999, None)
    approve = ["thresholds", "approve", "3", *LYON, "--reason", "checked", "--by"]
    assert "somebody else" in refused(capsys, *approve, "ada")
    assert said(capsys, *approve, "grace")["approved_by"] == "grace"
    assert said(capsys, "thresholds", "show", *LYON)["in_force"]["number"] == 3


def test_whoever_was_second_is_told(line_ready: Store, capsys: Capture):
    seen = str(said(capsys, "thresholds", "show", *LYON)["version"])
    tighten = ["thresholds", "tighten", *LYON, "--reason", "r", "--seen", seen]
    said(capsys, *tighten, "--set", "pass_below=.2", "--by", "ada")
    assert "Policy 2 was approved by ada since you began" in refused(
        capsys, *tighten, "--set", "fail_above=.9", "--by", "grace"
    )


def test_a_line_has_a_policy_of_its_own(line_ready: Store, capsys: Capture):
    line_ready.sites.add_name("lyon", "line", "A")
    said(
        capsys, "thresholds", "tighten", *LYON, "--line", "A", "--set", "pass_below=.1", "--reason", "r", "--by", "ada"
    )
    shown = said(capsys, "thresholds", "show", *LYON)
    assert ([one["scope"] for one in shown["narrower"]], shown["in_force"]["number"]) == (["line A"], 1)


def test_auto_pass_is_resumed_by_two(line_ready: Store, capsys: Capture):
    assert main(["sites", "pause", "lyon", "--reason", "lamp flickers"]) == 0
    assert main(["sites", "resume", "lyon", "--reason", "a new lamp", "--by", "ada"]) == 0
    capsys.readouterr()
    [waits] = said(capsys, "thresholds", "requests", *LYON)
    assert (waits["by"], waits["wish"]) == ("ada", "resume auto-PASS")
    agree = ["thresholds", "agree", str(waits["number"]), "--reason", "seen", "--by"]
    assert "somebody else" in refused(capsys, *agree, "ada")
    assert line_ready.sites.get("lyon").paused == "lamp flickers"
    assert said(capsys, *agree, "grace")["approved_by"] == "grace"
    assert line_ready.sites.get("lyon").paused is None


def test_a_calibration_is_confirmed_by_two_on_counts(line_ready: Store, capsys: Capture):
    line_ready.acting_as(Actor("ada")).sites.set_calibrated("lyon", False, "camera moved")
    until = f"{line_ready.database.clock().year + 1}-01-01"
    ask = ["thresholds", "calibrate", *LYON, "--reason", "r", "--by", "ada", "--until", until]
    assert "no labelled picture" in refused(capsys, *ask)
    assert "need --source" in refused(capsys, *ask, "--counts", "118,9,6,127")
    made = said(capsys, *ask, "--counts", "6053,2,8618,1", "--source", "a supplier's report")
    assert "no better than flagging everything" in made["content"]["caveats"][0]
    assert main(["thresholds", "agree", str(made["number"]), "--reason", "seen", "--by", "grace"]) == 0
    assert line_ready.sites.get("lyon").calibrated
