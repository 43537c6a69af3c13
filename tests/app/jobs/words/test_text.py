"""Text models by command: make, train, evaluate, ask."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.jobs.words.shipped import disturbed, examine, make_text
from data.words.study import DOMAINS, by_hand

SMALL = {
    "encoder": {"words": 16, "characters": 8, "spelling": 8, "width": 32, "blocks": 1, "heads": 2},
    "training": {"epochs": 1, "batch": 16, "rate": 0.01, "average": 0.9},
}


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """What a command prints as JSON; it ends as it should."""

    def run(*arguments: str) -> Any:
        assert main([*arguments, "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The sentence of a command that fails."""

    def run(*arguments: str) -> str:
        assert main(list(arguments)) == 1
        return capsys.readouterr().err

    return run


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def drawn(at_home: Path) -> Path:
    """Text of both domains, and a config small enough for a test."""
    folder = at_home / "words"
    make_text(folder, seed=1, train=160, dev=30)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **SMALL}))
    return folder


def test_from_drawn_text_to_a_model_that_answers(drawn: Path, document: Callable[..., Any]):
    done = document("text", "train", str(drawn), "--config", str(drawn / "config.json"), "--name", "small")
    assert done["model"] == "small"
    assert set(done["test"]) == set(DOMAINS)
    found = document("text", "evaluate", str(drawn / "notes"), "--model", "small", "--domain", "notes")
    assert {"intent_accuracy", "slot_f1", "sentence_accuracy", "intent_interval", "slots"} <= set(found)
    assert found["sentences"] == len(by_hand("notes"))
    said = document("text", "ask", "show me burrs from line D", "", "--model", "small", "--domain", "notes")
    assert [one["domain"] for one in said] == ["notes", "notes"]
    assert said[1]["out_of_scope"]
    measured = examine(Path(done["folder"]))
    assert measured["complaints"]["as heard"]["sentences"] == len(by_hand("complaints"))


def test_two_models_are_compared_on_the_same_sentences(drawn: Path, document: Callable[..., Any]):
    config, notes = str(drawn / "config.json"), str(drawn / "notes")
    document("text", "train", str(drawn), "--config", config, "--name", "long", "--epochs", "8")
    document("text", "train", str(drawn), "--config", config, "--name", "short", "--epochs", "1")
    asked = ("--with", "long", "--domain", "notes")
    done = document("text", "compare", notes, "--model", "short", *asked)
    found = [document("text", "evaluate", notes, "--model", one, "--domain", "notes") for one in ("short", "long")]
    assert done["sentences"] == found[0]["sentences"]
    gained = (found[1]["sentence_accuracy"] - found[0]["sentence_accuracy"]) * done["sentences"]
    assert done["only_second"] - done["only_first"] == round(gained)
    same = document("text", "compare", notes, "--model", "long", *asked)
    assert (same["only_first"], same["only_second"], same["better"], same["p_value"]) == (0, 0, None, 1.0)


def test_a_domain_is_added_by_configuration(drawn: Path, document: Callable[..., Any], refused: Callable[..., str]):
    config = json.loads((drawn / "config.json").read_text())
    for name, domains in (("notes", config["domains"][1:]), ("both", config["domains"])):
        (drawn / f"{name}.json").write_text(json.dumps({**config, "domains": domains}))
    document("text", "train", str(drawn), "--config", str(drawn / "notes.json"), "--name", "first")
    asked = ("text", "extend", str(drawn), "--model", "first", "--name", "second")
    done = document(*asked, "--config", str(drawn / "both.json"))
    assert done["domain"] == "complaints"
    assert set(done["test"]) == set(DOMAINS)
    assert "name those and one more" in refused(*asked[:-1], "third", "--config", str(drawn / "notes.json"))


def test_the_same_name_is_never_trained_twice(drawn: Path, document: Callable[..., Any], refused: Callable[..., str]):
    asked = ("text", "train", str(drawn / "notes"), "--name", "one", "--epochs", "1")
    config = drawn / "small.json"
    config.write_text(json.dumps(SMALL))
    document(*asked, "--config", str(config))
    assert "already" in refused(*asked, "--config", str(config))


def test_what_cannot_be_done_is_said_in_a_sentence(drawn: Path, refused: Callable[..., str]):
    assert "no folder" in refused("text", "train", str(drawn / "nowhere"))
    assert "no text model" in refused("text", "evaluate", str(drawn / "notes"), "--model", "none")
    assert "cannot be called" in refused("text", "train", str(drawn / "notes"), "--name", "../up")
    assert "already" in refused("text", "make", str(drawn))


def test_make_draws_both_domains_with_their_card(at_home: Path, document: Callable[..., Any]):
    cards = document("text", "make", str(at_home / "new"), "--sentences", "40", "--seed", "2")
    assert set(cards) == set(DOMAINS)
    assert (at_home / "new" / "complaints" / "test.jsonl").exists()
    assert json.loads((at_home / "new" / "card.json").read_text())["notes"]["seed"] == 2


def test_heard_sentences_keep_their_slots_where_the_words_went():
    for domain in DOMAINS:
        for written, heard in zip(by_hand(domain), disturbed(by_hand(domain)), strict=True):
            assert [s.label for s in heard.spans] == [s.label for s in written.spans]
            assert heard.text == heard.text.lower()
