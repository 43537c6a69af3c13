"""Cameras whose pictures look one way and then another, as a net's embeddings of them, looked at as the worker does."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from core.watch.embedding import GATHERED, sketch
from core.watch.facts import Figure, Picture, StreamFacts
from core.watch.rules import DEFAULTS, RuleKind
from core.watch.watched import look

WIDE = 256  # numbers of an embedding here
START = datetime(2026, 3, 2, tzinfo=UTC)


class Camera:
    """A few things vary from picture to picture, everything else a little; like a net's features, none is negative.

    Attributes:
        shift: added to every picture.
        wider: how many times as much the few things vary.
    """

    def __init__(self, seed: int, factors: int = 8) -> None:
        self.rng = np.random.default_rng(seed)
        self.middle = self.rng.gamma(2.0, 0.5, WIDE)
        self.ways = self.rng.normal(0, 0.15, (factors, WIDE))
        self.shift = np.zeros(WIDE)
        self.wider = 1.0

    def pictures(self, n: int) -> np.ndarray:
        varies = self.wider * self.rng.normal(size=(n, len(self.ways))) @ self.ways
        return np.maximum(0, self.middle + self.shift + varies + self.rng.normal(0, 0.05, (n, WIDE)))

    def sketches(self, n: int) -> list[str]:
        return [sketch(one) for one in self.pictures(n).astype(np.float32)]


class Site:
    """One or more cameras, watched for drift alone.

    Attributes:
        every: between two looks.
        each: pictures of each camera in that time.
    """

    def __init__(self, *cameras: Camera, every: timedelta = timedelta(minutes=1), each: int = 24) -> None:
        self.cameras = {f"cam {number}": camera for number, camera in enumerate(cameras, start=1)}
        self.rules = {kind: replace(rule, on=kind is RuleKind.DRIFT) for kind, rule in DEFAULTS.items()}
        self.every, self.each = every, each
        self.state: dict = {}
        self.figures: dict[str, Figure] = {}
        self.now, self.number, self.looks = START, 0, 0
        self.open: dict = {}

    def look(self) -> list[Figure]:
        """What is broken, some time later; now and then the state goes through JSON, as the store keeps it."""
        pictures = []
        for name, camera in self.cameras.items():
            for text in camera.sketches(self.each):
                self.number += 1
                pictures.append(Picture(self.number, self.now, "", name, True, False, 0.2, 5.0, {}, True, text))
        self.now += self.every
        self.looks += 1
        facts = StreamFacts(self.now, "net-1", pictures, [], [], None, self.number, 0)
        if self.looks % 20 == 0:
            self.state = json.loads(json.dumps(self.state))
        self.state, figures = look(facts, self.state, self.rules, self.open, str(self.now.date()))
        self.figures = {one.subject: one for one in figures if one.kind is RuleKind.DRIFT}
        return [one for one in self.figures.values() if one.broken]

    def gather(self) -> "Site":
        """Until every camera has its reference."""
        while self.looks * self.each < GATHERED + 1:
            assert self.look() == []
        return self
