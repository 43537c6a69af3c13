from pathlib import Path

from core.records import LabelStatus, Severity, Verdict
from data.store import Store
from tests.app.jobs.delivery import Import, everything, labels, table


def test_a_number_is_a_probability_and_half_of_it_is_defective(source: Path, bring_in: Import, store: Store):
    table(
        source, [{"file": f"{n}.png", "label": label} for n, label in enumerate(["0.0000", "0.3333", "0.5", "1.0000"])]
    )
    report = bring_in()
    found = labels(store)
    assert [found[f"{n}.png"].probability for n in range(4)] == [0, 0.3333, 0.5, 1]
    assert [found[f"{n}.png"].defective for n in range(4)] == [False, False, True, True]
    assert (report.labels, report.unmatched) == ({"DEFECTIVE": 2, "NO_DEFECT": 2}, 0)


def test_whole_numbers_beyond_one_are_class_ids(source: Path, bring_in: Import):
    table(source, [{"file": f"{n}.png", "label": str(n)} for n in range(1, 5)])
    assert bring_in(taxonomy="own").labels == {"1": 1, "2": 1, "3": 1, "4": 1}


def test_a_probability_out_of_range_beside_fractions_is_a_bad_record(source: Path, bring_in: Import):
    table(
        source, [{"file": "a.png", "label": "0.5"}, {"file": "b.png", "label": "1.7"}, {"file": "c.png", "label": "2"}]
    )
    assert bring_in().quarantined == {"bad record": 2}


def test_an_inspectors_verdict_may_name_classes_without_boxes(source: Path, bring_in: Import, store: Store):
    table(
        source,
        [
            {"file": "a.png", "verdict": "rework", "defect_codes": "burr;rust", "severity": "", "confidence": "4"},
            {"file": "b.png", "verdict": "PASS", "defect_codes": "", "severity": "", "confidence": "5"},
            {"file": "c.png", "verdict": "UNSURE", "defect_codes": "", "severity": "", "confidence": "1"},
        ],
    )
    report = bring_in()
    found = labels(store)
    assert found.keys() == {"a.png", "b.png"}
    assert (found["a.png"].verdict, found["a.png"].classes, found["a.png"].unmapped) == (
        Verdict.REWORK,
        ("BURR",),
        ("rust",),
    )
    assert (report.labels, report.unlabelled) == ({"BURR": 1, "NO_DEFECT": 1}, 1)
    image = next(one for one in store.images.find(site="Lyon") if one.path.endswith("a.png"))
    assert [review.sure for review in store.reviews.of_part(image.part_id)] == [4]


def test_every_optional_column_arrives(source: Path, bring_in: Import, store: Store):
    row = {"file": "a.png", "label": "crack", "boxes": '[[1,2,11,22,"crack"]]', "part": "7781-B", "order": "55120",
           "machine": "M4", "camera": "3", "time": "2026-11-03T14:02:11.250+01:00", "part_type": "shaft",
           "annotator": "Mia", "confidence": "0.9", "severity": "major", "extra": "ignored"}  # fmt: skip
    table(source, [row, row | {"file": "b.png", "part": "7781-B", "confidence": "0.2"}])
    bring_in()
    first = next(one for one in store.labels.find() if one.image.path.endswith("a.png"))
    capture = first.image.capture
    assert (capture.part, capture.order, capture.machine, capture.camera, capture.part_type) == (
        "7781-B", "55120", "M4", "3", "shaft",
    )  # fmt: skip
    assert capture.taken_at is not None
    assert capture.taken_at.isoformat() == "2026-11-03T13:02:11.250000+00:00"
    assert first.label.by == "import:delivery/Mia"
    assert first.label.regions[0].severity is Severity.MAJOR


def test_two_annotators_who_agree_are_agreed(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "crack", "annotator": who} for who in ("Mia", "Noor")])
    bring_in()
    before = everything(store)
    bring_in()
    assert everything(store) == before
    assert labels(store)["a.png"].status is LabelStatus.AGREED


def test_rows_of_one_picture_are_one_record(source: Path, bring_in: Import, store: Store):
    rows = [
        {"file": "a.png", "label": name, "boxes": f'[[{n},2,{n + 5},9,"{name}"]]'}
        for n, name in enumerate(["crack", "burr"])
    ]
    table(source, rows)
    report = bring_in()
    assert (report.read, report.new) == (1, 1)
    assert len(labels(store)["a.png"].regions) == 2


def test_labels_that_describe_print_do_not_make_a_picture_defective(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": '{"date": "2026-01-01"}', "boxes": '[[1,2,3,4,"TOTAL 9.00"]]'}])
    report = bring_in(taxonomy="own", empty="good")
    assert (report.new, report.labels, report.unmatched, report.unlabelled) == (1, {}, 0, 1)


def test_pictures_that_name_no_part_type_get_the_imports(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "good", "part_type": "cap"}, {"file": "b.png", "label": "good"}])
    bring_in(part_type="tile")
    kinds = {Path(i.path).name: i.capture.part_type for i in store.images.find(site="Lyon")}
    assert kinds == {"a.png": "cap", "b.png": "tile"}
