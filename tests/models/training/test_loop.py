from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import BadInput, ModelError
from core.pictures.tiling import Look
from core.records import Region
from models import nets
from models.training.average import Average
from models.training.examples import Example
from models.training.loop import Recipe, fingerprint, fit, spoken, window_of
from models.training.pictures import Pictures
from models.training.recipes import TRANSPLANTS, WHOLE, look_for, recipe_for, whole_for
from models.training.schedule import Schedule
from models.training.validate import Progress

RECIPE = Recipe(
    epochs=3,
    batch=8,
    least_windows=24,
    look=Look(tile=64, stride=32),
    schedule=replace(Schedule.from_scratch(), frozen=0.2),
    patience=99,
)


@pytest.fixture(scope="module")
def plant():
    """Pictures of dark pits on noise, and how to read them."""
    rng = np.random.default_rng(0)
    pictures, examples = {}, []
    for i in range(24):
        pixels = rng.normal(150, 8, (70, 90, 3)).clip(0, 255).astype(np.uint8)
        regions = ()
        if i % 2 == 0:
            x, y = int(rng.integers(5, 70)), int(rng.integers(5, 50))
            pixels[y : y + 14, x : x + 14] = 20
            regions = (Region(float(x), float(y), 14.0, 14.0, "pit", "PIT"),)
        split = "train" if i < 14 else "val"
        name = f"{i}.png"
        pictures[name] = pixels
        classes = ("PIT",) if regions else ()
        examples.append(Example(name, name, split, name, bool(regions), 90, 70, None, classes, regions))
    train = [e for e in examples if e.split == "train"]
    return train, [e for e in examples if e.split == "val"], lambda e: pictures[e.path]


def built(classes=("PIT",), dense=True):
    torch.manual_seed(0)
    return nets.build("test_resnet", classes, dense, "scratch", size=64)


class Killed(Exception):
    """Stands for SIGKILL between two epochs."""


def killed_after(epochs):
    def progress(done, total, message):
        if done >= epochs:
            raise Killed

    return progress


def same_weights(first, second):
    return all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_training_that_was_killed_ends_as_if_it_had_not_been(plant, tmp_path, epochs):
    train, val, read = plant
    unbroken = fit(built(), train, val, read, RECIPE)
    state = tmp_path / "state.safetensors"
    with pytest.raises(Killed):
        fit(built(), train, val, read, RECIPE, state=state, progress=killed_after(epochs))
    continued = fit(built(), train, val, read, RECIPE, state=state)
    assert same_weights(continued.net, unbroken.net)
    assert continued.best == unbroken.best
    assert [e.validation for e in continued.history] == [e.validation for e in unbroken.history]


def test_another_seed_is_another_training(plant):
    train, val, read = plant
    one = replace(RECIPE, epochs=1)
    first = fit(built(), train, val, read, one)
    assert same_weights(first.net, fit(built(), train, val, read, one).net)
    assert not same_weights(first.net, fit(built(), train, val, read, replace(one, seed=1)).net)


def test_another_trainings_state_is_refused(plant, tmp_path):
    train, val, read = plant
    state = tmp_path / "state.safetensors"
    fit(built(), train, val, read, replace(RECIPE, epochs=1), state=state)
    with pytest.raises(ModelError, match="other pictures or settings"):
        fit(built(), train[2:], val, read, replace(RECIPE, epochs=1), state=state)


def test_a_picture_that_changes_sides_makes_another_training(plant):
    train, val, _ = plant
    net = built()
    names = {
        fingerprint(net, *sides, RECIPE) for sides in ((train, val), ([*train, val[0]], val[1:]), ([*train, *val], []))
    }
    assert len(names) == 3


def test_a_damaged_state_is_refused_in_words(plant, tmp_path):
    train, val, read = plant
    state = tmp_path / "state.safetensors"
    state.write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="delete it and train again"):
        fit(built(), train, val, read, RECIPE, state=state)


def test_the_best_epochs_weights_are_kept(plant, monkeypatch):
    train, val, read = plant
    worth = iter([Progress(0.5, 0.8, None), Progress(0.2, 0.9, None), Progress(0.9, 0.4, None)])
    monkeypatch.setattr("models.training.loop.progress_of", lambda seen, join: next(worth))
    fitted = fit(built(), train, val, read, RECIPE)
    assert fitted.best == 2
    monkeypatch.setattr("models.training.loop.progress_of", lambda seen, join: Progress(0.2, 0.9, None))
    shorter = fit(built(), train, val, read, RECIPE, progress=lambda *_: None)
    assert shorter.best == 1
    assert not same_weights(shorter.net, fitted.net)


def test_it_stops_early_where_nothing_is_gained(plant, monkeypatch):
    train, val, read = plant
    monkeypatch.setattr("models.training.loop.progress_of", lambda seen, join: Progress(0.2, 0.9, None))
    fitted = fit(built(), train, val, read, replace(RECIPE, epochs=8, patience=2))
    assert fitted.best == 2  # the first third of the epochs has not settled
    assert len(fitted.history) == 4


