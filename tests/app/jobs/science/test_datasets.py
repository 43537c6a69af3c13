import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from app.jobs.intake.imports import import_labels
from app.jobs.science.datasets import build_dataset, check_dataset, manifest_path, show_dataset
from app.settings import Settings
from core.errors import BadInput, Conflict, NotFound
from data.store import Store


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Forty pictures of ten tiles, four defective; two tiles carry a split, and one picture is there twice."""
    folder = tmp_path / "tiles"
    folder.mkdir()
    rows = []
    for n in range(40):
        group = n // 4
        pixels = np.random.default_rng(min(n, 38)).integers(0, 255, (24, 32, 3), np.uint8)
        Pil.fromarray(pixels).save(folder / f"{n:02d}.png")
        rows.append(
            {
                "file": f"{n:02d}.png",
                "label": "crack" if group < 4 else "ok",
                "group": f"tile {group}",
                "split": {0: "train", 1: "val"}.get(group, ""),
                "boxes": '[[1,2,11,12,"crack"]]' if group < 4 else "",
                "camera": f"cam {n % 2}",
            }
        )
    write(folder, rows)
    return folder


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def filled(store: Store, settings: Settings, source: Path) -> Store:
    import_labels(store, settings, source, "Lyon")
    return store


def sides(manifest: dict[str, Any]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for item in manifest["items"]:
        found[item["part"]].add(item["split"])
    return found


def test_a_split_goes_by_groups_and_every_class_is_on_both_sides(filled: Store, settings: Settings):
    manifest = build_dataset(filled, settings, "first", {"site": "Lyon"}, "train=.5,val=.5,test=0", seed=3)
    assert len(manifest["items"]) == 40
    assert all(len(found) == 1 for found in sides(manifest).values())
    assert manifest["counts"].keys() == {"train", "val"}
    assert all(counts["defective"] == 8 for counts in manifest["counts"].values())
    item = next(item for item in manifest["items"] if item["defective"])
    assert (item["classes"], item["width"], item["height"], item["probability"]) == (["CRACK"], 32, 24, None)
    assert [(r["x"], r["y"], r["width"], r["height"], r["class_id"]) for r in item["regions"]] == [
        (1, 2, 10, 10, "CRACK")
    ]
    assert manifest["classes"][0] == "SURFACE_SCRATCH"


def test_the_split_of_an_import_is_kept_and_the_rest_divided(filled: Store, settings: Settings):
    found = sides(build_dataset(filled, settings, "kept"))
    assert (found["tile 0"], found["tile 1"]) == ({"train"}, {"val"})
    again = sides(build_dataset(filled, settings, "own", split="train=0,val=0,test=1"))
    assert set.union(*again.values()) == {"test"}


def test_the_same_name_seed_and_labels_give_the_same_bytes(filled: Store, settings: Settings):
    build_dataset(filled, settings, "same", seed=5)
    first = manifest_path(settings, "same").read_bytes()
    build_dataset(filled, settings, "same", seed=5)
    assert manifest_path(settings, "same").read_bytes() == first
    assert len(filled.datasets.names()) == 1


def test_a_dataset_never_changes(filled: Store, settings: Settings):
    build_dataset(filled, settings, "frozen", seed=5, split="train=.5,val=.5")
    before = manifest_path(settings, "frozen").read_bytes()
    with pytest.raises(Conflict, match="never changes"):
        build_dataset(filled, settings, "frozen", seed=6, split="train=.5,val=.5")
    assert manifest_path(settings, "frozen").read_bytes() == before


def test_the_same_bytes_are_never_on_two_sides(filled: Store, settings: Settings):
    for seed in range(5):
        manifest = build_dataset(filled, settings, f"d{seed}", split="train=.5,val=.5", seed=seed)
        found = defaultdict(set)
        for item in manifest["items"]:
            found[item["sha256"]].add(item["split"])
        assert all(len(one) == 1 for one in found.values())


def test_a_group_that_the_source_tore_apart_is_brought_together_and_counted(
    store: Store, settings: Settings, source: Path
):
    rows = list(csv.DictReader((source / "index.csv").open()))
    for n, row in enumerate(rows):
        row["split"] = "val" if n % 4 == 3 else "train"
    write(source, rows)
    import_labels(store, settings, source, "Lyon")
    manifest = build_dataset(store, settings, "mended")
    counted = {"groups": 10, "brought_together": 10, "groups_on_two_sides": 0, "files_on_two_sides": 0}
    assert manifest["certificate"].items() >= counted.items()
    assert manifest["counts"].keys() == {"train"}


def test_filters_choose_and_unknown_ones_are_refused(filled: Store, settings: Settings):
    assert len(build_dataset(filled, settings, "a", {"camera": "cam 1"})["items"]) == 20
    assert len(build_dataset(filled, settings, "b", {"class": "CRACK"})["items"]) == 16
    assert len(build_dataset(filled, settings, "c", {"defective": "no", "camera": "cam 0|cam 1"})["items"]) == 24
    with pytest.raises(BadInput, match="No filter 'colour'"):
        build_dataset(filled, settings, "d", {"colour": "red"})
    with pytest.raises(BadInput, match="No labelled picture"):
        build_dataset(filled, settings, "e", {"camera": "cam 9"})
    with pytest.raises(NotFound):
        build_dataset(filled, settings, "f", {"site": "Nowhere"})


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 101, "a b"])
def test_a_name_that_could_leave_the_folder_is_refused(filled: Store, settings: Settings, name: str):
    with pytest.raises(BadInput, match="cannot name a dataset"):
        build_dataset(filled, settings, name)


def test_check_finds_what_has_changed(filled: Store, settings: Settings, source: Path):
    build_dataset(filled, settings, "checked")
    found = check_dataset(filled, settings, "checked")
    assert found.pop("certificate")["checks"]
    assert found == {
        "name": "checked", "ok": True, "hash_ok": True, "files": {"ok": 40, "missing": 0, "changed": 0},
        "problems": [], "leaks": [],
    }  # fmt: skip
    (source / "00.png").unlink()
    (source / "01.png").write_bytes(b"other")
    found = check_dataset(filled, settings, "checked")
    assert (found["ok"], found["files"]) == (False, {"ok": 38, "missing": 1, "changed": 1})


def test_check_finds_a_manifest_that_somebody_edited(filled: Store, settings: Settings):
    build_dataset(filled, settings, "edited", split="train=.5,val=.5")
    path = manifest_path(settings, "edited")
    manifest = json.loads(path.read_text())
    manifest["items"][0]["split"] = "test"
    path.write_text(json.dumps(manifest))
    found = check_dataset(filled, settings, "edited")
    assert (found["ok"], found["hash_ok"]) == (False, False)
    assert found["leaks"]


def test_show_leaves_the_items_out(filled: Store, settings: Settings):
    build_dataset(filled, settings, "shown")
    shown = show_dataset(filled, "shown")
    assert "items" not in shown
    assert shown["counts"]["train"]["images"] > 0
    with pytest.raises(NotFound):
        show_dataset(filled, "missing")
