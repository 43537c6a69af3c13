import numpy as np
import pytest

from core.kpis.standing_out import hint, standing_out

PARTS = {1: 1000, 2: 1000, 3: 1000, 4: 1000}
SITES = dict.fromkeys(PARTS, 1)


def test_a_class_that_is_frequent_on_one_line_stands_out_there_only():
    counts = {(1, "BURR"): 10, (2, "BURR"): 12, (3, "BURR"): 11, (4, "BURR"): 60, (1, "PIT"): 20, (2, "PIT"): 19,
              (3, "PIT"): 21, (4, "PIT"): 22}  # fmt: skip
    found = standing_out(counts, PARTS, SITES)
    assert [(one.line, one.class_id) for one in found if one.stands_out] == [(4, "BURR")]
    assert found[0].elsewhere == pytest.approx(33 / 3000)
    assert found[0].within.low > found[0].elsewhere


def test_a_site_with_one_line_has_nothing_to_compare_with():
    found = standing_out({(1, "BURR"): 500}, {1: 1000, 2: 1000}, {1: 1, 2: 2})
    assert [(one.p, one.stands_out) for one in found] == [(None, False)]


def test_what_is_marked_by_chance_stays_within_the_promised_share():
    """All lines are alike, or one of four differs: the share of false marks among the marks, over 400 plants."""
    rng = np.random.default_rng(8)
    classes = ("A", "B", "C", "D", "E")
    alike, mixed = [], []
    for _ in range(200):
        same = {(line, name): int(rng.binomial(500, 0.02)) for line in PARTS for name in classes}
        alike.append(any(one.stands_out for one in standing_out(same, dict.fromkeys(PARTS, 500), SITES)))
        real = same | {(4, "A"): int(rng.binomial(500, 0.10))}
        marks = [(one.line, one.class_id) for one in standing_out(real, dict.fromkeys(PARTS, 500), SITES)
                 if one.stands_out]  # fmt: skip
        mixed.append(sum(one != (4, "A") for one in marks) / max(1, len(marks)))
    assert np.mean(alike) <= 0.10 + 3 * (0.1 * 0.9 / 200) ** 0.5
    assert np.mean(mixed) <= 0.10 + 3 * (0.1 * 0.9 / 200) ** 0.5


def test_hints_say_where_to_look_first():
    assert hint("BURR") == "check tool wear"
    assert hint("SURFACE_SCRATCH") == "check guides and handling"
    assert hint("SOMETHING_NEW") == "look at its pictures"
