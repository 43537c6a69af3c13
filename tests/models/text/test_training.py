"""A small net learns, goes on after a kill, and is kept whole."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from core.errors import BadInput, Conflict, ModelError, NotFound
from core.words.text_scores import score
from models.text.answering import answer_of, ask
from models.text.checkpoint import TextModel, card_of, load, read_card, save
from models.text.config import TextConfig, config_of, read_config
from models.text.training import Corpus, Trained, fit
from models.text.understanding import understand
from tests.models.text.conftest import SMALL, quiet

Corpora = Callable[[TextConfig], list[Corpus]]
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def model(trained: Trained, config: TextConfig, tmp_path: Path) -> TextModel:
    save(tmp_path / "small", trained.net, card_of(trained, "small", NOW, encoder=config.encoder))
    return load(tmp_path / "small")


def test_a_net_learns_intents_and_slots_from_a_few_sentences(trained: Trained, config: TextConfig, corpus: Corpora):
    (domain,) = corpus(config)
    raws = ask(trained.net, trained.vocabulary, trained.shapes[0], "words", [s.text for s in domain.dev])
    limits = trained.limits["complaints"]
    found = score(domain.dev, [answer_of(raw, trained.shapes[0], limits) for raw in raws])
    assert found.intent_accuracy > 0.9
    assert found.slot_f1 > 0.9


def test_what_is_understood_lies_where_it_says(model: TextModel):
    (said,) = understand(model, ["The Lamp  is torn"])
    assert (said.domain, said.intent) == ("complaints", "damaged")
    assert {(s.label, s.text) for s in said.slots} == {("product", "Lamp"), ("defect", "torn")}
    assert all(said.text[s.start : s.end] == s.text and 0 <= s.confidence <= 1 for s in said.slots)


@pytest.mark.parametrize("text", ["", "   ", "\x00", "😀" * 50, "a" * 100_000, "word " * 3000, "</script>{}[](x)"])
def test_no_text_breaks_it(model: TextModel, text: str):
    (said,) = understand(model, [text])
    assert said.confirm or said.confidence > 0
    if not text.strip():
        assert said.out_of_scope


def test_answers_do_not_depend_on_what_is_asked_beside_them(model: TextModel):
    texts = ["where is my mug", "the very old and big chair over there is bent", "what the weather"]
    together = understand(model, texts)
    for text, said in zip(texts, together, strict=True):
        (alone,) = understand(model, [text])
        assert (alone.intent, alone.out_of_scope) == (said.intent, said.out_of_scope)
        assert [s.text for s in alone.slots] == [s.text for s in said.slots]
        assert alone.confidence == pytest.approx(said.confidence, abs=1e-5)
    assert understand(model, []) == []


def test_an_unknown_domain_is_refused(model: TextModel):
    with pytest.raises(NotFound):
        understand(model, ["hello"], domain="poems")


def test_what_is_read_back_answers_as_what_was_kept(trained: Trained, model: TextModel):
    for mine, theirs in zip(trained.net.state_dict().values(), model.net.state_dict().values(), strict=True):
        assert_close(mine, theirs)
    assert model.card.limits == trained.limits


def test_a_model_is_never_overwritten(trained: Trained, model: TextModel, tmp_path: Path):
    with pytest.raises(Conflict):
        save(tmp_path / "small", trained.net, model.card)


def test_other_weights_a_damaged_card_and_another_kind_are_refused(model: TextModel, tmp_path: Path):
    folder = tmp_path / "small"
    weights = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(weights[:-4] + b"\0\0\0\1")
    with pytest.raises(ModelError):
        load(folder)
    card = json.loads((folder / "card.json").read_text())
    for broken in ({**card, "kind": "net"}, {**card, "format": 9}, {**card, "limits": 3}, {**card, "vocabulary": {}}):
        (folder / "card.json").write_text(json.dumps(broken))
        with pytest.raises(ModelError):
            read_card(folder)
    (folder / "card.json").write_text("{")
    with pytest.raises(ModelError):
        read_card(folder)
    with pytest.raises(NotFound):
        load(tmp_path / "nowhere")


def test_killed_and_run_again_it_ends_with_the_same_weights(config: TextConfig, corpus: Corpora, tmp_path: Path):
    short = config_of({**config.to_json(), "training": {**config.to_json()["training"], "epochs": 4, "checks": 1}})
    whole = fit(corpus(short), short, 3, progress=quiet)

    def killed(done: int, total: int, message: str) -> None:
        if message.startswith("dev after epoch 3"):
            raise KeyboardInterrupt

    state = tmp_path / "state.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(corpus(short), short, 3, state=state, progress=killed)
    again = fit(corpus(short), short, 3, state=state, progress=quiet)
    assert [row["epoch"] for row in again.history] == [1, 2, 3, 4]
    for mine, theirs in zip(whole.net.state_dict().values(), again.net.state_dict().values(), strict=True):
        assert_close(mine, theirs)


def test_the_same_seed_gives_the_same_weights_and_another_others(config: TextConfig, corpus: Corpora):
    short = config_of({**config.to_json(), "training": {**config.to_json()["training"], "epochs": 1}})
    one, two, other = (fit(corpus(short), short, seed, progress=quiet).net.encoder.enter.weight for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_two_domains_share_an_encoder_and_texts_find_their_own(corpus: Corpora):
    config = config_of(
        {**SMALL, "domains": [{"name": "complaints", "share": 0.5}, {"name": "notes", "intents": "several"}]}
    )
    first, second = corpus(config)
    turned = [
        s.__class__(
            s.id,
            f"line seven {s.text}",
            s.intents,
            tuple(p.__class__(p.start + 11, p.end + 11, p.label) for p in s.spans),
        )
        for s in second.train
    ]
    found = fit([first, Corpus(second.config, turned, turned[::3], "words")], config, 1, progress=quiet)
    assert [d.several for d in found.shapes] == [False, True]
    model = TextModel(card_of(found, "two", NOW, encoder=config.encoder), found.net)
    said = understand(model, ["the mug is bent", "line seven the mug is bent"])
    assert [one.domain for one in said] == ["complaints", "notes"]
    assert said[1].intents == ("damaged",)


def test_a_domain_without_text_is_refused(config: TextConfig):
    with pytest.raises(BadInput):
        fit([Corpus(config.domains[0], [], [], "words")], config, 0, progress=quiet)


@pytest.mark.parametrize(
    "values",
    [
        {"encoder": {"width": 30}},
        {"training": {"rate": -1}},
        {"training": {"speed": 1}},
        {"domains": []},
        {"domains": [{"name": "a"}, {"name": "a"}]},
        {"domains": [{"name": "a", "noise": {"sentences": 2}}]},
        [],
    ],
)
def test_a_config_that_cannot_be_is_refused_in_a_sentence(values: object):
    with pytest.raises(BadInput):
        config_of(values)


def test_a_config_is_read_from_yaml_and_json_alike(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("training:\n  epochs: 3\ndomains:\n- name: notes\n  noise: {sentences: 0.5}\n")
    (tmp_path / "a.json").write_text(
        json.dumps({"training": {"epochs": 3}, "domains": [{"name": "notes", "noise": {"sentences": 0.5}}]})
    )
    assert read_config(tmp_path / "a.yaml") == read_config(tmp_path / "a.json")
    (tmp_path / "b.yaml").write_text("a: [")
    with pytest.raises(BadInput):
        read_config(tmp_path / "b.yaml")
    with pytest.raises(BadInput):
        read_config(tmp_path / "none.json")
