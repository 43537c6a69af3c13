import numpy as np
import pytest

from core.kpis.rates import MEASURES, OUTCOMES, Stratum, against_flag_all, measures
from core.learn.metrics.proportions import proportion_interval


def stratum(decided, n, defective, weight=1.0):
    return Stratum(
        *(np.array([float(one)]) for one in (decided, n, n * weight, n * weight * weight, defective * weight))
    )


def one(strata):
    return {name: tuple(float(part[0]) for part in found) for name, found in measures(strata).items()}


def test_the_degenerate_matrix_is_what_it_is():
    """Flagging nearly everything: recall 99.97% and next to no precision; nothing here calls it good."""
    strata = {"PASS": stratum(3, 3, 2), "HOLD": stratum(0, 0, 0), "FAIL": stratum(14671, 14671, 6053)}
    found = one(strata)
    assert found["recall"][0] == pytest.approx(6053 / 6055)
    assert found["precision"][0] == pytest.approx(6053 / 14671)
    assert found["f2"][0] == pytest.approx(0.7782, abs=1e-4)
    assert found["false reject rate"][0] == pytest.approx(8618 / 8619)
    ours, everything = against_flag_all(strata) or (1.0, 0.0)
    assert (ours, everything) == (pytest.approx(0.7782, abs=1e-4), pytest.approx(0.7784, abs=1e-4))
    assert ours < everything


def test_an_escape_rate_has_the_exact_interval_of_its_audits():
    strata = {"PASS": stratum(10_000, 300, 3, 50.0), "HOLD": stratum(0, 0, 0), "FAIL": stratum(0, 0, 0)}
    value, low, high, n = one(strata)["escape rate"]
    wanted = proportion_interval(3, 300)
    assert wanted is not None
    assert (value, n) == (pytest.approx(0.01), 300)
    assert (low, high) == (pytest.approx(wanted.low), pytest.approx(wanted.high))


def test_no_clean_audit_proves_that_nothing_escapes():
    strata = {"PASS": stratum(10_000, 100, 0, 100.0), "HOLD": stratum(500, 500, 100), "FAIL": stratum(0, 0, 0)}
    value, low, high, _ = one(strata)["miss rate"]
    assert (value, low) == (0, 0)
    assert high > 0.5  # 3.6% of ten thousand would be more than all that was found


def test_without_audits_a_miss_rate_is_only_bounded():
    strata = {"PASS": stratum(1000, 0, 0), "HOLD": stratum(100, 100, 20), "FAIL": stratum(0, 0, 0)}
    value, low, high, _ = one(strata)["miss rate"]
    assert np.isnan(value)
    assert low == 0
    assert high > 0.95
    assert np.isnan(one(strata)["escape rate"][0])


def test_unequal_weights_count_for_as_many_as_they_stand_for():
    light, heavy = stratum(100, 50, 10, 2.0), stratum(900, 30, 3, 30.0)
    both = Stratum(*(a + b for a, b in zip(
        (light.decided, light.n, light.weight, light.weight2, light.defective),
        (heavy.decided, heavy.n, heavy.weight, heavy.weight2, heavy.defective), strict=True)))  # fmt: skip
    value, low, high, n = one({"PASS": both, "HOLD": stratum(0, 0, 0), "FAIL": stratum(0, 0, 0)})["escape rate"]
    assert value == pytest.approx((20 + 90) / 1000)
    assert n == 80
    plain = proportion_interval(9, 80)
    assert plain is not None
    assert high - low > plain.high - plain.low  # eighty unequal answers are worth less than eighty equal ones


def test_an_outcome_that_never_occurred_needs_no_truth():
    strata = {"PASS": stratum(100, 50, 5, 2.0), "HOLD": stratum(50, 50, 30), "FAIL": stratum(0, 0, 0)}
    found = one(strata)
    assert found["miss rate"][0] == pytest.approx(10 / 40)
    assert found["recall"][0] == pytest.approx(30 / 40)
    assert all(0 <= low <= value <= high <= 1 for value, low, high, _ in found.values())


@pytest.mark.parametrize("audit_share", [0.05, 0.2])
def test_intervals_cover_the_truth_in_simulated_months(audit_share):
    """2,000 months: parts are decided, some of what passed and failed is audited at random; what held is answered."""
    rng = np.random.default_rng(11)
    months, parts = 2000, 4000
    outcome = rng.multinomial(parts, (0.85, 0.10, 0.05), size=months)
    rates = {"PASS": 0.01, "HOLD": 0.3, "FAIL": 0.85}
    strata = {}
    for place, name in enumerate(OUTCOMES):
        decided = outcome[:, place]
        share = 1.0 if name == "HOLD" else audit_share
        n = rng.binomial(decided, share)
        hits = rng.binomial(n, rates[name])
        weight = 1 / share
        strata[name] = Stratum(*(column.astype(float) for column in (
            decided, n, n * weight, n * weight**2, hits * weight)))  # fmt: skip
    expected = {name: parts * probability for name, probability in zip(OUTCOMES, (0.85, 0.10, 0.05), strict=True)}
    missed = expected["PASS"] * rates["PASS"]
    stopped = expected["HOLD"] * rates["HOLD"] + expected["FAIL"] * rates["FAIL"]
    good = {name: expected[name] * (1 - rates[name]) for name in OUTCOMES}
    precision = stopped / (expected["HOLD"] + expected["FAIL"])
    recall = stopped / (stopped + missed)
    truth = {
        "escape rate": rates["PASS"], "miss rate": 1 - recall, "recall": recall, "precision": precision,
        "false reject rate": good["FAIL"] / sum(good.values()),
        "f1": 2 * precision * recall / (precision + recall), "f2": 5 * precision * recall / (4 * precision + recall),
    }  # fmt: skip
    found = measures(strata)
    covered = {name: float(np.mean((found[name].low <= truth[name]) & (truth[name] <= found[name].high)))
               for name in MEASURES}  # fmt: skip
    assert {name: share for name, share in covered.items() if share < 0.94} == {}


def test_overrides_alone_would_show_no_escape_at_all():
    """What nobody looked at has no override: the rate among answers is far from the rate among what passed."""
    rng = np.random.default_rng(2)
    passed, escapes = 20_000, 0.01
    defective = rng.random(passed) < escapes
    audited = rng.random(passed) < 0.05
    strata = {"PASS": stratum(passed, audited.sum(), (audited & defective).sum(), 20.0),
              "HOLD": stratum(0, 0, 0), "FAIL": stratum(0, 0, 0)}  # fmt: skip
    value, low, high, _ = one(strata)["escape rate"]
    assert low <= escapes <= high
    from_overrides = (audited & defective).sum() / passed  # answers against PASS, over all that passed
    assert from_overrides < low
    assert value > 10 * from_overrides
