"""One more domain on a frozen encoder."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch

from core.errors import BadInput, GateFailed
from core.words.text import marked
from models.text import extending
from models.text.checkpoint import TextModel, card_of, load, save
from models.text.config import DomainConfig, TextConfig
from models.text.extending import extend
from models.text.training import Corpus, Trained
from models.text.understanding import understand
from tests.models.text.conftest import quiet

Corpora = Callable[[TextConfig], list[Corpus]]
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def base(trained: Trained, config: TextConfig) -> TextModel:
    return TextModel(card_of(trained, "base", NOW, encoder=config.encoder), trained.net)


@pytest.fixture
def orders() -> Corpus:
    """Things ordered from lines that no complaint names."""
    told = [
        marked(f"order [{n}](quantity) bolts for line {line}", f"{n}{line}", ["order"])
        for n in "2345"
        for line in "abcdef"
    ] + [marked(f"cancel the bolts for line {line}", line, ["cancel"]) for line in "abcdef"] * 2
    return Corpus(DomainConfig(name="orders"), told, told[::2], "words")


def test_a_new_domain_is_learned_and_the_older_one_answers_as_before(
    base: TextModel, orders: Corpus, config: TextConfig, corpus: Corpora, tmp_path: Path
):
    grown = extend(base, orders, corpus(config), config, 1, quiet)
    save(tmp_path / "grown", grown.net, card_of(grown, "grown", NOW, encoder=config.encoder))
    model = load(tmp_path / "grown")
    assert [d.name for d in model.card.domains] == ["complaints", "orders"]
    for name, tensor in base.net.state_dict().items():
        if not name.startswith("which."):
            assert torch.equal(model.net.state_dict()[name], tensor), name
    texts = ["the mug is torn", "where is my lamp"]
    for before, after in zip(understand(base, texts), understand(model, texts, "complaints"), strict=True):
        assert (before.intents, before.slots, before.out_of_scope) == (after.intents, after.slots, after.out_of_scope)
    said = understand(model, ["order 3 bolts for line b", "the mug is torn"])
    assert [one.domain for one in said] == ["orders", "complaints"]
    assert said[0].intent == "order"


def test_a_model_in_which_an_older_domain_falls_is_refused(
    base: TextModel, orders: Corpus, config: TextConfig, corpus: Corpora, monkeypatch: pytest.MonkeyPatch
):
    real, asked = extending.understood, []

    def falling(*arguments: object) -> int:
        asked.append(1)
        return real(*arguments) if len(asked) == 1 else 0  # type: ignore[arg-type]

    monkeypatch.setattr(extending, "understood", falling)
    with pytest.raises(GateFailed, match="complaints"):
        extend(base, orders, corpus(config), config, 1, quiet)


def test_a_known_name_and_missing_text_of_an_older_domain_are_refused(
    base: TextModel, orders: Corpus, config: TextConfig, corpus: Corpora
):
    older: Sequence[Corpus] = corpus(config)
    with pytest.raises(BadInput, match="already"):
        extend(base, older[0], older, config, 1, quiet)
    with pytest.raises(BadInput, match="needed"):
        extend(base, orders, [], config, 1, quiet)
