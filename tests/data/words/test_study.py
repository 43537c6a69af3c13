"""Text from templates, the hand-written part, and folders of sentences."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput, NotFound
from core.words.text import Sentence, Span
from data.words.corpus import cut_in_three, read_folder, write_lines
from data.words.grammar import choose, fill, grammar
from data.words.study import DOMAINS, Domain, by_hand, card, draw


def test_a_template_becomes_a_sentence_with_its_slots():
    lexicon = {"thing": ["mug"], "deadline": ["by noon"]}
    text, spans = fill("(the|the) {thing} ( |) , {time:deadline} {:thing}!", lexicon, np.random.default_rng(0))
    assert text == "the mug, by noon mug!"
    assert spans == (Span(4, 7, "thing"), Span(9, 16, "time"))


def test_some_products_and_people_are_words_that_there_are_not():
    chance = np.random.default_rng(0)
    said = {fill("{product}", {"product": ["mug"]}, chance)[0] for _ in range(60)}
    assert "mug" in said
    assert len(said) > 10


@pytest.mark.parametrize("template", ["(a|b", "a|b)", "a|b"])
def test_a_bracket_without_a_partner_is_refused(template: str):
    with pytest.raises(BadInput):
        choose(template, np.random.default_rng(0))


def test_every_template_of_both_domains_can_be_filled():
    chance = np.random.default_rng(1)
    for domain in DOMAINS:
        held = grammar(domain)
        clauses = [t for many in held.clauses.values() for t in many]
        for template in [*clauses, *held.out_of_scope, *held.openers, *held.closers]:
            settled = template
            for macro, choices in held.macros.items():
                settled = settled.replace(macro, choices)
            for _ in range(5):
                text, spans = fill(settled, held.words, chance)
                assert not set(text) & set("{}()|<>")
                Sentence("x", text, (), spans)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_same_seed_draws_the_same_text_and_another_other_text(domain: Domain):
    assert draw(domain, 60, 20, 4) == draw(domain, 60, 20, 4)
    assert draw(domain, 60, 20, 4).train != draw(domain, 60, 20, 5).train


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_intent_and_slot_of_the_hand_written_part_can_be_learned(domain: Domain):
    study = draw(domain, 1500, 100, 0)
    intents = {i for s in study.train for i in s.intents}
    labels = {p.label for s in study.train for p in s.spans}
    assert {i for s in study.test for i in s.intents} == intents
    assert {p.label for s in study.test for p in s.spans} <= labels
    assert len(study.test) >= 60


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_part_holds_a_sentence_of_another(domain: Domain):
    study = draw(domain, 1500, 200, 0)
    train, dev, test = ({s.text.lower().strip(".!? ") for s in part} for part in (study.train, study.dev, study.test))
    assert not train & test
    assert not dev & test
    assert len(train & dev) < len(dev) / 10  # openers and closers may make the same sentence of short templates


def test_the_card_says_what_was_drawn_and_what_it_cannot_show():
    study = draw("notes", 80, 20, 3)
    found = card(study)
    assert found["parts"]["train"]["sentences"] == 80
    assert sum(found["parts"]["train"]["intents"].values()) == 80
    assert found["seed"] == 3
    assert found["limits"]
    json.dumps(found)


def test_hand_written_slots_are_words_of_their_sentence():
    for domain in DOMAINS:
        for sentence in by_hand(domain):
            assert all(sentence.text[p.start : p.end].strip() for p in sentence.spans)


def test_lines_written_are_read_back(tmp_path: Path):
    told = [
        Sentence(str(i), f"the mug {i} is torn", ("damaged", "late")[: 1 + i % 2], (Span(4, 7, "product"),))
        for i in range(9)
    ]
    for part in ("train", "dev", "test"):
        write_lines(tmp_path / f"{part}.jsonl", told)
    found = read_folder(tmp_path)
    assert found.parts["dev"] == tuple(told)
    assert (found.cut, found.cut_here) == ("words", False)


def test_a_single_file_is_cut_in_three_by_its_own_sentences(tmp_path: Path):
    told = [Sentence(f"{intent}{i}", f"{intent} number {i}", (intent,)) for intent in "ab" for i in range(20)]
    write_lines(tmp_path / "all.jsonl", told)
    found = read_folder(tmp_path)
    assert found.cut_here
    assert [len(found.parts[p]) for p in ("train", "dev", "test")] == [28, 6, 6]
    assert cut_in_three(told[::-1])["test"] != ()
    assert {s.id for s in cut_in_three(told[::-1])["test"]} == {s.id for s in found.parts["test"]}


def test_the_same_text_never_lies_on_both_sides():
    told = [Sentence(str(i), f"text {i % 5}", ("a",)) for i in range(40)]
    parts = cut_in_three(told)
    sides = [{s.text for s in parts[p]} for p in parts]
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]


def columns(folder: Path, words: str, tags: str, labels: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "seq.in").write_text(words)
    (folder / "seq.out").write_text(tags)
    (folder / "label").write_text(labels)
    return folder


def test_jointbert_columns_are_read_with_spans(tmp_path: Path):
    columns(tmp_path / "train", "play take five \nstop\n", "O B-track I-track \nO\n", "PlayMusic\nStop\n")
    found = read_folder(tmp_path)
    assert found.cut == "space"
    assert found.parts["train"][0].spans == (Span(5, 14, "track"),)
    assert found.parts["test"] == ()


@pytest.mark.parametrize(
    ("words", "tags", "labels"),
    [("a b\n", "O\n", "x\n"), ("a\n", "O\nO\n", "x\n"), ("a\n", "Q\n", "x\n")],
    ids=["a tag is missing", "a line too many", "no tag"],
)
def test_columns_that_do_not_fit_are_refused_with_their_place(tmp_path: Path, words: str, tags: str, labels: str):
    columns(tmp_path / "train", words, tags, labels)
    with pytest.raises(BadInput, match="train"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"id": 1}',
        '{"text": "abc", "slots": [{"start": 0, "end": 9, "label": "x"}]}',
        '{"text": "abc", "slots": [{"start": "x"}]}',
        '{"text": "abc", "slots": 3}',
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str):
    (tmp_path / "train.jsonl").write_text('{"text": "fine"}\n' + line + "\n")
    (tmp_path / "dev.jsonl").write_text("")
    with pytest.raises(BadInput, match="line 2"):
        read_folder(tmp_path)


def test_slots_over_each_other_are_counted_and_the_longer_first_stays(tmp_path: Path):
    row = {"text": "a b c", "slots": [{"start": 0, "end": 1, "label": "x"}, {"start": 0, "end": 3, "label": "y"}]}
    (tmp_path / "train.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "dev.jsonl").write_text("")
    found = read_folder(tmp_path)
    assert found.overlapping == 1
    assert found.parts["train"][0].spans == (Span(0, 3, "y"),)


def test_a_folder_without_text_is_refused(tmp_path: Path):
    with pytest.raises(BadInput):
        read_folder(tmp_path)
    with pytest.raises(NotFound):
        read_folder(tmp_path / "none")
