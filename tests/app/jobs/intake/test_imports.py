import json
import os
from pathlib import Path

import pytest

from core.errors import BadInput
from core.records import LabelStatus, Verdict
from core.taxonomy import Taxonomy
from data.store import Store
from data.taxonomies import shipped
from tests.app.jobs.delivery import Import, everything, labels, picture, table


def test_a_table_becomes_images_labels_and_a_report(source: Path, bring_in: Import, store: Store):
    table(
        source,
        [
            {
                "file": "a.png",
                "label": "scratch",
                "boxes": '[[1,2,11,22,"Edge-Burr"]]',
                "group": "tile 1",
                "split": "train",
            },
            {"file": "b.png", "label": "ok", "boxes": "[]", "group": "tile 1", "split": "train"},
            {"file": "c.png", "label": "rust", "boxes": "", "group": "tile 2", "split": "valid"},
            {"file": "d.png", "label": "", "boxes": "", "group": "", "split": ""},
        ],
    )
    report = bring_in()
    assert (report.format, report.read, report.new, report.known, report.quarantined) == ("csv", 4, 4, 0, {})
    assert report.labels == {"BURR": 1, "NO_DEFECT": 1, "SURFACE_SCRATCH": 1}
    assert (report.unmatched, report.unmapped, report.unlabelled) == (1, {"rust": 1}, 1)
    found = labels(store)
    assert found.keys() == {"a.png", "b.png", "c.png"}  # d says nothing: no evidence of anything
    assert found["a.png"].classes == ("BURR", "SURFACE_SCRATCH")
    assert (found["a.png"].by, found["a.png"].status) == ("import:delivery", LabelStatus.SINGLE)
    (region,) = found["a.png"].regions
    assert (region.x, region.y, region.width, region.height, region.name) == (1, 2, 10, 20, "Edge-Burr")
    assert (found["b.png"].defective, found["b.png"].verdict) == (False, Verdict.PASS)
    assert (found["c.png"].defective, found["c.png"].classes, found["c.png"].unmapped) == (True, (), ("rust",))
    assert found["c.png"].source["split"] == "val"
    assert len({one.image.part_id for one in store.labels.find() if one.label.source.get("group") == "tile 1"}) == 1


def test_an_import_decides_nothing_and_asks_nobody(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "crack"}, {"file": "b.png", "label": "ok"}])
    bring_in()
    counts = everything(store)
    assert (counts["decisions"], counts["tasks"], counts["predictions"], counts["outbox"]) == (0, 0, 0, 0)


def test_the_second_run_changes_nothing(source: Path, bring_in: Import, store: Store):
    table(
        source,
        [
            {"file": "a.png", "label": "crack", "boxes": '[[1,2,11,22,"crack"]]'},
            {"file": "b.png", "label": "ok"},
            {"file": "broken.png", "label": "ok"},
            {"file": "gone.png", "label": "ok"},
            {"file": "../up.png", "label": "ok"},
        ],
    )
    (source / "broken.png").write_bytes((source / "broken.png").read_bytes()[:200])
    (source / "gone.png").unlink()
    first = bring_in(taxonomy="own")
    before = everything(store)
    second = bring_in(taxonomy="own")
    assert everything(store) == before
    assert (second.new, second.known, second.read) == (0, 2, 5)
    assert (second.quarantined, second.labels) == (first.quarantined, first.labels)


def test_a_corrected_list_adds_a_review_and_keeps_the_old_one(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "ok"}])
    bring_in()
    table(source, [{"file": "a.png", "label": "crack"}])
    report = bring_in()
    assert (report.new, report.known) == (0, 1)
    label = labels(store)["a.png"]
    assert label.classes == ("CRACK",)
    image = store.images.find(site="Lyon")[0]
    assert [review.verdict for review in store.reviews.of_part(image.part_id)] == [Verdict.PASS, Verdict.FAIL]


