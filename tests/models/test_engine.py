import json
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from core.errors import BadInput, ModelError, NotFound
from core.pictures.tiling import Look, plan
from models import checkpoint
from models.checkpoint import load
from models.engine import UNNAMED, Engine, chosen_device, open_engine, prediction_of, stitched
from models.joining import Join, joined
from tests.models.backends.test_backends import tiles_of
from tests.models.conftest import tiny_card, tiny_net

LOOK = Look(64, 32)


def picture(height, width, seed=0):
    """A grey slope with noise and one dark blot."""
    r = np.random.default_rng(seed)
    base = 120 + 60 * np.linspace(0, 1, width)[None, :] + r.normal(0, 6, (height, width))
    y, x = r.integers(0, height), r.integers(0, width)
    base[max(0, y - 5) : y + 5, max(0, x - 5) : x + 5] -= 90
    return np.repeat(np.clip(base, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine(load(tiny_folder), "cpu", "float32", cache=tiny_folder.parent / "converted")


@pytest.fixture(scope="module")
def on_torch(tiny_folder):
    return Engine(load(tiny_folder), "cpu", "float32", through="torch")


def saved(tmp_path, net, **settings):
    checkpoint.save(tmp_path / "m", net, tiny_card(net, "m", **settings))
    return load(tmp_path / "m")


@pytest.mark.parametrize(("width", "height"), [(64, 64), (1, 1), (20, 300), (333, 127), (640, 480)])
def test_a_picture_of_any_size_gets_a_whole_prediction(engine, width, height):
    (found,) = engine.score([picture(height, width)])
    assert 0 <= found.score <= 1
    assert set(found.class_scores) == {"BURR", "CRACK"}
    assert sum(found.class_scores.values()) == pytest.approx(1, abs=1e-5)
    assert found.heatmap.values.dtype == found.where.values.dtype == np.uint8
    assert found.where.values.shape == (-(-height // 8), -(-width // 8))
    assert len(found.tiles) == plan(width, height, LOOK).count
    assert (found.tiles[:, 0] + found.tiles[:, 2] <= width).all()
    assert (found.tiles[:, 4] >= 0).all()
    assert (found.tiles[:, 4] <= 1).all()
    assert found.milliseconds > 0
    assert found.model == "tiny"
    for region in found.regions:
        assert region.class_id in ("BURR", "CRACK")
        assert 0 <= region.x < region.x + region.width <= width + 1e-6
        assert 0 <= region.y < region.y + region.height <= height + 1e-6
    assert len({r.key for r in found.regions}) == len(found.regions)


def test_both_back_ends_give_the_same_predictions(engine, on_torch):
    images = [picture(150, 200, seed) for seed in range(3)]
    for one, other in zip(engine.score(images), on_torch.score(images), strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-3)
        assert_allclose(list(one.class_scores.values()), list(other.class_scores.values()), atol=1e-3)
        assert np.abs(one.heatmap.values.astype(int) - other.heatmap.values).max() <= 1
        assert np.abs(one.where.values.astype(int) - other.where.values).max() <= 1
        assert_allclose(one.tiles, other.tiles, atol=1e-3)


def test_scores_and_maps_are_those_of_the_net_tile_by_tile(engine, tiny_folder):
    from models.preprocess import tiles_of as cut_tiles
    from models.preprocess import to_input

    pixels, net = picture(100, 170), load(tiny_folder).net()
    at = plan(170, 100, LOOK)
    with torch.no_grad():
        out = net(to_input(cut_tiles(pixels, at), net.preprocessing))
    (seen,) = engine.observe([pixels])
    assert_allclose(seen.logits, out.defect, atol=2e-4)
    assert_allclose(seen.class_logits, out.classes, atol=2e-4)
    assert_allclose(seen.why, stitched(out.cam.numpy(), at, 16), atol=1e-4)


def test_a_prediction_brings_what_its_picture_looks_like_from_the_same_pass(engine, on_torch):
    image = picture(150, 200)
    (seen,), (found,), (other,) = engine.observe([image]), engine.score([image]), on_torch.score([image])
    assert seen.features.dtype == found.embedding.dtype == np.float32
    assert seen.features.shape == (plan(200, 150, LOOK).count, len(found.embedding))
    assert_allclose(found.embedding, seen.features.mean(axis=0), rtol=1e-5)
    assert_allclose(found.embedding, other.embedding, atol=1e-3)


def test_pictures_that_share_a_batch_do_not_change_each_other(engine):
    images = [picture(64 + 40 * i, 80, seed=i) for i in range(7)]
    for alone, together in zip([engine.score([i])[0] for i in images], engine.score(images), strict=True):
        assert alone.score == pytest.approx(together.score, abs=1e-5)
        assert_array_equal(alone.heatmap.values, together.heatmap.values)


def test_a_stream_gives_answers_in_order_before_the_last_picture_is_read(engine):
    read = []

    def camera():
        for seed in range(40):
            read.append(seed)
            yield picture(96, 96, seed)

    answers = engine.stream(camera())
    first = next(answers)
    assert len(read) < 40
    found = [first, *answers]
    assert len(found) == 40
    assert found[17].score == pytest.approx(engine.score([picture(96, 96, 17)])[0].score, abs=1e-5)


def test_every_picture_may_be_looked_at_in_its_own_way(engine):
    pixels = picture(128, 256)
    looks = [LOOK, Look(64, 32, 0.5), Look(64, 64), Look(64, 32, whole_picture=True), Look(128, 64)]
    found = engine.score([pixels] * len(looks), looks)
    assert [len(f.tiles) for f in found] == [plan(256, 128, look).count for look in looks]
    assert found[3].tiles[-1, :4].tolist() == [0, 0, 256, 128]
    assert all(f.where.values.shape[0] > 0 for f in found)


def test_the_whole_picture_is_joined_to_the_tiles(engine):
    pixels = picture(128, 256)
    (tiles_only,), (both,) = (engine.observe([pixels], look) for look in (LOOK, replace(LOOK, whole_picture=True)))
    assert_allclose(both.logits[:-1], tiles_only.logits, atol=1e-5)
    assert joined(both.logits, Join()) == pytest.approx(max(tiles_only.logits.max(), both.logits[-1]))
    assert (both.why >= tiles_only.why - 1e-6).all()


def test_the_card_alone_turns_what_was_seen_into_a_prediction(engine):
    (seen,) = engine.observe([picture(100, 100)])
    card = replace(engine.card, heatmap_scale=1e6)
    assert prediction_of(seen, card).heatmap.values.max() == 0
    assert prediction_of(seen, engine.card).score == engine.score([picture(100, 100)])[0].score
    assert prediction_of(seen, replace(card, region_map="why")).regions == ()


def test_a_region_lies_where_the_map_stands_out(engine):
    (seen,) = engine.observe([picture(128, 128)])
    where = np.zeros_like(seen.where)
    where[4:6, 8:11] = 0.9
    (region,) = prediction_of(replace(seen, where=where), engine.card).regions
    assert_allclose([region.x, region.y, region.width, region.height], [64, 32, 24, 16], atol=8)
    assert region.score == pytest.approx(0.9)


def test_a_model_without_classes_leaves_its_regions_unmapped(tmp_path):
    net = tiny_net(classes=())
    engine = Engine(saved(tmp_path, net, region_threshold=0.001), "cpu")
    (found,) = engine.score([picture(64, 64)])
    assert found.class_scores == {}
    assert {(r.name, r.class_id) for r in found.regions} == {(UNNAMED, None)}


@pytest.mark.parametrize("arch", ["test_vit", "test_convnext"])
def test_nets_that_pool_otherwise_get_their_heatmap_from_the_library(tmp_path, arch):
    engine = Engine(saved(tmp_path, tiny_net(arch, dense=False), heatmap_scale=1e-4), "cpu")
    (found,) = engine.score([picture(100, 200)])
    assert "grad-cam" in engine.back_end
    assert found.heatmap.values.max() > 0
    assert found.where is None


def test_several_threads_may_ask_one_engine(engine):
    images = [picture(90, 130, seed) for seed in range(4)]
    alone = [engine.score([i])[0].score for i in images]
    found = [None] * 4

    def ask(i):
        found[i] = [engine.score([images[i]])[0].score for _ in range(3)]

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert_allclose(np.array(found), np.array(alone)[:, None] * np.ones((4, 3)), atol=1e-5)


def test_nothing_to_score_gives_nothing(engine):
    assert engine.score([]) == []


@pytest.mark.parametrize("wrong", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32)])
def test_pixels_that_no_decoder_made_are_refused(engine, wrong):
    with pytest.raises(BadInput):
        engine.score([wrong])


def test_the_callers_array_stays_as_it_was(engine):
    pixels = picture(70, 90)
    before = pixels.copy()
    engine.score([pixels], replace(LOOK, scale=0.5))
    assert_array_equal(pixels, before)


def test_a_model_that_answers_otherwise_than_its_card_is_not_used(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "tiny")
    path = folder / "card.json"
    card = json.loads(path.read_text())
    card["probe"]["logits"][0][0] += 1.0
    path.write_text(json.dumps(card))
    with pytest.raises(ModelError, match="away from its card"):
        Engine(load(folder), "cpu", "float32")
    card["probe"] = {"logits": [], "cam_mean": [], "dense_mean": []}
    path.write_text(json.dumps(card))
    with pytest.raises(ModelError, match="no probe"):
        Engine(load(folder), "cpu", "float32")


def test_nan_while_scoring_is_an_error(engine, monkeypatch):
    real = engine._run.collect

    def poisoned(ticket):
        for values in ticket.outputs:
            values[...] = np.nan
        while ticket.waiting:
            engine._run._finish_oldest()
        ticket.outputs[0][0, 0] = np.nan
        return real(ticket)

    monkeypatch.setattr(engine._run, "collect", poisoned)
    with pytest.raises(ModelError, match="NaN"):
        engine.score([picture(64, 64)])


def test_an_open_engine_is_kept_while_its_card_stays(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "tiny")
    first = open_engine(folder, "cpu", cache=tmp_path / "cache")
    assert open_engine(folder, "cpu") is first
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "heatmap_scale": 7.0}))
    assert open_engine(folder, "cpu", cache=tmp_path / "cache").card.heatmap_scale == 7.0
    with pytest.raises(NotFound):
        open_engine(tmp_path / "none", "cpu")


