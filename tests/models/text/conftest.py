"""A domain small enough to be learned in a second."""

from collections.abc import Callable

import pytest

from core.words.text import marked
from models.text.config import TextConfig, config_of
from models.text.training import Corpus, Trained, fit

SMALL = {
    "encoder": {"words": 16, "characters": 8, "spelling": 8, "width": 32, "blocks": 1, "heads": 2, "dropout": 0.1},
    "training": {"epochs": 12, "batch": 8, "rate": 0.01, "average": 0.9, "checks": 3, "unknown": 0.1, "hidden": 0.02},
}
THINGS, FLAWS = ("mug", "lamp", "chair", "kettle", "table"), ("cracked", "torn", "dented", "bent")


def quiet(done: int, total: int, message: str) -> None:
    """Nobody watches."""


@pytest.fixture(scope="session")
def corpus() -> Callable[[TextConfig], list[Corpus]]:
    """Damaged things, and things asked for."""

    def of(config: TextConfig) -> list[Corpus]:
        made = []
        for domain in config.domains:
            told = [
                marked(f"the [{thing}](product) is [{flaw}](defect)", f"{thing} {flaw}", ["damaged"])
                for thing in THINGS
                for flaw in FLAWS
            ]
            asked = [
                marked(f"where is my [{thing}](product)", f"{thing} {i}", ["late"]) for thing in THINGS for i in "abcd"
            ]
            other = [marked(f"{word} the weather", word, ["oos"]) for word in ("what", "how", "tell", "is")]
            made.append(Corpus(domain, [*told, *asked, *other * 3], [*told[::3], *asked[::3], *other], "words"))
        return made

    return of


@pytest.fixture(scope="session")
def config() -> TextConfig:
    return config_of({**SMALL, "domains": [{"name": "complaints"}]})


@pytest.fixture(scope="session")
def trained(config: TextConfig, corpus: Callable[[TextConfig], list[Corpus]]) -> Trained:
    return fit(corpus(config), config, 1, progress=quiet)
