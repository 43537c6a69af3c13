"""Notes from file to label: clearance, de-identification, versions, resuming, people's words, checks."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.cli import main
from app.jobs.words import notes as jobs
from app.jobs.words.note_files import MOST_ROWS, Uncleared, read_notes
from core.errors import BadInput, Conflict, NotAllowed
from core.roles import Actor, Role
from core.words.labelling.registry import LabelRules, with_entry
from core.words.text import Span
from core.words.votes import Came
from data.store import Store, open_store

SITE = "Lyon"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECRET = "Wilhelmina Quarterstaff drinks at work"
ROWS = [
    {"id": "1", "text": "tell Peter Garcia about 3 burrs on the brackets since Monday", "cleared": True},
    {"id": "2", "text": "we saw Jordan twice today on line D", "cleared": "yes", "at": "2026-03-01T10:00:00+01:00"},
    {"id": "3", "text": SECRET, "cleared": False},
    {"id": "4", "text": SECRET},
    {"id": "5", "text": "happy birthday", "cleared": 1},
    {"id": "6", "text": "burrs on line 3", "cleared": True,
     "slots": [{"start": 0, "end": 5, "label": "defect"}, {"start": 9, "end": 15, "label": "line"}]},
]  # fmt: skip


def lines(rows: list[dict[str, object]]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


@pytest.fixture(autouse=True)
def without_the_text_model(monkeypatch):
    """Most of these tests are about what happens around the vote; the model has its own."""
    monkeypatch.setattr(jobs, "text_model_there", lambda: False)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = open_store(f"sqlite:///{tmp_path / 'plant.sqlite3'}", clock=lambda: NOW)
    made.sites.add(SITE)
    made.sites.add("Turin")
    yield made
    made.close()


def person(store: Store, name: str, role: Role, sites: tuple[str, ...] | None = None) -> Store:
    store.people.add(name, "nine quiet looms at noon", role, sites)
    return store.acting_as(Actor(name))


def everything_kept(store: Store) -> str:
    """All text of all tables and of the database's own file."""
    with store.database.reading() as connection:
        names = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        return "\n".join(str(row) for name in names for row in connection.execute(sa.text(f'SELECT * FROM "{name}"')))


def test_uncleared_text_is_counted_and_never_stored(store, tmp_path):
    done = jobs.import_notes(store, "n.jsonl", lines(ROWS), SITE)
    assert (done["read"], done["new"], done["uncleared"]) == (6, 4, 2)
    kept = everything_kept(store)
    assert "Quarterstaff" not in kept
    assert b"Quarterstaff" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    jobs.label_notes(store, SITE)
    assert "Quarterstaff" not in everything_kept(store)


def test_a_cleared_file_clears_rows_that_say_nothing_and_no_row_that_says_no(store):
    done = jobs.import_notes(store, "n.jsonl", lines(ROWS), SITE, cleared=True)
    assert (done["new"], done["uncleared"]) == (5, 1)


def test_names_are_covered_before_anything_is_stored(store):
    done = jobs.import_notes(store, "n.jsonl", lines(ROWS), SITE)
    kept = everything_kept(store)
    assert "Garcia" not in kept
    assert "Jordan" not in kept
    assert sum(done["covered"].values()) == 2
    assert {note.text for note in store.notes.find(SITE)} >= {
        "tell [NAME] about 3 burrs on the brackets since Monday", "we saw [NAME?] twice today on line D",
    }  # fmt: skip


