import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, NotFound
from core.records import NO_DEFECT, Severity
from core.taxonomy import (
    DefectClass,
    Taxonomy,
    count_by_class,
    merged,
    probability_of,
    taxonomy_of,
)
from data.taxonomies import names, shipped

MACHINED = shipped("machined")


def test_counts_of_eleven_names_come_out_as_four_classes():
    counts = {
        "scratch": 4200, "surface scratch": 3100, "SCRATCH_SURFACE": 2800,
        "burr": 3600, "edge burr": 2900,
        "pit": 2100, "pitting": 1800, "corrosion_pit": 1400,
        "crack": 1000, "fracture": 800, "hairline_crack": 600,
    }  # fmt: skip
    mapped, unmapped = count_by_class(MACHINED, counts)
    assert mapped == {"SURFACE_SCRATCH": 10_100, "BURR": 6_500, "SURFACE_PIT": 5_300, "CRACK": 2_400}
    assert unmapped == {}


@pytest.mark.parametrize(
    ("class_id", "aliases"),
    [
        ("SURFACE_SCRATCH", ["scratch", "surface scratch", "SCRATCH_SURFACE", "scr"]),
        ("BURR", ["burr", "edge burr", "deburr_needed", "rough_edge"]),
        ("SURFACE_PIT", ["pit", "pitting", "corrosion_pit", "surface_void"]),
        ("CRACK", ["crack", "fracture", "hairline_crack", "stress_crack"]),
        ("DIMENSIONAL_OOS", ["oos", "out_of_spec", "tolerance_fail"]),
    ],
)
def test_machined_parts_know_their_aliases_in_every_writing(class_id: str, aliases: list[str]):
    for alias in [class_id, *aliases]:
        for writing in (alias, alias.upper(), alias.replace("_", " "), alias.replace(" ", "-"), f" {alias.title()} "):
            assert MACHINED.match(writing) == class_id


def test_severities_and_parents_are_those_of_the_shop_floor():
    allowed = {entry.id: {str(severity) for severity in entry.severities} for entry in MACHINED.classes}
    every = {"minor", "major", "critical"}
    assert allowed == {
        "SURFACE_SCRATCH": every,
        "BURR": {"minor", "major"},
        "SURFACE_PIT": every,
        "CRACK": {"major", "critical"},
        "DIMENSIONAL_OOS": {"major", "critical"},
    }
    parents = {entry.id: MACHINED.rolled_up(entry.id) for entry in MACHINED.classes}
    assert parents == {
        "SURFACE_SCRATCH": "SURFACE_DEFECT",
        "BURR": "EDGE_DEFECT",
        "SURFACE_PIT": "SURFACE_DEFECT",
        "CRACK": "STRUCTURAL_DEFECT",
        "DIMENSIONAL_OOS": "DIMENSIONAL_DEFECT",
    }


def test_a_severity_that_a_class_does_not_have_is_refused_and_the_others_named():
    MACHINED.check_severity("BURR", Severity.MAJOR)
    with pytest.raises(BadInput, match="BURR cannot be critical: choose minor, major"):
        MACHINED.check_severity("BURR", Severity.CRITICAL)
    with pytest.raises(NotFound):
        MACHINED.check_severity("RUST", Severity.MINOR)


@pytest.mark.parametrize(
    "word", ["free", "ok", "OK", "good", "Good", "no_defect", "NO DEFECT", "no-defect", "defect free"]
)
def test_a_good_word_means_no_defect(word: str):
    assert MACHINED.match(word) == NO_DEFECT


@pytest.mark.parametrize("word", ["rust", "", "blowhole", "crac", "cracks everywhere", "0.5"])
def test_an_unknown_name_is_unmapped_and_never_guessed(word: str):
    assert MACHINED.match(word) is None


def test_the_nearest_classes_of_an_unmapped_name_are_proposed_best_first():
    assert MACHINED.nearest("crak")[0] == "CRACK"
    assert MACHINED.nearest("deep scratches", 1) == ["SURFACE_SCRATCH"]
    assert len(MACHINED.nearest("zzz", 99)) == 5
    assert Taxonomy("none", "0", ()).nearest("crack") == []


