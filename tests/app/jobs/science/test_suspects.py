"""Labels in doubt: planted errors are found with their reason, and nobody's training pictures are used against them."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.jobs.science.suspects import find_suspects, last_report, report_path
from app.settings import Settings
from core.errors import BadInput
from core.plant import Arrival
from core.records import Capture, Prediction, Region, Review, Verdict
from data.store import Store
from tests.data.store.plant import site

NOW = datetime(2026, 3, 2, tzinfo=UTC)
N, FLIPPED = 80, (5, 18, 41, 62)


@pytest.fixture
def judged(store: Store, tmp_path: Path) -> Store:
    """Eighty pictures of which a good model has an opinion; four are labelled the other way round."""
    site(store)
    rng = np.random.default_rng(3)
    arrivals = []
    for n in range(N):
        path = tmp_path / f"{n:02}.png"
        cv2.imwrite(str(path), cv2.resize(rng.normal(128, 40, (12, 16)).astype(np.float32), (96, 72)).clip(0, 255))
        score = float(rng.uniform(0.9, 0.99) if n % 2 else rng.uniform(0.01, 0.1))
        said = Prediction("net-1", score, {"CRACK": 0.95, "BURR": 0.05})
        digest = sha256(path.read_bytes()).hexdigest()
        arrivals.append(Arrival(Capture(str(path), f"p{n}"), str(path), digest, 96, 72, None, said))
    store.arrivals.file("Lyon", arrivals, now=NOW)
    reviews = []
    for number, image in enumerate(sorted(store.images.find("Lyon", limit=N), key=lambda one: one.path)):
        bad = bool(number % 2) is (number not in FLIPPED)
        region = Region(10, 10, 2 if number == 1 else 20, 20, "CRACK", "CRACK", key="r1")
        verdict = Verdict.FAIL if bad else Verdict.PASS
        reviews.append((image.id, Review(verdict, "import:x", {image.id: (region,) if bad else ()}, source={"s": "x"})))
    store.reviews.imported("Lyon", reviews, now=NOW)
    return store


@pytest.mark.skipif(find_spec("cleanlab") is None, reason="cleanlab is not installed")
def test_labels_that_the_model_doubts_are_the_planted_ones(judged: Store, settings: Settings):
    report = find_suspects(judged, settings, "Lyon", now=NOW)
    doubted = {one["image"] for one in report["suspects"] if one["why"] == "the model disagrees"}
    paths = {Path(judged.images.get(image).path).stem for image in doubted}
    assert {f"{n:02}" for n in FLIPPED} <= paths
    assert len(paths) <= len(FLIPPED) + 4
    assert "the model says" in next(one["sentence"] for one in report["suspects"] if one["image"] in doubted)


def test_odd_boxes_are_found_and_the_report_is_kept(judged: Store, settings: Settings):
    report = find_suspects(judged, settings, "Lyon", now=NOW)
    assert report["counts"]["tiny box"] == 1
    assert report["labels"] == N
    assert last_report(settings, judged.sites.get("Lyon").id) == json.loads(json.dumps(report))


def test_without_the_package_the_report_says_so(judged: Store, settings: Settings, monkeypatch):
    monkeypatch.setattr("app.jobs.science.suspects.find_spec", lambda name: None)
    report = find_suspects(judged, settings, "Lyon", now=NOW)
    assert any("needs the package cleanlab" in note for note in report["notes"])


def test_a_model_says_nothing_about_what_it_was_trained_on(judged: Store, settings: Settings):
    hashes = [image.sha256 for image in judged.images.find("Lyon", limit=N)]
    items = [{"sha256": one, "split": "train"} for one in hashes[:70]]
    judged.datasets.add("learned", {"name": "learned", "items": items}, "h")
    judged.models.add({"name": "net-2", "dataset": {"name": "learned"}}, "models/net-2", "1" * 64)
    with judged.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE predictions SET model = 'net-2'")
    report = find_suspects(judged, settings, "Lyon", now=NOW)
    assert any("70 labels were left out" in note for note in report["notes"])
    assert "the model disagrees" not in report["counts"]


def test_a_damaged_report_is_refused_in_words(judged: Store, settings: Settings):
    path = report_path(settings, 1)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(BadInput, match="look through the labels again"):
        last_report(settings, 1)
    assert last_report(settings, 2) is None
