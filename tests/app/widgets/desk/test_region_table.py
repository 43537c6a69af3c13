from dataclasses import replace

import pytest

from app.widgets.desk.region_table import changed
from core.records import Region, Severity
from tests.editor_page import sheet

LAID = sheet((640, 400))
ONE = Region(10, 20, 30, 40, "hairline", "SURFACE_PIT", Severity.MINOR, 0.7, key="m1")
TWO = Region(50, 20, 30, 40, "SURFACE_PIT", "SURFACE_PIT", key="m2")


def after(**said):
    return changed(LAID, (ONE, TWO), {"item": LAID.item, "stamp": "1", **said})


def test_a_row_gives_its_region_a_class_and_drops_a_severity_that_the_class_does_not_have():
    crack = replace(ONE, class_id="CRACK", name="CRACK", severity=None, score=None)
    assert after(key="m1", **{"class": "CRACK"}) == (crack, TWO)


def test_a_row_gives_its_region_a_severity_and_takes_it_back():
    assert after(key="m1", severity="critical")[0] == replace(ONE, severity=Severity.CRITICAL, score=None)
    assert after(key="m1", severity=None)[0] == replace(ONE, severity=None, score=None)


def test_a_row_removes_its_region():
    assert after(key="m1", remove=True) == (TWO,)


@pytest.mark.parametrize(
    "said",
    [{"key": "m1", "class": "DRAGON"}, {"key": "m9", "remove": True}, {"key": "m1", "class": "SURFACE_PIT"},
     {"key": "m1", "remove": True, "item": "another"}],
)  # fmt: skip
def test_what_cannot_be_or_is_about_something_else_changes_nothing(said):
    assert after(**said) == (ONE, TWO)


def test_nothing_said_changes_nothing():
    assert changed(LAID, (ONE, TWO), None) == (ONE, TWO)
