"""What is varied while a net learns, and how words become numbers."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.words.text import marked, runs_of
from core.words.text_noise import Noise
from models.text.batches import Variety, by_length, forgotten, hidden, lessons_of, read_words
from models.text.config import EncoderConfig, TrainingConfig
from models.text.net import DomainShape, build
from models.text.vocabulary import UNKNOWN, Vocabulary, plain_words

SENTENCES = [
    marked(f"play [{t}](title) by [{a}](artist) now", t, ["play"]) for t, a in zip("abcdef", "uvwxyz", strict=True)
]
LESSONS = lessons_of(SENTENCES, "words")
VOCABULARY = Vocabulary.of(plain_words(lesson.words) for lesson in LESSONS)
NET = build(
    EncoderConfig(words=8, characters=8, spelling=8, width=16, blocks=2, heads=2),
    VOCABULARY,
    [DomainShape("music", ("play",), ("O", "B-title", "I-title"))],
).eval()


@given(st.integers(0, 999))
def test_other_words_stand_in_a_slot_but_the_slots_stay(seed: int):
    variety = Variety(LESSONS, TrainingConfig(swapped=1), Noise())
    words, tags = variety.vary(LESSONS[0], np.random.default_rng(seed))
    runs = runs_of(tags, len(words))
    assert [label for *_, label in runs] == ["title", "artist"]
    for start, end, label in runs:
        assert tuple(words[start:end]) in variety.values[label]
    assert LESSONS[0].words == ("play", "a", "by", "u", "now")


def test_a_label_with_few_values_is_never_invented():
    variety = Variety(LESSONS, TrainingConfig(swapped=0, invented=1), Noise())
    assert not variety.open
    assert variety.vary(LESSONS[0], np.random.default_rng(0))[0] == list(LESSONS[0].words)


def test_numbers_of_as_many_digits_are_one_word_but_spelt_apart():
    words = Vocabulary.of([["call", "1200"]])
    assert words.word("3471") == words.word("1200") != UNKNOWN
    assert words.spelling("12") != words.spelling("34")
    assert words.word("99") == UNKNOWN


def test_a_vocabulary_reads_back_as_it_was():
    assert Vocabulary.from_json(VOCABULARY.to_json()) == VOCABULARY


def test_an_answer_depends_neither_on_padding_nor_on_longer_words_beside_it():
    short = [["play", "a"]]
    wide = [*short, ["play", "b", "by", "extraordinarily", "now", "and", "then", "again"]]
    with torch.no_grad():
        alone, beside = NET(read_words(short, VOCABULARY), "music"), NET(read_words(wide, VOCABULARY), "music")
    torch.testing.assert_close(alone.intents[0], beside.intents[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(alone.slots[0], beside.slots[0, :2], atol=1e-5, rtol=1e-5)


def test_rare_words_are_forgotten_more_often_and_padding_never():
    words = torch.tensor([[2, 3, 0]]).repeat(4000, 1)
    counts = torch.tensor([torch.inf, 1.0, 1.0, 99.0])
    gone = (forgotten(words, counts, 1.0, torch.Generator().manual_seed(0)) == UNKNOWN).float().mean(0)
    assert 0.45 < gone[0] < 0.55
    assert gone[1] < 0.03
    assert gone[2] == 0


def test_a_hidden_word_shows_neither_name_nor_spelling_and_a_lone_word_stays():
    read = read_words([["play", "a", "by", "u"], ["play"]], VOCABULARY)
    seen, gone = hidden(read, 1.0, torch.Generator().manual_seed(0))
    assert gone[0].tolist() == [True] * 4
    assert not gone[1].any()
    assert bool((seen.spelt[gone] == 0).all())
    assert bool((seen.words[gone] == UNKNOWN).all())


def test_every_sentence_is_in_one_batch_of_each_epoch():
    lengths = [1 + i % 7 for i in range(100)]
    parts = list(by_length(lengths, 8, np.random.default_rng(0)))
    assert sorted(i for part in parts for i in part) == list(range(100))
    assert all(len(part) <= 8 for part in parts)
