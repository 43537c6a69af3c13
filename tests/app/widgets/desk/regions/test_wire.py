import math

import pytest

from app.widgets.desk.regions import wire
from core.records import Polygons, Region, Rle, Severity
from tests.editor_page import sheet

LAID = sheet((640, 400))
KNOWN = Region(10, 20, 30, 40, "hairline", "CRACK", Severity.MAJOR, 0.7, None, "m1")


def row(**changed):
    return {**wire.written(KNOWN, "small-1"), **changed}


def one(**changed):
    return wire.read([row(**changed)], LAID, [KNOWN])


@pytest.mark.parametrize("junk", [None, 3, "regions", {"a": 1}, [None, 3, "x", [], {}], [{"key": "a"}]])
def test_what_is_no_list_of_regions_is_no_region(junk):
    assert wire.read(junk, LAID, [KNOWN]) == ()


@pytest.mark.parametrize("side", ["x", "y", "width", "height"])
@pytest.mark.parametrize("value", [math.nan, math.inf, None, "12", True, []])
def test_a_side_that_is_no_number_drops_the_region(side, value):
    assert one(**{side: value}) == ()


@pytest.mark.parametrize("key", ["", None, 7, "k" * 201])
def test_a_key_that_is_none_drops_the_region(key):
    assert one(key=key) == ()


def test_two_regions_with_one_key_are_one():
    assert len(wire.read([row(), row(x=50)], LAID, [KNOWN])) == 1


def test_a_severity_that_the_class_does_not_have_is_not_said():
    assert one(severity="minor")[0].severity is None
    assert one(severity="critical")[0].severity is Severity.CRITICAL
    assert one(severity="dreadful")[0].severity is None


def test_a_class_of_no_taxonomy_becomes_the_one_that_new_regions_have():
    assert one(**{"class": "DRAGON"})[0].class_id == LAID.new_class
    assert one(**{"class": {"no": "class"}})[0].class_id == LAID.new_class


def test_a_name_that_is_not_mapped_yet_stays_with_its_region():
    unmapped = Region(1, 2, 30, 40, "Haarriss", key="i1")
    (moved,) = wire.read([{**wire.written(unmapped, "x"), "x": 5}], LAID, [unmapped])
    assert (moved.class_id, moved.name) == (None, "Haarriss")


def test_a_score_is_never_taken_from_a_browser():
    assert one(score=0.99) == (KNOWN,)
    assert one(score=0.99, x=11)[0].score is None
    (new,) = wire.read([row(key="p-1", score=0.99)], LAID, [KNOWN])
    assert new.score is None


def test_a_changed_class_or_severity_is_a_persons_word():
    assert one(severity="critical")[0].score is None
    assert one(**{"class": "SURFACE_PIT"})[0].score is None


def test_run_lengths_stay_here_and_with_an_untouched_box():
    masked = Region(10, 20, 30, 40, "pit", "SURFACE_PIT", mask=Rle((400, 640), (256_000,)), key="i1")
    sent = wire.written(masked, "x")
    assert "counts" not in str(sent)
    assert wire.read([sent], LAID, [masked]) == (masked,)
    (renamed,) = wire.read([{**sent, "class": "CRACK"}], LAID, [masked])
    assert renamed.mask == masked.mask
    (moved,) = wire.read([{**sent, "x": 11}], LAID, [masked])
    assert moved.mask is None


def test_an_outline_is_cut_at_the_edge_and_a_broken_one_is_left_out():
    (found,) = one(rings=[[-5, 20, 700, 20, 30, 500], [1, 2, 3], "ring", [1, 2, 3, 4, 5, None]])
    assert found.mask == Polygons(((0, 20, 640, 20, 30, 400),))


def test_an_endless_outline_is_refused():
    assert one(rings=[[1.0] * 30_000])[0].mask is None


def test_the_same_key_in_two_sources_means_whichever_it_looks_like():
    reviewed = Region(90, 20, 30, 40, "CRACK", "CRACK", key="m1")
    assert wire.read([wire.written(reviewed, "x")], LAID, [KNOWN, reviewed]) == (reviewed,)
    assert wire.read([wire.written(KNOWN, "x")], LAID, [KNOWN, reviewed]) == (KNOWN,)
