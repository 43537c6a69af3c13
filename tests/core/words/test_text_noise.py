"""What speech recognition does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.words.text import runs_of
from core.words.text_noise import Noise, disturb, near_sound, near_spelling

WORDS = ["Show", "burrs", "from", "line", "D", ",", "please"]
TAGS = ["O", "B-defect", "O", "B-line", "I-line", "O", "O"]
LOUD = Noise(sentences=1, case=1, punctuation=1, sounds=0.5, letters=0.5, dropped=0.4, fillers=0.4)


def test_without_noise_a_sentence_stays_as_it_is():
    assert disturb(WORDS, TAGS, Noise(), np.random.default_rng(0)) == (WORDS, TAGS)


@given(st.integers(0, 10_000))
def test_no_slot_is_ever_lost_and_tags_stay_bio(seed: int):
    words, tags = disturb(WORDS, TAGS, LOUD, np.random.default_rng(seed))
    assert [label for *_, label in runs_of(tags, len(words))] == ["defect", "line"]
    assert all(words)


def test_the_same_dice_disturb_alike():
    one, two = (disturb(WORDS, TAGS, LOUD, np.random.default_rng(5)) for _ in range(2))
    assert one == two


def test_signs_and_capitals_are_lost():
    quiet = Noise(sentences=1, case=1, punctuation=1, sounds=0, letters=0, dropped=0, fillers=0)
    assert disturb(WORDS, TAGS, quiet, np.random.default_rng(0))[0] == ["show", "burrs", "from", "line", "d", "please"]


def test_a_sentence_never_becomes_empty():
    words, _ = disturb(["a", "b"], ["O", "O"], Noise(sentences=1, dropped=1), np.random.default_rng(1))
    assert words


def test_words_that_sound_alike_are_taken_for_each_other():
    assert near_sound("burrs", np.random.default_rng(0)) == "birds"
    assert near_sound("ok", np.random.default_rng(0)) == "ok"


@given(st.text(alphabet="abcdefgh", min_size=4, max_size=12), st.integers(0, 99))
def test_a_misspelt_word_keeps_its_first_letter_and_about_its_length(word: str, seed: int):
    found = near_spelling(word, np.random.default_rng(seed))
    assert found[0] == word[0]
    assert abs(len(found) - len(word)) <= 1


def test_a_chance_above_one_is_refused():
    with pytest.raises(BadInput):
        Noise(sentences=1.5)
