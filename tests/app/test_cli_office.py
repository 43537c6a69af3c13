"""Commands of whoever runs the plant, as they are typed."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.cli import main
from app.settings import Settings
from data.store import open_store
from data.store.engine.unlocked import unlocked

PASSWORD = "nine quiet looms at noon"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """One JSON document of a command that worked."""
    capsys.readouterr()
    status = main([*arguments, "--json"])
    out = capsys.readouterr()
    assert status == 0, out.err
    return json.loads(out.out)


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 1
    return capsys.readouterr().err


def password(monkeypatch: pytest.MonkeyPatch, text: str = PASSWORD) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{text}\n"))


def test_accounts_are_made_changed_and_closed(current: Settings, capsys, monkeypatch):
    assert main(["sites", "add", "lyon"]) == 0
    password(monkeypatch)
    assert main(["users", "add", "ada", "--role", "viewer", "--site", "lyon"]) == 0
    assert main(["users", "add", "ben", "--role", "qa_lead", "--oidc", "Ben@Plant.example", "--no-password"]) == 0
    assert main(["users", "role", "ada", "inspector"]) == 0
    assert main(["users", "sites", "ada", "--all"]) == 0
    assert main(["users", "disable", "ben"]) == 0
    ada, ben = said(capsys, "users", "list")
    assert ada == {"name": "ada", "role": "inspector", "sites": None, "disabled": False, "locked": False, "oidc": None}
    assert (ben["oidc"], ben["disabled"]) == ("ben@plant.example", True)
    assert "say --yes" in failed(capsys, "users", "leave", "ben")
    assert main(["users", "leave", "ben", "--yes"]) == 0
    assert {one["name"] for one in said(capsys, "users", "list")} == {"ada", "leaver 2"}


def test_a_locked_name_is_shown_and_unlocked(current: Settings, capsys, monkeypatch):
    from core.errors import NotAllowed

    password(monkeypatch)
    assert main(["users", "add", "ada", "--role", "inspector"]) == 0
    store = open_store(current.database_url)
    for _ in range(5):
        with pytest.raises(NotAllowed):
            store.people.sign_in("ada", "wrong")
    assert said(capsys, "users", "list")[0]["locked"] is True
    assert main(["users", "unlock", "ada"]) == 0
    assert store.people.sign_in("ada", PASSWORD)
    store.close()


@pytest.mark.parametrize("name", ["worker", "Command Line", "leaver 3", "sign-in page"])
def test_nobody_is_called_like_a_process_or_a_leaver(current: Settings, capsys, monkeypatch, name):
    password(monkeypatch)
    assert "audit trail" in failed(capsys, "users", "add", name, "--role", "inspector")


def test_the_trail_is_shown_with_its_filters(current: Settings, capsys):
    for name in ("lyon", "turin"):
        assert main(["sites", "add", name]) == 0
    assert main(["sites", "pause", "turin", "--reason", "lamp"]) == 0
    everything = said(capsys, "audit", "show")
    assert all(one["seal"] for one in everything)  # each command seals what it did before it ends
    assert [one["site"] for one in said(capsys, "audit", "show", "--site", "lyon")] == ["lyon"]
    (paused,) = said(capsys, "audit", "show", "--action", "auto-PASS paused", "--by", "command line")
    assert (paused["reason"], paused["new"]) == ("lamp", {"paused": "lamp"})
    assert said(capsys, "audit", "show", "--until", paused["at"], "--limit", "1")[0]["id"] == paused["id"] - 1
    assert said(capsys, "audit", "show", "--before", str(paused["id"]))[0]["id"] == paused["id"] - 1
    assert "no time" in failed(capsys, "audit", "show", "--since", "soon")


def test_verify_says_which_event_was_meddled_with_and_fails(current: Settings, capsys, tmp_path):
    for name in ("lyon", "turin", "bern"):
        assert main(["sites", "add", name]) == 0
    head = tmp_path / "head.json"
    assert main(["audit", "head", str(head)]) == 0
    assert said(capsys, "audit", "verify", "--head", str(head))["ok"] is True
    store = open_store(current.database_url)
    with store.database.transaction() as connection, unlocked(connection, "audit_events"):
        connection.execute(sa.text("UPDATE audit_events SET reason = 'never mind' WHERE id = 2"))
        connection.execute(
            sa.text("INSERT INTO audit_events (at, \"by\", action, subject, reason) "
                    "SELECT at, \"by\", action, subject, reason FROM audit_events WHERE id = 3")
        )  # fmt: skip
    store.close()
    assert "Event 2 was edited" in failed(capsys, "audit", "verify")
    capsys.readouterr()
    assert main(["audit", "verify", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["event"]) for one in found["problems"]] == [("edited", 2), ("inserted", 4)]


def test_a_cut_off_end_is_found_with_a_head_that_was_carried_away(current: Settings, capsys, tmp_path):
    for name in ("lyon", "turin", "bern"):
        assert main(["sites", "add", name]) == 0
    head = tmp_path / "head.json"
    assert main(["audit", "head", str(head)]) == 0
    store = open_store(current.database_url)
    with store.database.transaction() as connection, unlocked(connection, "audit_events", "audit_seals"):
        connection.execute(sa.text("DELETE FROM audit_events WHERE id > 1"))
        connection.execute(sa.text("DELETE FROM audit_seals WHERE number > 1"))
    store.close()
    for kept in (current.home / "audit").iterdir():  # whoever did it could write here, too
        kept.unlink()
    assert said(capsys, "audit", "verify")["ok"] is True
    assert "cut" in failed(capsys, "audit", "verify", "--head", str(head))


def test_a_backup_is_made_and_restored_by_command(current: Settings, capsys, monkeypatch, tmp_path):
    assert main(["sites", "add", "lyon", "--taxonomy", "machined"]) == 0
    made = said(capsys, "backup", str(tmp_path / "kept"))
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path / "new"))
    done = said(capsys, "restore", made["folder"])
    assert done["audit"]["ok"] is True
    assert [one["site"] for one in said(capsys, "sites", "list")] == ["lyon"]
    assert said(capsys, "audit", "verify")["ok"] is True
    assert "no backup" in failed(capsys, "restore", str(tmp_path))


def test_a_restore_over_a_plant_is_refused(current: Settings, capsys, tmp_path):
    assert main(["sites", "add", "lyon"]) == 0
    made = said(capsys, "backup", str(tmp_path / "kept"))
    assert "empty" in failed(capsys, "restore", made["folder"])
    assert [one["site"] for one in said(capsys, "sites", "list")] == ["lyon"]


def test_retention_is_set_rehearsed_and_run(current: Settings, capsys):
    kept = ("originals", "previews", "audit", "readings", "notes")
    assert said(capsys, "retention", "show") == dict.fromkeys(kept)
    assert main(["retention", "set", "previews", "30"]) == 0
    assert said(capsys, "retention", "show")["previews"] == 30
    assert said(capsys, "retention", "run", "--dry-run") == {
        "dry_run": True,
        "previews": {"days": 30, "deleted": 0, "bytes": 0},
    }
    assert main(["retention", "set", "previews", "ever"]) == 0
    assert said(capsys, "retention", "run") == {"dry_run": False}
    assert "365" in failed(capsys, "retention", "set", "audit", "7")
    assert "no class" in failed(capsys, "retention", "set", "labels", "7")


def test_cameras_and_lines_are_announced(current: Settings, capsys):
    assert main(["sites", "add", "lyon", "--timezone", "Europe/Paris"]) == 0
    found = said(capsys, "sites", "names", "lyon", "--add", "camera=cam 1", "--add", "camera=cam 2", "--add", "line=B")
    assert [(one["kind"], one["name"]) for one in found] == [("camera", "cam 1"), ("camera", "cam 2"), ("line", "B")]
    assert "already" in failed(capsys, "sites", "names", "lyon", "--add", "line=B")
    assert "neither" in failed(capsys, "sites", "names", "lyon", "--add", "robot=B")
    assert main(["sites", "rename", "lyon", "camera", "cam 2", "cam 7"]) == 0
    assert [one["name"] for one in said(capsys, "sites", "names", "lyon")] == ["cam 1", "cam 7", "B"]
    assert "no camera 'cam 2'" in failed(capsys, "sites", "rename", "lyon", "camera", "cam 2", "cam 8")
    assert "already" in failed(capsys, "sites", "rename", "lyon", "camera", "cam 1", "cam 7")
    assert main(["sites", "first-look", "lyon", "--own", "--reason", "audits begin"]) == 0
    assert open_store(current.database_url).sites.get("lyon").blind
    assert main(["sites", "first-look", "lyon", "--shared"]) == 0
    assert not open_store(current.database_url).sites.get("lyon").blind
    assert main(["sites", "timezone", "lyon", "Europe/Rome"]) == 0
    assert main(["sites", "ids", "lyon", "--required"]) == 0
    assert said(capsys, "sites", "list")[0]["timezone"] == "Europe/Rome"


def test_a_key_that_is_lost_is_a_sentence_and_not_a_new_key(current: Settings, capsys):
    assert main(["sites", "add", "lyon"]) == 0
    key = Path(current.secrets / "audit-key")
    key.rename(key.with_name("moved"))
    assert "put the plant's own key there" in failed(capsys, "sites", "list")
    assert not key.exists()