def test_the_last_epoch_is_kept_where_the_validation_pictures_cannot_tell(plant, monkeypatch):
    train, val, read = plant
    losses = iter([0.1, 0.4, 0.9])
    monkeypatch.setattr("models.training.loop.progress_of", lambda seen, join: Progress(next(losses), None, None))
    assert fit(built(), train, val, read, RECIPE).best == 3


def test_validation_pictures_of_few_groups_measure_every_epoch_and_choose_none(plant, monkeypatch):
    train, val, read = plant
    losses = iter([0.2, 0.1, 0.9])
    monkeypatch.setattr("models.training.loop.progress_of", lambda seen, join: Progress(next(losses), 0.9, None))
    told = []
    few = [replace(e, group=str(n % 3)) for n, e in enumerate(val)]
    fitted = fit(built(), train, few, read, replace(RECIPE, patience=1), progress=lambda *said: told.append(said))
    assert fitted.best == 3
    assert [e.validation.log_loss for e in fitted.history] == [0.2, 0.1, 0.9]
    assert "fewer than 4" in fitted.chosen
    assert fitted.chosen in told[-1][2]


def test_a_training_may_end_before_its_schedule_does(plant):
    train, _, read = plant
    short = fit(built(), train, [], read, RECIPE, until=2)
    assert (short.best, len(short.history)) == (2, 2)
    whole = fit(built(), train, [], read, RECIPE)
    assert [e.loss for e in whole.history[:2]] == [e.loss for e in short.history]


def test_without_validation_pictures_the_last_epoch_is_kept(plant):
    train, _, read = plant
    fitted = fit(built(), train, [], read, replace(RECIPE, epochs=2))
    assert fitted.best == 2
    assert fitted.history[0].validation is None


def test_it_learns_what_and_where(plant):
    train, val, read = plant
    fitted = fit(built(), train, val, read, replace(RECIPE, epochs=6, average=0.8))
    last = fitted.history[fitted.best - 1].validation
    assert last.auroc > 0.9
    assert last.dense_precision > 0.3
    assert 0.3 < fitted.prevalence < 0.6


def test_progress_tells_the_time_left(plant):
    train, val, read = plant
    told = []
    fit(built(), train, val, read, RECIPE, progress=lambda *said: told.append(said))
    assert "epoch 1 of 3" in told[0][2]
    assert "left" in told[0][2]
    assert "AUROC" in told[-2][2]
    assert told[-1][:2] == (3, 3)


def test_labels_of_whole_pictures_are_learned_from_too(plant):
    train, val, read = plant
    bare = [[replace(e, regions=(), probability=float(e.defective)) for e in part] for part in (train, val)]
    look = look_for(bare[0], 64)
    net = built((), dense=False)
    recipe = recipe_for(net, bare[0], look, epochs=1, pretrained=False)
    fitted = fit(net, *bare, read, replace(recipe, batch=8, least_windows=16))
    assert fitted.history[0].validation.dense_precision is None


def test_nothing_to_learn_from_is_refused(plant):
    train, val, read = plant
    with pytest.raises(BadInput, match="train part of the dataset is empty"):
        fit(built(), [], val, read, RECIPE)
    good = [e for e in train if not e.defective]
    with pytest.raises(BadInput, match="pictures are good and none has a region"):
        fit(built(), good, val, read, RECIPE)


def test_a_loss_that_is_no_number_stops_the_training(plant):
    train, val, read = plant
    net = built()
    with torch.no_grad():
        net.head.bias.fill_(float("nan"))
    with pytest.raises(ModelError, match="loss became nan"):
        fit(net, train, val, read, RECIPE)


def test_kept_norms_keep_their_statistics(plant):
    train, val, read = plant
    net = built()
    before = {k: v.clone() for k, v in net.trunk.state_dict().items() if k.endswith("running_mean")}
    recipe = replace(RECIPE, epochs=1, schedule=Schedule(kept_stages=1))
    fitted = fit(net, train, val, read, recipe)
    assert all(torch.equal(v, fitted.net.trunk.state_dict()[k]) for k, v in before.items())


def test_the_average_follows_weights_and_buffers():
    net = built()
    average = Average(net, 0.9)
    with torch.no_grad():
        for value in net.state_dict().values():
            value.add_(1)
    for _ in range(200):
        average.add(net)
    for mine, theirs in zip(average.net.state_dict().values(), net.state_dict().values(), strict=True):
        assert torch.allclose(mine.float(), theirs.float(), atol=1e-3)


def test_pictures_without_regions_are_shrunk_into_one_tile():
    bare = [Example("a", "a", "train", "g", i == 0, 300, 280) for i in range(2)]
    assert look_for(bare, 256).scale == pytest.approx(256 / 300)
    assert look_for([replace(bare[0], width=64, height=64)], 256).scale == 1.0


