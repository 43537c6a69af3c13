import numpy as np
import pytest

from app.jobs.demo.bands import Edges, Scored, allowed, chosen, counted, defective_share
from core.learn.metrics import proportion_interval
from data.demo.plant import LINES, Band

BAND = Band(miss=0.05, false_fail=0.03, audit_pass=0.1, audit_fail=0.1, reason="")


def parts(bad: list[float], good: list[float], read: list[float] = []) -> list[Scored]:  # noqa: B006
    return [
        *(Scored(score, True) for score in bad),
        *(Scored(score, False) for score in good),
        *(Scored(score, True, by_reading=True) for score in read),
    ]


def spread(n: int, low: float, high: float) -> list[float]:
    return np.linspace(low, high, n).tolist()


@pytest.mark.parametrize(("trials", "figure"), [(58, 0.05), (59, 0.05), (110, 0.05), (181, 0.05), (98, 0.03)])
def test_one_more_miss_than_allowed_can_no_longer_be_bounded_by_the_figure(trials, figure):
    most = allowed(trials, figure)
    bounds = [proportion_interval(k, trials, 0.90).high for k in range(trials)]
    if most is None:
        assert bounds[0] > figure
    else:
        assert bounds[most] <= figure < bounds[most + 1]


def test_sixty_parts_without_a_miss_are_the_fewest_that_bound_it_by_five_in_a_hundred():
    assert allowed(58, 0.05) is None
    assert allowed(59, 0.05) == 0


def test_the_edges_are_as_near_together_as_the_figures_allow():
    drawn = parts(spread(120, 0.2, 0.99), spread(120, 0.01, 0.8))
    edges = chosen(drawn, BAND)
    kept = counted(drawn, edges, 0.3)
    assert kept["passed_defective"] == allowed(120, 0.05)
    assert kept["failed_good"] == allowed(120, 0.03)
    wider = counted(drawn, Edges(edges.pass_below + 0.01, edges.fail_above - 0.01), 0.3)
    assert wider["passed_defective"] > kept["passed_defective"]
    assert wider["failed_good"] > kept["failed_good"]


def test_what_is_likelier_defective_than_not_never_passes_however_well_the_model_tells_them_apart():
    drawn = parts(spread(120, 0.8, 0.99), spread(120, 0.01, 0.2))
    edges = chosen(drawn, BAND)
    assert edges.pass_below <= 0.5 <= edges.fail_above
    kept = counted(drawn, edges, 0.3)
    assert kept["passed_defective"] <= allowed(120, 0.05)
    assert kept["failed_good"] <= allowed(120, 0.03)


def test_too_few_parts_prove_nothing_so_nothing_passes_and_nothing_fails():
    assert chosen(parts(spread(20, 0.8, 0.9), spread(20, 0.1, 0.2)), BAND) == Edges(0.0, 1.0)


def test_what_only_reading_tells_does_not_move_the_band_and_is_counted_apart():
    bad, good = spread(120, 0.2, 0.99), spread(120, 0.01, 0.8)
    edges = chosen(parts(bad, good), BAND)
    assert chosen(parts(bad, good, spread(9, 0.001, 0.01)), BAND) == edges
    kept = counted(parts(bad, good, [0.001, 0.999]), edges, 0.3)
    assert (kept["defective"], kept["told_by_reading"], kept["told_by_reading_passed"]) == (120, 2, 1)


def test_the_held_share_is_that_of_the_lines_own_mix_of_good_and_defective():
    drawn = parts([0.5] * 10, [0.1] * 30)
    assert counted(drawn, Edges(0.2, 0.8), 0.25)["held_share"] == 0.25
    assert defective_share([line for line in LINES if line.site == "Lyon"]) == pytest.approx(0.30)
