"""The detector: learns small squares in seconds, is kept whole, and answers the same wherever a seam lies."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import torch

from core.errors import BadInput, Conflict, ModelError, NotFound
from core.learn.boxes import matched
from core.pictures.tiling import Look
from core.records import Region
from models.checkpoint import read_card
from models.detector import net as nets
from models.detector.checkpoint import (
    CARD,
    DetectorCard,
    detector_card,
    load_detector,
    open_detector,
    read_detector_card,
    save_detector,
)
from models.detector.loop import BoxRecipe, fit_boxes, truth_of
from models.detector.net import Target, build
from models.detector.serve import Detector, fill_of, find, inputs
from models.training.examples import Example
from models.training.sampling import Augmentation
from models.training.schedule import Schedule

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LOOK = Look(64, 32)
CPU = torch.device("cpu")
RECIPE = BoxRecipe(
    epochs=2, batch=4, window=64, look=LOOK, augmentation=Augmentation(light=0.02, noise=0, scale=1.0),
    schedule=replace(Schedule.from_scratch(), trunk=3e-3, heads=3e-3), precision="float32", check_every=2,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pyramid that a test has time for."""
    monkeypatch.setattr(nets, "WIDTH", 32)
    monkeypatch.setattr(nets, "CONVS", 1)


def squares(n: int, seed: int = 0):
    """Pictures with one bright or dark square each, and a reader."""
    rng = np.random.default_rng(seed)
    examples, pictures = [], {}
    for i in range(n):
        x, y = rng.integers(4, 60, 2)
        bright = i % 2 == 0
        pixels = rng.integers(100, 120, (96, 96, 3)).astype(np.uint8)
        pixels[y : y + 18, x : x + 18] = 240 if bright else 10
        name = "BRIGHT" if bright else "DARK"
        pictures[f"{i}"] = pixels
        examples.append(
            Example(f"{i}", f"{seed}-{i}", "train", f"g{i}", True, 96, 96, classes=(name,),
                    regions=(Region(float(x), float(y), 18.0, 18.0, name, name),))
        )  # fmt: skip
    return examples, lambda e: pictures[e.path]


def tiny(template: bool = False):
    torch.manual_seed(0)
    return build("test_resnet", ("BRIGHT", "DARK"), "scratch", template=template)


def test_it_learns_squares_and_names_them():
    examples, read = squares(16)
    fitted = fit_boxes(tiny(), examples, examples[:6], read, replace(RECIPE, epochs=25, check_every=25))
    others, read_others = squares(10, seed=9)
    seen = [
        truth_of(e, ("BRIGHT", "DARK")).with_found(find(fitted.net, read_others(e), LOOK, CPU)).above(0.3)
        for e in others
    ]
    assert matched(seen, 0.33).f1 > 0.7
    assert fitted.history[-1].map50 > 0.5
    assert not fitted.stopped


def test_a_training_that_was_killed_ends_as_one_that_was_not(tmp_path):
    examples, read = squares(4)
    state, recipe = tmp_path / "state.safetensors", replace(RECIPE, epochs=3, check_every=1)
    reads = []

    class Killed(Exception):
        pass

    def dies(example):
        reads.append(example.path)
        if len(reads) > 2 * len(examples) + 2:  # decoded once, looked at once; killed in the second look
            raise Killed
        return read(example)

    with pytest.raises(Killed):
        fit_boxes(tiny(), examples, examples, dies, recipe, state=state)
    assert len(json.loads(_facts(state))["history"]) == 1
    again = fit_boxes(tiny(), examples, examples, read, recipe, state=state)
    straight = fit_boxes(tiny(), examples, examples, read, recipe)
    for name, value in straight.net.state_dict().items():
        assert torch.equal(value, again.net.state_dict()[name]), name
    assert [e.loss for e in again.history] == [e.loss for e in straight.history]


def _facts(path):
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return file.metadata()["facts"]


def test_the_state_of_another_training_is_refused(tmp_path):
    examples, read = squares(4)
    state = tmp_path / "state.safetensors"
    fit_boxes(tiny(), examples, [], read, replace(RECIPE, epochs=1), state=state)
    with pytest.raises(ModelError, match="other pictures or settings"):
        fit_boxes(tiny(), examples, [], read, replace(RECIPE, epochs=1, seed=4), state=state)


def test_it_stops_when_its_minutes_are_over_and_keeps_what_it_has():
    examples, read = squares(4)
    ticks = iter(range(10_000))
    fitted = fit_boxes(
        tiny(), examples, examples, read, replace(RECIPE, epochs=50, minutes=0.5), clock=lambda: 2.0 * next(ticks)
    )
    assert fitted.stopped
    assert len(fitted.history) < 50
    assert fitted.cpu_seconds >= 30
    assert fitted.history[-1].map50 is not None


def test_pictures_without_a_box_teach_nothing():
    examples, read = squares(2)
    with pytest.raises(BadInput, match="No training picture has a region"):
        fit_boxes(tiny(), [replace(e, regions=(), defective=False) for e in examples], [], read, RECIPE)
    with pytest.raises(BadInput, match="class to find"):
        build("test_resnet", (), "scratch")


