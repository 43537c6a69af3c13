"""Simulated months of a plant whose truth is known: parts, decisions, audits and people who err."""

from dataclasses import dataclass

import numpy as np

from core.audits.estimates import Cell, Eyes, Look, Stratum
from core.records import Outcome

BINS = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0])

OUTCOMES = (Outcome.PASS, Outcome.HOLD, Outcome.FAIL)


@dataclass(frozen=True)
class Plant:
    """How a site works.

    Attributes:
        parts: a month.
        defective: share of them, by line.
        skill: distance of the two score distributions in logits; more is a better model.
        unseen: share of the defective parts that look like good ones to the model.
        band: of scores that are held.
        shares: audited share of passes and fails, by line: unequal and recorded.
        near: how many times that share is drawn in the upper half of what passes.
        sees, clears: people's sensitivity and specificity; 1 is perfect.
        gold: answers to defective and to good gold items.
    """

    name: str
    parts: int = 40_000
    defective: tuple[float, float] = (0.03, 0.05)
    skill: float = 3.6
    unseen: float = 0.03
    band: tuple[float, float] = (0.25, 0.90)
    shares: tuple[tuple[float, float], tuple[float, float]] = ((0.06, 0.10), (0.12, 0.10))
    near: float = 1.0
    sees: float = 1.0
    clears: float = 1.0
    gold: tuple[int, int] = (200, 300)


@dataclass(frozen=True)
class Month:
    """What was recorded of a month, and what only the simulation knows."""

    cells: list[Cell]
    looks: list[Look]
    leanings: list[bool]
    eyes: Eyes | None
    truth: dict[str, float]


def month(plant: Plant, rng: np.random.Generator) -> Month:
    """One month."""
    line = rng.integers(0, 2, plant.parts)
    kind = rng.integers(0, 2, plant.parts)
    bad = rng.random(plant.parts) < np.array(plant.defective)[line]
    shows = bad & (rng.random(plant.parts) >= plant.unseen)
    logit = rng.normal(0, 1.25, plant.parts) - plant.skill / 2 + plant.skill * shows
    score = 1 / (1 + np.exp(-logit))
    outcome = np.where(score < plant.band[0], 0, np.where(score > plant.band[1], 2, 1))
    share = np.ones(plant.parts)
    rates = np.array(plant.shares)
    share[outcome == 0] = rates[line[outcome == 0], 0]
    share[outcome == 2] = rates[line[outcome == 2], 1]
    share[(outcome == 0) & (score > plant.band[0] / 2)] *= plant.near
    share = np.minimum(share, 1.0)
    drawn = rng.random(plant.parts) < share
    correct = rng.random(plant.parts) < np.where(bad, plant.sees, plant.clears)
    said = np.where(correct, bad, ~bad)
    bins = np.digitize(score, BINS[1:-1])
    keys = ((outcome * 100 + bins) * 2 + line) * 2 + kind
    found, of, parts = np.unique(keys, return_inverse=True, return_counts=True)
    sums = np.bincount(of, score)
    strata: list[tuple[Outcome, Stratum]] = [
        (OUTCOMES[key // 400], (f"bin {key // 4 % 100:02}", f"line {key // 2 % 2}", f"type {key % 2}")) for key in found
    ]
    cells = [Cell(*strata[at], int(parts[at]), float(sums[at])) for at in range(len(found))]
    looked = (of[drawn].tolist(), share[drawn].tolist(), said[drawn].tolist(), score[drawn].tolist())
    looks = [Look(*strata[at], *rest) for at, *rest in zip(*looked, strict=True)]
    truth = {
        "miss": (bad & (outcome == 0)).sum() / bad.sum(),
        "escape": bad[outcome == 0].mean(),
        "false_reject": (~bad & (outcome == 2)).sum() / (~bad).sum(),
    }
    eyes = None
    if plant.sees < 1 or plant.clears < 1:
        on_bad, on_good = plant.gold
        eyes = Eyes(int(rng.binomial(on_bad, plant.sees)), on_bad, int(rng.binomial(on_good, plant.clears)), on_good)
    return Month(cells, looks, (score[drawn] >= 0.5).tolist(), eyes, truth)
