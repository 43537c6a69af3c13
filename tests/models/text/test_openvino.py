"""The exported graph answers as the net does."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from core.errors import ModelError
from models.text.batches import read_words
from models.text.checkpoint import TextModel, card_of
from models.text.config import TextConfig
from models.text.openvino import Exported, export
from models.text.training import Trained

ASKED = [["the", "mug", "is", "torn"], ["where"], ["extraordinarily", "long", "sentences", *["mug"] * 40], ["is"] * 7]


def test_the_graph_agrees_with_the_net_at_every_length_and_number(trained: Trained, config: TextConfig, tmp_path: Path):
    model = TextModel(card_of(trained, "x", datetime(2026, 1, 1, tzinfo=UTC), encoder=config.encoder), trained.net)
    graph = Exported(export(model, "complaints", tmp_path))
    for asked in (ASKED, ASKED[:1], ASKED[1:2], ASKED[2:3], ASKED * 5):
        read = read_words(asked, model.card.vocabulary)
        with torch.no_grad():
            wanted = model.net(read, "complaints")
        found = graph(read)
        assert_close(found.intents, wanted.intents, atol=1e-4, rtol=1e-4)
        for row, words in enumerate(asked):
            assert_close(found.slots[row, : len(words)], wanted.slots[row, : len(words)], atol=1e-4, rtol=1e-4)


def test_a_graph_that_cannot_be_read_is_refused(tmp_path: Path):
    (tmp_path / "openvino.xml").write_text("<net/>")
    with pytest.raises(ModelError):
        Exported(tmp_path / "openvino.xml")