def test_a_name_can_be_mapped_but_not_taken_from_another_class():
    mapped = MACHINED.with_alias("CRACK", "Riss", "QA lead")
    assert mapped.match("riss") == "CRACK"
    assert mapped.get("CRACK").alias_sources == {"Riss": "QA lead"}
    assert MACHINED.match("riss") is None  # the old version stays what it was
    assert mapped.with_alias("CRACK", "RISS") is mapped
    with pytest.raises(BadInput, match="already means BURR"):
        mapped.with_alias("CRACK", "edge burr")
    with pytest.raises(BadInput, match="already means NO_DEFECT"):
        mapped.with_alias("CRACK", "ok")


@pytest.mark.parametrize("name", names())
def test_every_shipped_taxonomy_survives_its_json(name: str):
    text = json.dumps(shipped(name).to_json())
    again = Taxonomy.from_json(text)
    assert again == shipped(name)
    assert json.dumps(again.to_json()) == text
    assert list(again.to_json()["classes"][0]) == ["id", "label", "description", "aliases", "severity_levels", "parent"]


def test_fulfilment_knows_boxes_labels_and_dates():
    fulfilment = shipped("fulfilment")
    for name in ("torn cover", "bent box", "broken seal", "missing label", "wrong label", "expired", "wrong size"):
        assert fulfilment.match(name) == name.upper().replace(" ", "_")


def test_an_unknown_shipped_taxonomy_names_those_there_are():
    with pytest.raises(NotFound, match="fulfilment, machined"):
        shipped("food")


@pytest.mark.parametrize(
    "document",
    [
        "[",
        "[]",
        "{}",
        '{"ontology": "x", "version": "1", "classes": "CRACK"}',
        '{"ontology": "", "version": "1", "classes": []}',
        '{"ontology": "x", "version": "1", "classes": [{"label": "Crack"}]}',
        '{"ontology": "x", "version": "1", "classes": [{"id": "A", "severity_levels": ["huge"]}]}',
        '{"ontology": "x", "version": "1", "classes": [{"id": "A"}, {"id": "A"}]}',
        '{"ontology": "x", "version": "1", "classes": [{"id": "A", "aliases": ["c"]}, {"id": "B", "aliases": ["C"]}]}',
        '{"ontology": "x", "version": "1", "classes": [{"id": "ok"}]}',
        '{"ontology": "x", "version": "1", "classes": [{"id": "A", "aliases": "c"}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_taxonomy_is_refused_in_words(document: str):
    with pytest.raises(BadInput):
        Taxonomy.from_json(document)


def test_a_data_sets_own_ids_are_kept_and_display_names_are_aliases_with_a_source():
    own = taxonomy_of("steel", [("1", "pitted"), ("2", ""), ("ok", ""), ("1", "Pitted surface")], "classes.txt")
    assert own.ids == ("1", "2")
    assert own.match("PITTED") == own.match("pitted-surface") == "1"
    assert own.get("1").alias_sources == {"pitted": "classes.txt", "Pitted surface": "classes.txt"}
    assert Taxonomy.from_json(own.to_json()) == own


def test_writings_of_one_name_become_one_class():
    own = taxonomy_of("x", [("Scratch", ""), ("scratch", ""), ("SCRATCH ", ""), ("dent", "")], "list.csv")
    assert own.ids == ("Scratch", "dent")


def test_merging_adds_what_is_missing_and_takes_nothing_away():
    own = taxonomy_of("x", [("crack", "Riss"), ("blowhole", "")], "x")
    both = merged(MACHINED, own)
    assert both.ids == (*MACHINED.ids, "blowhole")
    assert both.match("Riss") == "CRACK"
    assert merged(both, own) == both


def test_a_number_is_a_probability_and_a_name_is_not():
    assert probability_of("0.3333") == 0.3333
    assert probability_of("1") == 1
    assert probability_of("crack") is None
    for wrong in ("1.5", "-0.1", "nan", "inf"):
        with pytest.raises(BadInput):
            probability_of(wrong)


def test_a_ring_of_parents_ends():
    ring = Taxonomy("x", "1", (DefectClass("A", parent="B"), DefectClass("B", parent="A")))
    assert ring.rolled_up("A") in {"A", "B"}


@given(st.text(max_size=30))
def test_matching_never_fails_whatever_the_name(name: str):
    assert MACHINED.match(name) in {None, NO_DEFECT, *MACHINED.ids}
