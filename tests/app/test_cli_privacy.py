"""`holdpoint privacy`: from the command line to a covered picture and an encrypted plant."""

import json

import cv2
import numpy as np
import pytest

from app.cli import main
from core import vault
from core.pictures.covering import FILL
from data.store import open_store
from tests.small_plant import SITE, make_plant


@pytest.fixture
def home(tmp_path, monkeypatch):
    made = make_plant(tmp_path / "home", parts=1)
    monkeypatch.setenv("HOLDPOINT_HOME", str(made.home))
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    monkeypatch.delenv("HOLDPOINT_KEY_FILE", raising=False)
    yield made
    vault.use(None)


def said(capsys, *arguments, status=0):
    capsys.readouterr()
    assert main(["privacy", *arguments]) == status
    return capsys.readouterr()


def document(capsys, *arguments):
    return json.loads(said(capsys, *arguments, "--json").out)


def test_a_site_is_set_and_its_standing_shown(home, capsys):
    assert document(capsys, "set", "always", "--site", SITE, "--reason", "visitors")["number"] == 1
    told = document(capsys, "status")
    lyon = next(one for one in told["sites"] if one["site"] == SITE)
    assert (lyon["mode"], lyon["waiting"] > 0, told["encryption"]["key"]) == ("always", True, None)
    assert "choose always, labels, never" in said(capsys, "set", "now", "--site", SITE, "--reason", "x", status=1).err


def test_a_text_gets_placeholders(home, capsys, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("Ms Lindqvist called, 020 7946 0958")
    told = document(capsys, "text", str(note), "--region", "gb")
    assert told["text"] == "Ms [NAME] called, [PHONE]"
    assert told["counts"] == {"name": 1, "phone": 1}


def test_copies_of_files_are_covered_and_the_files_stay(home, capsys, tmp_path):
    from skimage.data import astronaut

    picture = tmp_path / "visitor.png"
    cv2.imwrite(str(picture), cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))
    before = picture.read_bytes()
    (told,) = document(capsys, "cover", str(picture), "--into", str(tmp_path / "out"))
    assert told["covers"]["face"] >= 1
    assert picture.read_bytes() == before
    made = cv2.imread(str(tmp_path / "out" / "visitor.png"), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(made[115, 225], FILL)
    assert "give another folder" in said(capsys, "cover", str(picture), "--into", str(tmp_path), status=1).err


def test_a_key_is_made_outside_and_everything_is_sealed_with_it(home, capsys, tmp_path, monkeypatch):
    assert "holdpoint privacy key FILE" in said(capsys, "rotate", status=1).err
    inside = said(capsys, "key", str(home.home / "vault.key"), status=1).err
    assert "keep the key elsewhere" in inside
    made = document(capsys, "key", str(tmp_path / "keys" / "plant.key"))
    monkeypatch.setenv("HOLDPOINT_KEY_FILE", made["file"])
    done = document(capsys, "rotate")
    assert (done["key"], done["pictures"] > 0, done["retired"]) == (made["key"], True, [])
    assert document(capsys, "rotate")["pictures"] == 0
    assert all(path.read_bytes().startswith(vault.MAGIC) for path in (home.home / "pictures").glob("part*.png"))
    told = document(capsys, "status")["encryption"]
    assert told["sealed_with_it"] == told["sealed"] == told["ours"]
    monkeypatch.delenv("HOLDPOINT_KEY_FILE")
    assert made["key"] in said(capsys, "status", status=1).err


def test_pictures_that_wait_are_looked_at(home, capsys):
    store = open_store(home.url)
    waiting = store.images.count(SITE)
    store.close()
    said(capsys, "set", "always", "--site", SITE, "--reason", "visitors")
    told = document(capsys, "find", "--site", SITE)
    assert told["images"] == waiting
    assert document(capsys, "find", "--site", SITE)["images"] == 0
