"""A memory of good pictures through a tiny net: fitted, written, read back, and used as a judge."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
import pytest
import torch

from core.errors import BadInput, Conflict, ModelError, NotFound
from core.pictures.tiling import Look
from models import checkpoint, chunks
from models.engine import Engine
from models.novelty import file, fitting, judge
from models.novelty.eye import evened, own_eye, shared_eye
from models.novelty.patches import CELL, WIDTH, Lens, PatchNet, lens_of, levels_of, scaled
from tests.models.conftest import tiny_card, tiny_net

LOOK = Look(64, 64)


def picture(seed: int, flaw: bool = False, size=(96, 130)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    grey = 120 + 12 * np.sin(np.arange(size[1]) / 3)[None, :] + rng.normal(0, 6, size)
    if flaw:
        grey[40:60, 70:90] = rng.choice([0, 255], (20, 20))
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


@pytest.fixture(scope="module")
def loaded(tiny_folder):
    return checkpoint.load(tiny_folder)


@pytest.fixture(scope="module")
def eye_of(loaded):
    return lambda lens: own_eye(loaded, lens, LOOK, "cpu")


@pytest.fixture(scope="module")
def fitted(loaded, eye_of):
    good = [picture(seed) for seed in range(40)]
    return fitting.fit(eye_of, lens_of(loaded.net(), 64), list(range(40)), lambda rows: (good[row] for row in rows),
                       np.random.default_rng(0), rate=0.1, budget_bytes=200 * 4 * WIDTH)  # fmt: skip


@pytest.fixture(scope="module")
def kept(loaded, fitted, eye_of):
    card = file.MemoryCard("lyon-1", "lyon", None, "tiny", loaded.card.sha256, LOOK, fitted.lens.levels, fitted.limit,
                           31, 31, (0.0, 0.0), created_at=datetime(2026, 3, 2, tzinfo=UTC).isoformat())  # fmt: skip
    made = file.Kept(card, fitted.memory, fitted.lens, fitted.held_out)
    return replace(made, card=replace(card, probe=judge.probe_of(made, eye_of(fitted.lens))))


def test_a_memory_is_bounded_and_its_limit_rests_on_parts_it_has_not_seen(fitted):
    assert fitted.memory.bytes <= 200 * 4 * WIDTH
    assert len(fitted.remembered) + fitted.limit.parts == 40
    assert fitted.limit.rate <= 0.1
    assert fitted.limit.more_needed == 0


def test_a_flaw_nobody_has_shown_is_novel_and_the_map_shows_where(kept, eye_of):
    mine = judge.Judge(kept, eye_of(kept.lens))
    odd, usual = mine.judge(picture(100, flaw=True)), mine.judge(picture(101))
    assert odd.novelty > 1 > usual.novelty * 0.5
    assert odd.novelty > usual.novelty
    assert odd.p_value < usual.p_value
    rows, columns = np.unravel_index(int(odd.heat.values.argmax()), odd.heat.values.shape)
    high, wide = odd.heat.values.shape
    assert 40 - CELL <= (rows + 0.5) / high * 96 <= 60 + CELL
    assert 70 - CELL <= (columns + 0.5) / wide * 130 <= 90 + CELL
    said = mine.prediction(odd)
    assert (said.model, said.novelty, said.class_scores) == ("lyon-1", odd.novelty, {})
    assert 0.5 < said.score < 1


def test_a_written_memory_is_read_back_only_under_its_own_hash(kept, tmp_path):
    path = tmp_path / "novelty" / "lyon-1.safetensors"
    known = file.write(path, kept)
    again = file.read(path, known)
    assert again.card == kept.card
    assert again.memory.vectors.tobytes() == kept.memory.vectors.tobytes()
    assert again.lens.scale.tobytes() == kept.lens.scale.tobytes()
    np.testing.assert_allclose(again.held_out, kept.held_out, rtol=1e-6)
    with pytest.raises(Conflict):
        file.write(path, kept)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="not the memory"):
        file.read(path, known)


def test_what_is_no_memory_is_not_loaded(tmp_path):
    with pytest.raises(NotFound):
        file.read(tmp_path / "none.safetensors", "0" * 64)
    pickled = tmp_path / "memory.pt"
    pickled.write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="pickle"):
        file.read(pickled, sha256(b"\x80\x04.").hexdigest())
    for name, data in {"a": b"", "b": b"\xff" * 20, "c": b"\x02\0\0\0\0\0\0\0{}"}.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(data)
        with pytest.raises(ModelError):
            file.read(path, sha256(data).hexdigest())
    with pytest.raises(BadInput):
        file.MemoryCard("../etc", "lyon", None, "tiny", "", LOOK, (), None, 1, 1, (0.0, 0.0))


def test_a_judge_stays_open_and_another_net_is_refused(kept, tiny_folder, tmp_path):
    path = tmp_path / "m.safetensors"
    known = file.write(path, kept)
    first = judge.open_judge(path, known, tiny_folder, "cpu")
    assert judge.open_judge(path, known, tiny_folder, "cpu") is first
    other = tmp_path / "other"
    net = tiny_net(classes=())
    checkpoint.save(other, net, tiny_card(net, "other"))
    with pytest.raises(ModelError, match="other weights"):
        judge.open_judge(path, known, other, "cpu")


def test_a_machine_that_sees_otherwise_is_refused(kept, eye_of):
    wrong = replace(kept, card=replace(kept.card, probe=(kept.card.probe[0] * 1.5, kept.card.probe[1])))
    with pytest.raises(ModelError, match="probe"):
        judge.Judge(wrong, eye_of(kept.lens))


def test_pictures_of_any_size_are_judged_without_what_lies_beyond_them(kept, eye_of):
    eye = eye_of(kept.lens)
    for size in ((64, 64), (20, 200), (3, 3), (130, 65)):
        seen = eye.see(picture(1, size=size))
        assert len(seen.patches) == seen.where.sum() >= 1
        assert seen.stitched(np.ones(len(seen.patches), np.float32)).max() == pytest.approx(1.0, abs=1e-4)
    whole = eye.see(picture(1, size=(128, 128)))
    assert whole.where.all()
    with pytest.raises(BadInput):
        eye.see(np.zeros((4, 4), np.uint8))


def test_openvino_and_torch_see_the_same_patches(loaded, eye_of):
    lens = lens_of(loaded.net(), 64)
    tiles = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    with torch.no_grad():
        expected = PatchNet(loaded.net(), lens).eval()(torch.from_numpy(tiles)).numpy()
    np.testing.assert_allclose(eye_of(lens).see_tiles(tiles), expected, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("arch", ["test_resnet", "test_vit", "test_efficientnet"])
def test_every_kind_of_trunk_has_middle_layers(arch):
    net = tiny_net(arch, dense=False)
    lens = lens_of(net, 64)
    levels, widths = levels_of(net, 64)
    assert (lens.levels, lens.widths) == (levels, widths)
    assert len(lens.scale) == sum(widths)
    assert lens.width == min(sum(widths), WIDTH)
    tiles = torch.zeros(2, 64, 64, 3, dtype=torch.uint8)
    with torch.no_grad():
        found = PatchNet(net.eval(), lens)(tiles)
    assert found.shape == (2, 4, 4, lens.width)


def test_wide_patches_are_projected_and_keep_their_distances():
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(60, 700)).astype(np.float32)
    signs = (2 * rng.integers(0, 2, (700, WIDTH)) - 1) / np.sqrt(WIDTH)
    lens = Lens((0,), np.ones(700, np.float32), signs.astype(np.float32))
    near = fitting.brought(lens, wide)
    before, after = (np.linalg.norm(one[:, None] - one[None], axis=2)[np.triu_indices(60, 1)] for one in (wide, near))
    assert np.abs(after / before - 1).mean() < 0.1


def test_maps_of_different_spread_weigh_the_same_and_a_silent_channel_is_listened_to():
    lens = Lens((0, 1), np.ones(3, np.float32), widths=(2, 1))
    good = [np.array([[1.0, 5.0, 100.0], [3.0, 5.0, 900.0]], np.float32)]
    assert scaled(lens, good).tolist() == pytest.approx([1.0, 1.0, 1 / 400])
    assert scaled(lens, [np.ones((4, 3), np.float32)]).tolist() == [1.0, 1.0, 1.0]


def test_one_good_part_makes_no_memory(loaded, eye_of):
    with pytest.raises(BadInput, match="1 good part"):
        fitting.fit(eye_of, lens_of(loaded.net(), 64), ["a", "a"], lambda rows: (), np.random.default_rng(0))


def test_good_parts_that_are_all_equal_hold_everything_else(loaded, eye_of):
    same = picture(0)
    found = fitting.fit(eye_of, lens_of(loaded.net(), 64), list(range(6)), lambda rows: (same for _ in rows),
                        np.random.default_rng(0))  # fmt: skip
    assert found.limit.more_needed > 0
    card = file.MemoryCard("same", "lyon", None, "tiny", "", LOOK, found.lens.levels, found.limit, 3, 3, (0.0, 0.0))
    made = file.Kept(card, found.memory, found.lens, found.held_out)
    made = replace(made, card=replace(card, probe=judge.probe_of(made, eye_of(found.lens))))
    mine = judge.Judge(made, eye_of(found.lens))
    assert mine.judge(same).novelty <= 1
    assert mine.judge(picture(3, flaw=True)).novelty > 1


def test_even_light_makes_one_surface_of_several_exposures():
    plain = picture(3).astype(np.float32)
    slope = np.linspace(-30, 30, plain.shape[1])[None, :, None]
    darker = np.clip(plain * 0.5 + 20 + slope * 0.5, 0, 255).astype(np.uint8)
    one, other = (evened(np.clip(each, 0, 255).astype(np.uint8)).astype(float) for each in (plain, darker))
    assert np.abs(one - other).mean() < 0.25 * np.abs(plain - darker).mean()
    assert evened(np.full((1, 1, 3), 7, np.uint8)).shape == (1, 1, 3)
    assert np.ptp(evened(np.full((30, 40, 3), 7, np.uint8))) == 0


def test_under_even_light_a_flaw_is_as_novel_as_before(loaded):
    def eye(lens):
        return own_eye(loaded, lens, LOOK, "cpu", even_light=True)

    rng = np.random.default_rng(2)
    good = [np.clip(picture(seed) * rng.uniform(0.4, 1.4), 0, 255).astype(np.uint8) for seed in range(24)]
    found = fitting.fit(eye, lens_of(loaded.net(), 64), list(range(24)), lambda rows: (good[row] for row in rows),
                        np.random.default_rng(0), rate=0.1, budget_bytes=200 * 4 * WIDTH)  # fmt: skip
    card = file.MemoryCard("even", "lyon", None, "tiny", "", LOOK, found.lens.levels, found.limit, 12, 12, (0.0, 0.0),
                           even_light=True)  # fmt: skip
    made = file.Kept(card, found.memory, found.lens, found.held_out)
    made = replace(made, card=replace(card, probe=judge.probe_of(made, eye(found.lens))))
    assert judge.Judge(made, eye(found.lens)).judge(picture(7, flaw=True)).novelty > 1


@pytest.fixture(scope="module")
def engine(loaded):
    return Engine(loaded, "cpu", "float32", levels=lens_of(loaded.net(), 64).levels)


@pytest.mark.parametrize("size", [(64, 64), (20, 200), (96, 130), (3, 3), (128, 256)])
def test_the_pass_that_scores_gives_the_patches_of_a_pass_of_their_own(loaded, engine, eye_of, fitted, size):
    pixels = picture(4, size=size)
    mine, shared = eye_of(fitted.lens), shared_eye(engine, fitted.lens, LOOK)
    (observed,) = engine.observe([pixels])  # tiles that overlap by half
    expected = mine.see(pixels)
    for seen in (shared.seen(observed), shared.see(pixels)):
        assert seen is not None
        assert (seen.where == expected.where).all()
        np.testing.assert_allclose(seen.patches, expected.patches, atol=1e-5 * np.abs(expected.patches).max())


def test_where_the_model_looked_otherwise_its_pass_is_not_shared(loaded, engine, fitted):
    lens, pixels = fitted.lens, picture(4)
    shared = shared_eye(engine, lens, LOOK)
    for look in (Look(64, 48), Look(64, 32, 0.5), Look(32, 16)):  # other places, another scale, other tiles
        (observed,) = engine.observe([pixels], look)
        assert shared.seen(observed) is None
    (bare,) = Engine(loaded, "cpu", "float32").observe([pixels])
    assert bare.patches is None
    assert shared.seen(bare) is None
    (observed,) = engine.observe([pixels])
    assert own_eye(loaded, lens, LOOK, "cpu", even_light=True).seen(observed) is None
    with pytest.raises(ModelError, match="levels"):
        shared_eye(Engine(loaded, "cpu", "float32"), lens, LOOK)
    with pytest.raises(ModelError, match="without its middle layers"):
        Engine(loaded, "cpu", "float32").patches_of(np.zeros((1, 64, 64, 3), np.uint8))


def test_scores_are_the_same_whether_or_not_a_memory_looks_on(loaded, engine):
    bare = Engine(loaded, "cpu", "float32")
    pictures = [picture(5), picture(6, flaw=True)]
    for one, other in zip(engine.score(pictures), bare.score(pictures), strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-6)
        assert np.abs(one.heatmap.values.astype(int) - other.heatmap.values).max() <= 1


def test_beside_a_model_the_answer_is_that_of_a_look_of_its_own(kept, engine, eye_of, tmp_path, tiny_folder):
    path = tmp_path / "m.safetensors"
    known = file.write(path, kept)
    sharing = judge.open_judge(path, known, tiny_folder, "cpu", engine=engine)
    assert sharing.engine is engine
    alone = judge.open_judge(path, known, tiny_folder, "cpu")
    assert alone.engine is None
    for pixels in (picture(100, flaw=True), picture(101)):
        (observed,) = engine.observe([pixels])
        expected = alone.judge(pixels).novelty
        assert sharing.beside(pixels, observed).novelty == pytest.approx(expected, rel=1e-4)
        assert sharing.beside(pixels, None).novelty == pytest.approx(expected, rel=1e-4)
        assert alone.beside(pixels, observed).novelty == pytest.approx(expected, rel=1e-6)


def test_a_judge_that_shares_a_pass_computes_nothing_again(kept, engine, tmp_path, tiny_folder, monkeypatch):
    path = tmp_path / "m.safetensors"
    sharing = judge.open_judge(path, file.write(path, kept), tiny_folder, "cpu", engine=engine)
    pixels = picture(102)
    (observed,) = engine.observe([pixels])
    monkeypatch.setattr(engine, "patches_of", lambda _: pytest.fail("looked again"))
    assert sharing.beside(pixels, observed).distance > 0


def test_another_model_in_use_leaves_the_memory_a_pass_of_its_own(kept, engine, tmp_path, tiny_folder):
    path = tmp_path / "m.safetensors"
    known = file.write(path, kept)
    net = tiny_net(classes=())
    checkpoint.save(tmp_path / "other", net, tiny_card(net, "other"))
    other = Engine(checkpoint.load(tmp_path / "other"), "cpu", levels=engine.levels)
    assert judge.open_judge(path, known, tiny_folder, "cpu", engine=other).engine is None
    wrong = replace(kept, card=replace(kept.card, name="w", probe=(kept.card.probe[0] * 1.5, kept.card.probe[1])))
    far = tmp_path / "w.safetensors"
    with pytest.raises(ModelError, match="probe"):  # neither pass measures what it was fitted with
        judge.open_judge(far, file.write(far, wrong), tiny_folder, "cpu", engine=engine)


def test_a_picture_with_too_many_patches_is_looked_at_again(kept, engine, tmp_path, tiny_folder, monkeypatch):
    path = tmp_path / "m.safetensors"
    sharing = judge.open_judge(path, file.write(path, kept), tiny_folder, "cpu", engine=engine)
    pixels = picture(103, size=(200, 300))
    (observed,) = engine.observe([pixels])
    expected = sharing.beside(pixels, observed).novelty
    monkeypatch.setattr(chunks, "PATCH_BYTES", 1 << 16)
    (bounded,) = engine.observe([pixels])
    assert bounded.patches is None
    assert sharing.beside(pixels, bounded).novelty == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("arch", ["test_vit", "test_efficientnet"])
def test_every_kind_of_trunk_can_share_its_pass(arch, tmp_path):
    net = tiny_net(arch, dense=False)
    checkpoint.save(tmp_path / arch, net, tiny_card(net, arch))
    loaded = checkpoint.load(tmp_path / arch)
    lens = lens_of(net, 64)
    tiles = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    expected = own_eye(loaded, lens, LOOK, "cpu").see_tiles(tiles)
    found = shared_eye(Engine(loaded, "cpu", "float32", levels=lens.levels), lens, LOOK).see_tiles(tiles)
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())
