from pathlib import Path

import pytest

from data.store import Store
from tests.app.jobs.delivery import Import

REAL = Path(__file__).parents[5] / "shared" / "data"


SETS: dict[str, tuple[int, dict[str, int]]] = {
    "measure_only/magnetic_tile": (225, {"NO_DEFECT": 112, "uneven": 31, "blowhole": 26, "break": 26, "crack": 18,
                                         "fray": 12}),
    "measure_only/deeppcb": (212, {"NO_DEFECT": 62, "copper": 130, "pin-hole": 128, "mousebite": 126, "open": 126,
                                   "spur": 120, "short": 110}),
    "measure_only/neu_det": (360, {"inclusion": 82, "patches": 66, "crazing": 60, "pitted_surface": 60,
                                   "rolled-in_scale": 60, "scratches": 60}),
    "measure_only/elpv": (143, {"NO_DEFECT": 88, "DEFECTIVE": 55}),
    "measure_only/crackforest": (28, {"crack": 28}),
    "measure_only/sroie": (21, {}),
    "measure_only/expdate": (12, {}),
    "open/bsdata": (90, {"NO_DEFECT": 36, "pitting": 54}),
    "open/ocr_scene": (10, {"text boxes": 5, "ignore": 4, "text": 3, "03/09/2009": 1, "ATTACK": 1, "GRAND": 1,
                            "HOTEL": 1, "Virgin": 1}),
}  # fmt: skip


@pytest.mark.real
@pytest.mark.parametrize("name", SETS)
def test_every_real_set_comes_in_whole(bring_in: Import, store: Store, name: str):
    if not (REAL / name).is_dir():
        pytest.skip("the pictures in ../shared/data are absent")
    count, classes = SETS[name]
    report = bring_in(source=REAL / name, taxonomy="own")
    assert (report.format, report.read, report.new, report.quarantined) == ("csv", count, count, {})
    assert report.labels == classes
    assert report.unmatched == 0
    again = bring_in(source=REAL / name, taxonomy="own")
    assert (again.new, again.known) == (0, count)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "format_", "classes"),
    [
        ("neu_det", "voc", SETS["measure_only/neu_det"][1]),
        ("magnetic_tile", "masks", SETS["measure_only/magnetic_tile"][1]),
        ("crackforest", "masks", {"DEFECTIVE": 28}),
    ],
)
def test_real_sets_in_their_own_formats_say_the_same(
    bring_in: Import, name: str, format_: str, classes: dict[str, int]
):
    if not (REAL / "measure_only" / name).is_dir():
        pytest.skip("the pictures in ../shared/data are absent")
    report = bring_in(source=REAL / "measure_only" / name, taxonomy="own", format=format_)
    assert (report.quarantined, report.labels) == ({}, classes)
