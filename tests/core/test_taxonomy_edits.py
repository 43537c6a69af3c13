import pytest

from core.errors import BadInput, NotFound
from core.records import Severity
from core.taxonomy import DefectClass
from core.taxonomy_edits import aliases_of, changed_class, difference, relabelled, retired
from data.taxonomies import shipped

MACHINED = shipped("machined")


def test_a_version_does_not_differ_from_itself():
    assert difference(MACHINED, MACHINED).empty


def test_a_difference_names_what_came_what_went_and_what_changed():
    burr = MACHINED.get("BURR")
    new = changed_class(retired(MACHINED, "SURFACE_PIT"), DefectClass("DENT", aliases=("bump", "pitting")))
    new = changed_class(
        new, DefectClass("BURR", "Raised edge", burr.description, ("burr edge",), burr.severities, burr.parent)
    )
    found = difference(MACHINED, new)
    assert [one.id for one in found.added] == ["DENT"]
    assert [one.id for one in found.retired] == ["SURFACE_PIT"]
    [change] = found.changed
    assert change.id == "BURR"
    assert [(one.field, one.was, one.now) for one in change.fields] == [
        ("label", "Burr", "Raised edge"), ("aliases", ", ".join(burr.aliases), "burr edge"),
    ]  # fmt: skip
    means = {one.name: (one.was, one.now) for one in found.names}
    assert means["pitting"] == ("SURFACE_PIT", "DENT")
    assert means["pit"] == ("SURFACE_PIT", None)
    assert means["bump"] == (None, "DENT")
    assert means["rough_edge"] == ("BURR", None)
    assert not found.reordered


def test_the_order_of_classes_is_told_because_keys_and_heads_follow_it():
    turned = type(MACHINED)(MACHINED.name, MACHINED.version, MACHINED.classes[::-1])
    found = difference(MACHINED, turned)
    assert found.reordered
    assert (found.added, found.retired, found.changed, found.names) == ((), (), (), ())


def test_labels_follow_their_names_in_the_writing_in_which_they_came():
    new = retired(MACHINED, "SURFACE_PIT", "SURFACE_SCRATCH")
    counts = {"Pitting": 7, "pit": 2, "SURFACE_PIT": 3, "crack": 9, "who knows": 4}
    found = relabelled(MACHINED, new, counts)
    assert [(one.name, one.pictures, one.was, one.now) for one in found] == [
        ("Pitting", 7, "SURFACE_PIT", "SURFACE_SCRATCH"),
        ("SURFACE_PIT", 3, "SURFACE_PIT", "SURFACE_SCRATCH"),
        ("pit", 2, "SURFACE_PIT", "SURFACE_SCRATCH"),
    ]
    assert [one.now for one in relabelled(MACHINED, retired(MACHINED, "SURFACE_PIT"), counts)] == [None] * 3


def test_a_class_that_takes_over_another_knows_where_its_new_names_come_from():
    new = retired(MACHINED, "CRACK", "SURFACE_PIT")
    pit = new.get("SURFACE_PIT")
    assert new.match("hairline crack") == "SURFACE_PIT"
    assert pit.alias_sources["fracture"] == "CRACK, which was retired"
    assert new.ids == tuple(one for one in MACHINED.ids if one != "CRACK")
    with pytest.raises(BadInput, match="take over its own"):
        retired(MACHINED, "CRACK", "CRACK")
    with pytest.raises(NotFound):
        retired(MACHINED, "CRACK", "DENT")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (DefectClass("BURR", aliases=("crack",)), "would mean both"),
        (DefectClass("BURR", aliases=("ok",)), "there is no defect"),
        (DefectClass("BURR", parent="BURR"), "lead back"),
        (DefectClass("BURR", description="x" * 3000), "at most"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(changed: DefectClass, why: str):
    with pytest.raises(BadInput, match=why):
        changed_class(MACHINED, changed)


def test_parents_that_lead_in_a_circle_are_refused_whichever_is_changed_last():
    one = changed_class(MACHINED, DefectClass("BURR", parent="CRACK", severities=(Severity.MINOR,)))
    with pytest.raises(BadInput, match="CRACK → BURR → CRACK"):
        changed_class(one, DefectClass("CRACK", parent="BURR"))


def test_other_names_are_typed_one_on_a_line_or_with_commas():
    assert aliases_of(" burr ,edge burr\n\n rough_edge,, burr\n - ") == ("burr", "edge burr", "rough_edge")