def test_a_trunk_without_a_pyramid_is_refused():
    with pytest.raises(BadInput, match="pyramid"):
        build("test_vit", ("A",), "scratch")


def test_an_unknown_place_counts_neither_way():
    net = tiny().train()
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    box = torch.tensor([[8.0, 8, 40, 40]])
    nothing = torch.zeros(0, 4)
    said = net.outputs(x)

    def loss(target):
        return net.loss_of(x, said.features, said.places, [target])

    background = loss(Target(nothing, torch.zeros(0, dtype=torch.int64), nothing))
    unknown = loss(Target(nothing, torch.zeros(0, dtype=torch.int64), torch.tensor([[0.0, 0, 64, 64]])))
    known = loss(Target(box, torch.tensor([0]), nothing))
    assert float(background.classes.detach()) > 0
    assert float(unknown.total.detach()) == 0
    assert float(known.boxes.detach()) > 0


def test_boxes_do_not_depend_on_how_many_tiles_are_looked_at_together():
    net = tiny().eval()
    pixels = np.random.default_rng(0).integers(0, 255, (150, 130, 3), dtype=np.uint8)
    one = find(net, pixels, LOOK, CPU)
    from models.detector import serve

    before = serve.BATCH
    serve.BATCH = 3
    try:
        other = find(net, pixels, LOOK, CPU)
    finally:
        serve.BATCH = before
    assert one.boxes == pytest.approx(other.boxes, abs=1e-2)


def test_boxes_stay_inside_the_picture_even_where_it_is_smaller_than_a_tile():
    found = find(tiny().eval(), np.full((40, 30, 3), 90, np.uint8), LOOK, CPU)
    assert (found.boxes[:, :2] >= 0).all()
    assert (found.boxes[:, :2] + found.boxes[:, 2:] <= [30.001, 40.001]).all()


def test_a_template_changes_what_is_seen_and_its_absence_is_no_template():
    net = tiny(template=True).eval()
    rng = np.random.default_rng(0)
    tile, other = (rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(2))
    x, with_other = inputs([tile], [other], net.preprocessing, CPU)
    _, without = inputs([tile], [None], net.preprocessing, CPU)
    said = net.outputs(x)[0]["cls_logits"]
    assert torch.allclose(net.outputs(x, without)[0]["cls_logits"], said, atol=1e-5)
    assert not torch.allclose(net.outputs(x, with_other)[0]["cls_logits"], said, atol=1e-5)


def saved(tmp_path, **more):
    net = tiny()
    return save_detector(tmp_path / "det", net, detector_card(net, "det", NOW, look=LOOK, **more))


def test_a_detector_comes_back_as_it_was(tmp_path):
    card = saved(tmp_path, threshold=0.4, metrics={"map50": 0.5})
    assert read_detector_card(tmp_path / "det") == card
    engine = open_detector(tmp_path / "det", "cpu", card.sha256)
    found = engine.detect(np.full((80, 80, 3), 100, np.uint8))
    assert found.milliseconds > 0
    assert all(r.score >= 0.4 for r in found.regions)
    with pytest.raises(Conflict):
        saved(tmp_path)


def test_other_weights_are_refused(tmp_path):
    saved(tmp_path)
    with pytest.raises(ModelError, match="than the one that the store knows"):
        load_detector(tmp_path / "det", "0" * 64)
    path = tmp_path / "det" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"abcd")
    with pytest.raises(ModelError, match="not those"):
        open_detector(tmp_path / "det", "cpu")


def test_a_detector_that_answers_otherwise_is_refused(tmp_path):
    card = saved(tmp_path)
    path = tmp_path / "det" / CARD
    values = card.to_json() | {"probe": [v + 1 for v in card.probe]}
    path.write_text(json.dumps(values))
    with pytest.raises(ModelError, match="answers its probe"):
        open_detector(tmp_path / "det", "cpu")


def test_a_detector_cannot_be_opened_as_a_model_that_decides(tmp_path):
    saved(tmp_path)
    with pytest.raises(NotFound):
        read_card(tmp_path / "det")


@pytest.mark.parametrize("wrong", [{"kind": "classifier"}, {"format": 9}, {"look": {"side": 3}}, {"probe": ["a"]}])
def test_a_damaged_card_is_refused(tmp_path, wrong):
    card = saved(tmp_path)
    with pytest.raises(ModelError):
        DetectorCard.from_json({**card.to_json(), **wrong})


def test_tiles_that_hardly_overlap_are_refused_before_anything_is_looked_at():
    net = tiny()
    with pytest.raises(BadInput, match="overlap"):
        Detector(detector_card(net, "det", NOW, look=Look(64, 64)), net, CPU)


def test_beyond_the_edge_is_the_colour_that_the_net_sees_as_nothing():
    net = tiny()
    grey = np.full((1, 32, 32, 3), fill_of(net.preprocessing), np.uint8)
    x, _ = inputs(list(grey), None, net.preprocessing, CPU)
    assert float(x.abs().max()) < 0.02