def test_drawn_pictures_are_cut_at_their_own_scale_and_undrawn_defects_seen_whole():
    drawn = Example("a", "a", "train", "g", True, 600, 500, None, (), (Region(1.0, 1.0, 5.0, 5.0, "pit"),))
    undrawn = replace(drawn, regions=())
    assert look_for([drawn]) == Look(256, 128, 1.0, False)
    assert look_for([drawn, undrawn]) == Look(256, 128, 1.0, True)


def test_good_windows_get_defects_of_other_pictures_in_the_wanted_share(plant):
    train, _, read = plant
    pictures = Pictures(train, read, ("PIT",), RECIPE.look)
    rng = np.random.default_rng(0)
    recipe = replace(RECIPE, transplant=0.6)
    drawn = [window_of(pictures, pictures.good[0], recipe, rng) for _ in range(150)]
    defective = [w for w in drawn if w.defect]
    assert 0.15 < len(defective) / 150 < 0.45  # two pieces in three are defects, and not every one of them fits
    assert all(w.class_index == 0 and (w.marked == 1).any() for w in defective)
    assert not any(window_of(pictures, pictures.good[0], RECIPE, rng).defect for _ in range(20))


def test_without_drawn_defects_nothing_is_set_into_good_windows(plant):
    train, _, read = plant
    pictures = Pictures([e for e in train if not e.regions], read, (), RECIPE.look)
    window = window_of(pictures, 0, replace(RECIPE, transplant=1.0), np.random.default_rng(0))
    assert window.defect == 0


def test_pictures_are_shown_whole_as_their_labels_ask(plant):
    train = plant[0]
    undrawn = [replace(e, regions=()) for e in train]
    tiles, both = Look(64, 32), Look(64, 32, whole_picture=True)
    assert whole_for(undrawn, tiles, pretrained=True) == 1.0
    assert whole_for(train, tiles, pretrained=True) == 0.0
    assert whole_for([*train, undrawn[0]], tiles, pretrained=True) == WHOLE
    assert whole_for(train, both, pretrained=True) == WHOLE


def test_defects_are_set_into_good_windows_where_they_were_drawn_and_the_trunk_is_pretrained(plant):
    train = plant[0]
    assert recipe_for(built(), train, RECIPE.look, pretrained=True).transplant == TRANSPLANTS
    assert recipe_for(built(), train, RECIPE.look, pretrained=False).transplant == 0
    undrawn = [replace(e, regions=()) for e in train]
    assert recipe_for(built(), undrawn, RECIPE.look, pretrained=True).transplant == 0


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (61, "61 s"), (600, "10 min"), (7200, "2.0 h")])
def test_durations_are_told_as_one_says_them(seconds, said):
    assert spoken(seconds) == said


def test_at_the_time_limit_the_best_epoch_so_far_is_kept(plant, monkeypatch):
    """An epoch that is not over counts for nothing, however good it was going to be."""
    train, val, read = plant
    recipe = replace(RECIPE, epochs=50)
    whole = fit(built(), train, val, read, replace(RECIPE, epochs=50), until=2)
    clock = iter(range(10**6))
    monkeypatch.setattr("models.training.loop.time.monotonic", lambda: float(next(clock)))
    one_epoch = fit(built(), train, val, read, recipe, until=1).seconds
    limited = fit(built(), train, val, read, recipe, limit_s=2.5 * one_epoch)
    assert len(limited.history) == 2
    assert "the time was up" in limited.chosen
    assert limited.best == whole.best
    assert same_weights(limited.net, whole.net)


def test_a_limit_that_not_even_one_epoch_keeps_still_leaves_a_model(plant):
    train, val, read = plant
    fitted = fit(built(), train, val, read, replace(RECIPE, epochs=50, least_windows=400), limit_s=1e-6)
    assert (len(fitted.history), fitted.best) == (1, 1)
    assert fitted.history[0].validation is not None
    assert fitted.cut
    assert not fit(built(), train, val, read, replace(RECIPE, epochs=1)).cut


def test_the_time_before_a_kill_counts_towards_the_limit(plant, tmp_path):
    train, val, read = plant
    state = tmp_path / "state.safetensors"
    with pytest.raises(Killed):
        fit(built(), train, val, read, RECIPE, state=state, progress=killed_after(1))
    again = fit(built(), train, val, read, RECIPE, state=state, limit_s=1e-6)
    assert len(again.history) == 1
    assert "the time was up" in again.chosen


def test_without_a_limit_nothing_is_said_of_time(plant):
    train, val, read = plant
    assert "time" not in fit(built(), train, val, read, RECIPE).chosen


def test_gradient_descent_learns_and_goes_on_after_a_kill_as_adam_does(plant, tmp_path):
    train, val, read = plant
    recipe = replace(RECIPE, schedule=replace(RECIPE.schedule, optimiser="sgd"))
    unbroken = fit(built(), train, val, read, recipe)
    state = tmp_path / "state.safetensors"
    with pytest.raises(Killed):
        fit(built(), train, val, read, recipe, state=state, progress=killed_after(1))
    assert same_weights(unbroken.net, fit(built(), train, val, read, recipe, state=state).net)
    assert not same_weights(unbroken.net, fit(built(), train, val, read, RECIPE).net)