def test_auto_takes_the_card_where_one_answers(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (chosen_device("auto"), chosen_device("cpu")) == ("cuda", "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == "cpu"
    with pytest.raises(ModelError, match="HOLDPOINT_DEVICE"):
        chosen_device("cuda")


def test_a_large_picture_is_scored_a_few_tiles_at_a_time(engine, monkeypatch):
    handed_over = []
    real = engine._run.submit
    monkeypatch.setattr(engine._run, "submit", lambda tiles: handed_over.append(len(tiles)) or real(tiles))
    (found,) = engine.score([picture(768, 1024)])
    assert max(handed_over) <= 16
    assert len(found.tiles) == sum(handed_over) == plan(1024, 768, LOOK).count


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_card_gives_the_processors_answers(engine, tiny_folder):
    images = [picture(150, 200, seed) for seed in range(3)]
    for precision, off in (("float32", 2e-3), ("bfloat16", 0.05)):
        on_card = Engine(load(tiny_folder), "cuda", precision)
        for one, other in zip(engine.score(images), on_card.score(images), strict=True):
            assert one.score == pytest.approx(other.score, abs=off)


def test_noise_tiles_differ_in_score(engine):
    assert len({round(p.score, 4) for p in engine.score(list(tiles_of(5)))}) > 1