def test_an_import_that_was_stopped_goes_on(
    source: Path, bring_in: Import, store: Store, monkeypatch: pytest.MonkeyPatch
):
    table(source, [{"file": f"{n}.png", "label": "crack"} for n in range(6)])
    monkeypatch.setattr("app.jobs.intake.imports.BATCH", 2)
    stops = iter([False, True])

    def stop(done: int, total: int, message: str) -> None:
        if message == "filing" and next(stops):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_in(progress=stop)
    assert 0 < len(labels(store)) < 6
    report = bring_in()
    assert (report.new + report.known, report.labels) == (6, {"CRACK": 6})
    assert len(labels(store)) == 6
    assert everything(store)["reviews"] == 6


def test_images_whose_review_was_lost_to_a_kill_are_reviewed_by_the_next_run(
    source: Path, bring_in: Import, store: Store, monkeypatch: pytest.MonkeyPatch
):
    table(source, [{"file": "a.png", "label": "crack", "boxes": '[[1,2,3,4,"crack"]]'}])

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(store.reviews), "imported", killed)
        with pytest.raises(KeyboardInterrupt):
            bring_in()
    assert labels(store) == {}
    report = bring_in()
    assert (report.new, report.known) == (0, 1)
    assert len(labels(store)["a.png"].regions) == 1


def test_a_dry_run_reports_the_same_and_files_nothing(source: Path, bring_in: Import, store: Store):
    table(
        source,
        [{"file": "a.png", "label": "crack"}, {"file": "b.png", "label": "rust"}, {"file": "c.png", "label": "ok"}],
    )
    (source / "c.png").write_bytes(b"")
    before = everything(store)
    dry = bring_in(dry_run=True, taxonomy="own").to_json()
    assert everything(store) == before
    assert {**dry, "dry_run": False} == bring_in(taxonomy="own").to_json()


def test_whatever_leads_out_of_the_folder_is_quarantined(source: Path, bring_in: Import, store: Store, tmp_path: Path):
    picture(tmp_path / "secret.png")
    (source / "link.png").symlink_to(tmp_path / "secret.png")
    files = ["../secret.png", str(tmp_path / "secret.png"), "https://example.org/a.png", "link.png", "C:\\a.png",
             "a/../../secret.png", "file:///etc/passwd", "~/a.png"]  # fmt: skip
    table(source, [{"file": file, "label": "ok"} for file in files] + [{"file": "fine.png", "label": "ok"}], draw=False)
    picture(source / "fine.png")
    report = bring_in()
    assert report.quarantined == {"path outside the source folder": len(files)}
    assert (report.read, report.new) == (len(files) + 1, 1)
    assert not any(one["text"].startswith("/") for one in report.problems)
    assert list(labels(store)) == ["fine.png"]


@pytest.mark.parametrize(
    "row",
    [
        {"boxes": '[[1,2,NaN,4,"a"]]'},
        {"boxes": '[[1,2,Infinity,4,"a"]]'},
        {"boxes": '[[1,2,1e999,4,"a"]]'},
        {"boxes": '[[10,2,5,4,"a"]]'},
        {"boxes": '[[1,2,500,4,"a"]]'},
        {"boxes": "[[1,2,3]]"},
        {"boxes": '[[1,2,"3",4,"a"]]'},
        {"boxes": '{"x": 1}'},
        {"boxes": "[[1,2"},
        {"boxes": "[" * 5000},
        {"boxes": '[[1,2,3,4,"ok"]]'},
        {"boxes": '[[1,2,3,4,"burr","critical"]]', "label": "burr"},
        {"boxes": '[[1,2,3,4,"burr"]]', "label": "ok"},
        {"label": "nan"},
        {"label": "0.5", "verdict": "MAYBE"},
        {"label": "crack", "time": "yesterday"},
        {"label": "crack", "severity": "awful"},
        {"label": "crack", "confidence": "many"},
        {"label": "crack", "width": "-4", "height": "x"},
        {"label": "crack", "width": "48", "height": "64", "boxes": '[[1,2,3,4,"crack"]]'},
        {"label": "x" * 300},
    ],
    ids=lambda row: str(next(iter(row.items())))[:40],
)
def test_one_bad_record_loses_only_itself(source: Path, bring_in: Import, store: Store, row: dict[str, str]):
    table(
        source,
        [
            {"file": "a.png", "label": "crack"},
            {"file": "bad.png", "label": "", **row},
            {"file": "c.png", "label": "ok"},
        ],
    )
    report = bring_in()
    assert (report.quarantined, report.new) == ({"bad record": 1}, 2)
    assert report.problems[0]["where"] == "index.csv line 3"
    assert labels(store).keys() == {"a.png", "c.png"}