def test_the_same_file_again_changes_nothing(store):
    jobs.import_notes(store, "n.jsonl", lines(ROWS), SITE)
    done = jobs.import_notes(store, "n.jsonl", lines(ROWS), SITE)
    assert (done["new"], done["known"]) == (0, 4)
    assert store.notes.counts(SITE)["notes"] == 4


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("n.pdf", b"%PDF", "none of"),
        ("n.csv", b"a,b\n1,2\n", "column text"),
        ("n.csv", b"", "column text"),
        ("n.txt", b"\xff\xfe\x00bad", "UTF-8"),
        ("n.jsonl", b'{"text": "a\x00b"}', "NUL"),
        ("n.txt", b"a\n" * (MOST_ROWS + 1), "at most"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence_and_leaves_nothing(store, name, data, words):
    with pytest.raises(BadInput, match=words):
        jobs.import_notes(store, name, data, SITE, cleared=True)
    assert store.notes.imports(SITE) == []


def test_broken_rows_are_counted_and_the_others_kept(store):
    rows = [
        b"not json", b"[1, 2]", b'{"text": 3, "cleared": true}', b'{"text": "  ", "cleared": true}',
        b'{"text": "burrs", "cleared": true, "at": "yesterday-ish"}',
        b'{"text": "burrs", "cleared": true, "slots": [{"start": 4, "end": 99, "label": "defect"}]}',
        b'{"text": "burrs", "cleared": true, "slots": "no"}', b'{"text": "burrs", "cleared": {"a": 1}}',
        b'{"text": "' + b"long " * 2000 + b'", "cleared": true}', b"[" * 100_000,
        b'{"text": "burrs on line 3", "cleared": true}',
    ]  # fmt: skip
    done = jobs.import_notes(store, "n.jsonl", b"\n".join(rows), SITE)
    assert done["new"] == 1
    assert done["read"] == len(rows)
    assert done["uncleared"] + sum(done["refused"].values()) + done["new"] == len(rows)
    assert done["refused"] == {
        "no text": 2,
        "a time that is none": 1,
        "labels that do not fit the text": 2,
        "too long": 1,
    }


def test_tables_and_plain_lines_are_read(store):
    table = '\ufefftext,cleared,at\nburrs on line 3,yes,2026-03-01\n"dents, many",no,\n=cmd(),1,\n'.encode()
    assert jobs.import_notes(store, "n.csv", table, SITE)["new"] == 2
    assert jobs.import_notes(store, "n.txt", b"dents on line 4\n\nrust on line 5\n", SITE)["uncleared"] == 2
    assert jobs.import_notes(store, "n.txt", b"dents on line 4\n\nrust on line 5\n", SITE, cleared=True)["new"] == 2
    assert all(isinstance(row, Uncleared) for row in read_notes("n.log", b"one\ntwo"))


def test_labels_are_given_set_aside_and_left_to_a_person(store):
    jobs.import_notes(store, "n.jsonl", lines(ROWS), SITE)
    made = jobs.label_notes(store, SITE)
    assert made["version"] == 1
    assert made["aside"] == {"no known pattern": 1}
    assert made["waiting"]["ambiguous"] == 1
    (waits,) = [note for note in store.notes.find(SITE, waiting=True) if "[NAME?]" in note.text]
    (stretch,) = [one for one in waits.counts.waiting if one.came is Came.AMBIGUOUS]
    store.notes.override(waits.id, stretch.start, stretch.end, "brand")
    assert Span(stretch.start, stretch.end, "brand") in store.notes.get(waits.id).counts.spans


def test_the_same_rules_label_new_notes_in_the_same_version(store):
    jobs.import_notes(store, "n.jsonl", lines(ROWS), SITE)
    jobs.label_notes(store, SITE)
    jobs.import_notes(store, "m.txt", b"rust on line 7", SITE, cleared=True)
    made = jobs.label_notes(store, SITE)
    assert (made["version"], made["notes"]) == (1, 5)


def test_a_change_of_the_rules_labels_everything_anew_and_shows_the_difference(store):
    jobs.import_notes(store, "n.txt", b"zorblat on line 7\nburrs on line 3", SITE, cleared=True)
    jobs.label_notes(store, SITE)
    store.notes.override(store.notes.find(SITE)[0].id, 0, 5, "product")
    store.notes.set_rules(SITE, with_entry(LabelRules(), "product", "zorblat"), "a new part")
    made = jobs.label_notes(store, SITE)
    assert made["version"] == 2
    assert made["changed"] == {"product": {"added": 1, "removed": 0, "changed": 0}}
    found = jobs.compare(store, SITE, 1, 2)
    assert (found.notes, found.differing) == (2, 1)
    newest, _ = store.notes.find(SITE)
    assert newest.counts.spans[0] == Span(0, 5, "product")  # a person's word outlives every version


def test_a_run_that_was_ended_goes_on_where_it_was_and_counts_nothing_twice(store, monkeypatch):
    monkeypatch.setattr(jobs, "CHUNK", 3)
    texts = "\n".join(f"burrs on line {n}" for n in range(1, 11)).encode()
    jobs.import_notes(store, "n.txt", texts, SITE, cleared=True)

    class Ended(BaseException):
        pass

    def end(done: int, _total: int, _message: str) -> None:
        if done >= 6:
            raise Ended

    with pytest.raises(Ended):
        jobs.label_notes(store, SITE, progress=end)
    (half,) = store.notes.versions(SITE)
    assert (half.finished_at, half.tally["counts"]["notes"]) == (None, 6)
    made = jobs.label_notes(store, SITE)
    assert (made["version"], made["notes"], made["labels"]["defect"]) == (1, 10, 10)
    assert store.notes.versions(SITE)[0].finished_at is not None


def test_two_runs_of_one_version_do_not_label_the_same_notes(store):
    jobs.import_notes(store, "n.txt", b"burrs on line 3", SITE, cleared=True)
    jobs.label_notes(store, SITE)
    version = store.notes.shown(SITE)
    with pytest.raises(Conflict, match="Another run"):
        store.notes.keep_labels(version.id, [(1, store.notes.get(1).voted, None)], {})


def test_while_a_new_version_runs_the_whole_one_counts(store):
    jobs.import_notes(store, "n.txt", b"burrs on line 3", SITE, cleared=True)
    jobs.label_notes(store, SITE)
    store.notes.begin_version(SITE, 0, "another", store.notes.shown(SITE).document)
    assert store.notes.shown(SITE).number == 1
    assert store.notes.find(SITE)[0].counts.spans


def test_checks_measure_on_one_half_and_teach_weights_on_the_other(store):
    texts = "\n".join(f"burrs on line {n}" for n in range(1, 41)).encode()
    jobs.import_notes(store, "n.txt", texts, SITE, cleared=True)
    jobs.label_notes(store, SITE)
    ana = person(store, "ana", Role.INSPECTOR)
    for at, note in enumerate(store.notes.to_check(SITE, 40)):
        ana.notes.check(note.id, note.voted.spans if at % 4 else ())
    held = store.notes.checks(SITE)
    measured = [one for one in held if not one.learns]
    assert 5 < len(measured) < 35
    found = jobs.accuracy(store, SITE)
    assert found.checked == len(measured)
    assert found.right == sum(bool(one.truth) for one in measured)
    assert found.interval.low < found.right / found.checked < found.interval.high
    assert store.notes.to_check(SITE) == []
    jobs.label_notes(store, SITE, fresh=True)
    version = store.notes.shown(SITE)
    assert version.document["labelled_part"] == 40 - len(measured)
    rule = next(one for one in jobs.function_table(version) if one.name == "line by its number")
    assert rule.record.said == 40 - len(measured)
    assert rule.words == 80


@pytest.mark.parametrize("combine", ["Dawid-Skene", "majority vote"])
def test_votes_can_be_joined_in_other_ways(store, combine):
    labelled = [{**ROWS[-1], "id": f"x{n}", "text": f"burrs on line {n}"} for n in range(1, 10)]
    jobs.import_notes(store, "n.jsonl", lines([*ROWS, *labelled]), SITE)
    store.notes.set_rules(SITE, LabelRules(combine=combine), "to compare")
    made = jobs.label_notes(store, SITE)
    assert made["labels"]["line"] >= 9


def test_the_label_model_without_any_labelled_note_says_what_is_missing(store):
    jobs.import_notes(store, "n.txt", b"burrs on line 3", SITE, cleared=True)
    store.notes.set_rules(SITE, LabelRules(combine="Dawid-Skene"), "to compare")
    with pytest.raises(BadInput, match="check some notes by hand"):
        jobs.label_notes(store, SITE)


def test_who_may_not_is_refused(store):
    jobs.import_notes(store, "n.jsonl", lines(ROWS), SITE)
    viewer, turin = person(store, "vera", Role.VIEWER), person(store, "tom", Role.INSPECTOR, ("Turin",))
    for refused in (
        lambda: jobs.import_notes(viewer, "n.txt", b"x y", SITE),
        lambda: jobs.label_notes(viewer, SITE),
        lambda: viewer.notes.override(1, 0, 1, "line"),
        lambda: turin.notes.override(1, 0, 1, "line"),
        lambda: turin.notes.get(1),
        lambda: turin.notes.check(1, []),
    ):
        with pytest.raises(NotAllowed):
            refused()


def test_labels_that_cannot_be_are_refused(store):
    jobs.import_notes(store, "n.txt", b"burrs on line 3", SITE, cleared=True)
    for begins, ends, label in ((0, 99, "line"), (5, 5, "line"), (0, 5, "nonsense"), (-1, 5, "line")):
        with pytest.raises(BadInput):
            store.notes.override(1, begins, ends, label)
    with pytest.raises(BadInput):
        store.notes.check(1, [Span(0, 5, "defect"), Span(3, 8, "line")])


def test_rules_changed_by_somebody_else_meanwhile_are_not_overwritten(store):
    store.notes.set_rules(SITE, LabelRules(off=("digits",)), "too many")
    with pytest.raises(Conflict, match="look at them"):
        store.notes.set_rules(SITE, LabelRules(), "back", seen=0)
    with pytest.raises(BadInput, match="reason"):
        store.notes.set_rules(SITE, LabelRules(), " ")
    assert [one.number for one in store.notes.rules_history(SITE)] == [1]


def test_the_text_model_votes_and_covers_people(store, monkeypatch):
    monkeypatch.setattr(jobs, "text_model_there", lambda: True)
    made = jobs.import_notes(store, "n.txt", b"hand this over to gerplo on line 3", SITE, cleared=True)
    assert made["new"] == 1
    jobs.label_notes(store, SITE)
    assert jobs.MODEL_NAME in [name for name, *_ in store.notes.shown(SITE).document["functions"]]


def test_commands_do_the_same(store, current, tmp_path, capsys):
    open_store(current.database_url).sites.add(SITE)
    file = tmp_path / "n.jsonl"
    file.write_bytes(lines(ROWS))

    def said(*arguments: str) -> object:
        capsys.readouterr()
        assert main(["notes", *arguments, "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    made = said("import", str(file), "--site", SITE)
    assert (made["new"], made["uncleared"], made["label"]["version"]) == (4, 2, 1)
    assert {one["name"] for one in said("functions", "--site", SITE)} >= {"line by its number", "person or brand"}
    rules = said("rules", "--site", SITE, "--add", "product=zorblat", "--off", "digits", "--reason", "a new part")
    assert (rules["number"], rules["off"], rules["entries"]) == (1, ["digits"], {"product": ["zorblat"]})
    assert said("label", "--site", SITE)["version"] == 2
    assert said("diff", "1", "2", "--site", SITE)["notes"] == 4
    assert said("check", "--site", SITE)["checked"] == 0
    assert said("emerging", "--site", SITE) == []
    assert main(["notes", "rules", "--site", SITE, "--off", "nonsense"]) == 1
    assert "no function 'nonsense'" in capsys.readouterr().err
