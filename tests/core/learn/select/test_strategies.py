"""What holds for every strategy of the registry, and the worth of each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, NotFound
from core.learn.select import STRATEGIES, strategy_named
from core.learn.select.choosing import Ask, Quota, choose, control_items
from core.learn.select.strategies.disagreement import divergence
from core.learn.select.strategies.entropy import entropy
from core.learn.select.strategies.least_confidence import least_confidence
from core.learn.select.strategies.margin import margin
from core.learn.select.strategies.relabel import suspicion
from tests.core.learn.select.pools import pool_of, worth

NAMES = sorted(STRATEGIES)


def test_the_registry_has_every_strategy_under_its_own_name():
    assert set(NAMES) == {
        "random", "entropy", "margin", "least-confidence", "k-center", "diversity-uncertainty", "badge", "novelty",
        "disagreement", "relabel-suspects",
    }  # fmt: skip
    assert all(one.title and one.says.endswith(".") for one in STRATEGIES.values())
    with pytest.raises(NotFound, match="k-center"):
        strategy_named("best")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.integers(1, 70), st.integers(1, 3), st.integers(0, 1000))
def test_the_budget_is_kept_and_no_part_is_asked_about_twice(name, n, items, of_a_part, seed):
    pool = pool_of(n, seed=seed, pictures_of_a_part=of_a_part)
    found = choose(pool, Ask(name, items, similar=None, seed=seed))
    parts = [pool.parts[row] for row in found.rows]
    assert len(found.rows) == min(items, len(set(pool.parts.tolist())))
    assert len(set(parts)) == len(parts)
    assert all(0 <= row < n for row in found.rows)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(st.integers(4, 40), st.integers(0, 8), st.integers(0, 30), st.integers(0, 5), st.integers(0, 1000))
def test_quotas_are_kept(name, items, least, most, of_class, seed):
    pool = pool_of(90, seed=seed)
    room = items if name == "random" else items - control_items(items, 0.2)
    least, of_class = min(least, room), min(of_class, room)
    quotas = (Quota("site", "Turin", least), Quota("site", "Lyon", 0, most), Quota("class", "CRACK", of_class))
    found = choose(pool, Ask(name, items, quotas=quotas, similar=None, seed=seed))
    sites = [pool.sites[row] for row in found.rows]
    cracks = sum(pool.likeliest_defect()[found.rows] == 1)
    assert sites.count("Lyon") <= most
    assert sites.count("Turin") >= min(least, 45) or found.short.get("Turin") or len(found.rows) == items
    assert cracks >= of_class or found.short.get("CRACK") or len(found.rows) == items
    assert len(found.rows) <= items


@pytest.mark.parametrize("name", NAMES)
def test_a_quota_that_can_be_filled_is_filled(name):
    pool = pool_of(200, seed=5)
    found = choose(pool, Ask(name, 30, quotas=(Quota("class", "PIT", 12), Quota("site", "Turin", 15)), similar=None))
    assert sum(pool.likeliest_defect()[found.rows] == 2) >= 12
    assert [pool.sites[row] for row in found.rows].count("Turin") >= 15
    assert found.short == {}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_batch_and_another_seed_another_random_arm(name):
    pool = pool_of(150)
    first, again, other = (choose(pool, Ask(name, 25, seed=seed)) for seed in (3, 3, 4))
    assert first == again
    assert [p.row for p in first.picks if p.arm == "random"] != [p.row for p in other.picks if p.arm == "random"]


@pytest.mark.parametrize("name", NAMES)
def test_every_batch_holds_a_random_arm(name):
    found = choose(pool_of(300), Ask(name, 20))
    arms = [one.arm for one in found.picks]
    assert arms.count("random") == (20 if name == "random" else 4)
    assert all(one.why for one in found.picks)


@pytest.mark.parametrize("name", [one for one in NAMES if one != "random"])
def test_it_is_no_worse_than_random_where_it_should_win(name):
    mine = theirs = 0.0
    for seed in range(10):
        pool, value = worth(name, seed)
        ask = Ask(name, 25, control=0.05, similar=None, seed=seed)
        mine += sum(value[one.row] for one in choose(pool, ask).picks if one.arm == "strategy") / 24
        theirs += value.mean()
    assert mine > 2 * theirs, (mine, theirs)


def test_random_finds_what_chance_finds():
    shares = []
    for seed in range(40):
        pool, value = worth("random", seed)
        shares.append(value[choose(pool, Ask("random", 50, seed=seed, similar=None)).rows].mean() - value.mean())
    assert abs(np.mean(shares)) < 0.02


@pytest.mark.parametrize("name", ["k-center", "entropy", "diversity-uncertainty"])
def test_near_duplicates_of_a_pick_or_of_a_label_are_left_out(name):
    rng = np.random.default_rng(0)
    shapes = rng.normal(size=(40, 12))
    points = (np.repeat(shapes, 5, axis=0) + rng.normal(0, 0.001, (200, 12))).astype(np.float32)
    pool = pool_of(200, 12, embeddings=points, labelled=points[:5].copy())
    found = choose(pool, Ask(name, 60, control=0.05))
    chosen = [row // 5 for row in found.rows]
    drawn = sum(one.arm == "random" for one in found.picks)
    assert len(set(chosen)) == len(chosen) == len(found.rows)
    assert 0 not in [one.row // 5 for one in found.picks if one.arm != "random"]
    assert 39 - drawn <= len(found.rows) <= 40
    assert found.left_out["nearly the same as another"] > 0


def test_the_random_arm_is_a_plain_sample_of_the_pool():
    pool, often = pool_of(20), np.zeros(20)
    for seed in range(600):
        often[[one.row for one in choose(pool, Ask("entropy", 5, seed=seed)).picks if one.arm == "random"]] += 1
    assert often.sum() == 600
    assert often.min() > 10
    assert often.max() < 60


def test_what_a_pool_cannot_feed_is_refused_in_a_sentence():
    with pytest.raises(BadInput, match="second model"):
        choose(pool_of(shadow=None), Ask("disagreement", 5))
    with pytest.raises(BadInput, match="labelled pictures"):
        choose(pool_of(given=None), Ask("relabel-suspects", 5))
    with pytest.raises(BadInput, match="nothing is labelled"):
        choose(pool_of(labelled=0), Ask("novelty", 5))
    with pytest.raises(BadInput, match="Nothing is left"):
        choose(pool_of(0), Ask("random", 5))
    with pytest.raises(BadInput, match="room for 4"):
        choose(pool_of(), Ask("entropy", 5, quotas=(Quota("site", "Lyon", 5),)))
    with pytest.raises(BadInput, match="no class BURR"):
        choose(pool_of(), Ask("entropy", 5, quotas=(Quota("class", "BURR", 1),)))
    with pytest.raises(BadInput, match="random arm"):
        choose(pool_of(), Ask("entropy", 5, control=0.0))
    with pytest.raises(BadInput, match="different lengths"):
        pool_of(parts=np.arange(3))


def test_a_model_without_classes_can_be_chosen_for_all_the_same():
    pool = pool_of(names=("good", "DEFECT"), shadow=None, given=None)
    assert len(choose(pool, Ask("margin", 9)).rows) == 9


def test_novelty_as_measured_goes_before_distance():
    novelty = np.zeros(120)
    novelty[[7, 70]] = 3.0
    found = choose(pool_of(novelty=novelty), Ask("novelty", 3, control=0.05))
    assert {7, 70} & {one.row for one in found.picks if one.arm == "strategy"}


def test_a_tie_is_worth_the_most_and_certainty_nothing():
    rows = np.array([[0.5, 0.5], [1.0, 0.0]])
    for measure in (entropy, margin, least_confidence):
        np.testing.assert_allclose(measure(rows), [1, 0], atol=1e-9)


@given(st.integers(0, 1000), st.integers(2, 6))
def test_measures_stay_between_nothing_and_one_and_do_not_depend_on_the_order_of_classes(seed, k):
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(k, 0.4), 20)
    for measure in (entropy, margin, least_confidence):
        found = measure(rows)
        assert found.min() >= 0
        assert found.max() <= 1
        np.testing.assert_allclose(found, measure(rows[:, ::-1]))
    np.testing.assert_allclose(divergence(rows, rows), 0, atol=1e-9)
    np.testing.assert_allclose(divergence(rows, rows[::-1]), divergence(rows[::-1], rows))


def test_a_wrong_label_among_right_ones_is_the_first_suspect_and_its_own_part_is_not_asked():
    rng = np.random.default_rng(2)
    points = np.concatenate([rng.normal(0, 1, (40, 5)), rng.normal(9, 1, (40, 5))]).astype(np.float32)
    given_ = np.repeat([0, 1], 40)
    given_[11] = given_[12] = 1  # two pictures of one part, both wrongly labelled
    parts = np.arange(80)
    parts[12] = parts[11]
    found = suspicion(points, given_, parts)
    assert set(np.argsort(-found)[:2].tolist()) == {11, 12}
    assert found[11] == 1.0