def test_pictures_that_cannot_be_opened_are_quarantined_by_reason(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": f"{name}.png", "label": "ok"} for name in ("empty", "cut", "text", "gone", "fine")])
    (source / "empty.png").write_bytes(b"")
    (source / "cut.png").write_bytes((source / "cut.png").read_bytes()[:300])
    (source / "text.png").write_bytes(b"not a picture at all, only words" * 9)
    (source / "gone.png").unlink()
    report = bring_in()
    assert report.quarantined.keys() >= {"empty file", "truncated", "file missing"}
    assert (sum(report.quarantined.values()), report.new) == (4, 1)


def test_a_folder_without_labels_is_refused_in_words(source: Path, bring_in: Import):
    picture(source / "a.png")
    with pytest.raises(BadInput, match="No labels were recognised"):
        bring_in()
    with pytest.raises(BadInput, match="cannot be imported"):
        bring_in(format="parquet")
    with pytest.raises(BadInput, match="does not exist"):
        bring_in(source=source / "nowhere")


def test_a_site_is_made_with_the_taxonomy_that_is_asked_for(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "torn cover"}])
    assert bring_in(site="A").unmapped == {"torn cover": 1}
    assert bring_in(site="B", taxonomy="fulfilment").labels == {"TORN_COVER": 1}
    assert bring_in(site="C", taxonomy="own").labels == {"torn cover": 1}
    with pytest.raises(BadInput, match="own, fulfilment, machined"):
        bring_in(site="D", taxonomy="food")
    assert {site.name for site in store.sites.all()} == {"A", "B", "C"}


def test_own_classes_are_added_to_a_site_that_has_some(source: Path, bring_in: Import, store: Store):
    store.sites.add("Lyon", shipped("machined"))
    table(source, [{"file": "a.png", "label": "crack"}, {"file": "b.png", "label": "rust"}])
    assert bring_in(taxonomy="own").labels == {"CRACK": 1, "rust": 1}
    assert store.sites.get("Lyon").taxonomy.ids == (*shipped("machined").ids, "rust")


def test_an_unmapped_name_is_mapped_later_and_its_labels_follow(source: Path, bring_in: Import, store: Store):
    table(source, [{"file": "a.png", "label": "Riss", "boxes": '[[1,2,3,4,"Riss"]]'}])
    bring_in()
    (unmapped,) = store.taxonomies.unmapped("Lyon")
    assert (unmapped.name, unmapped.count) == ("Riss", 1)
    store.taxonomies.map_name("Lyon", "Riss", "CRACK")
    label = labels(store)["a.png"]
    assert (label.classes, label.regions[0].class_id, label.regions[0].name) == (("CRACK",), "CRACK", "Riss")


def test_an_imports_taxonomy_file_is_read(source: Path, bring_in: Import, tmp_path: Path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(Taxonomy("mine", "3", ()).to_json() | {"classes": [{"id": "X", "aliases": ["Riss"]}]}))
    table(source, [{"file": "a.png", "label": "riss"}])
    assert bring_in(taxonomy=os.fspath(path)).labels == {"X": 1}
