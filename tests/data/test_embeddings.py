"""Embeddings: written once, read in the order asked for, within a budget of bytes."""

import numpy as np
import pytest

from core.errors import BadInput, Busy
from data.embeddings import Embedded, Embeddings

MODEL = "ab" * 32


def rows(ids, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return [Embedded(i, f"{i:064x}", rng.normal(size=d).astype(np.float32), rng.dirichlet(np.ones(3))) for i in ids]


def filled(folder, *parts):
    made = Embeddings(folder, MODEL)
    with made.writing():
        for part in parts:
            made.add(part)
    return made


def test_rows_come_back_in_the_order_asked_for_and_those_that_are_missing_are_left_out(tmp_path):
    one, two = rows(range(50)), rows(range(50, 90), seed=1)
    kept = {row.image_id: row for row in one + two}
    made = filled(tmp_path, one, two)
    found = made.read([80, 3, 1000, 49, 50, 7])
    assert found.image_ids.tolist() == [80, 3, 49, 50, 7]
    np.testing.assert_array_equal(found.vectors, np.stack([kept[i].vector for i in found.image_ids.tolist()]))
    np.testing.assert_array_equal(
        found.probabilities, np.stack([kept[i].probabilities for i in found.image_ids.tolist()])
    )
    assert found.vectors.dtype == np.float32


def test_a_picture_is_missing_until_it_is_written_and_when_its_bytes_are_others(tmp_path):
    made = Embeddings(tmp_path, MODEL)
    wanted = {i: f"{i:064x}" for i in range(10)}
    assert made.missing(wanted) == list(range(10))
    filled(tmp_path, rows([1, 2, 3]))
    assert made.missing(wanted) == [0, 4, 5, 6, 7, 8, 9]
    assert made.missing({1: f"{1:064x}", 2: "other"}) == [2]
    assert made.missing({}) == []


def test_models_do_not_share_their_files(tmp_path):
    filled(tmp_path, rows([1]))
    other = Embeddings(tmp_path, "cd" * 32)
    assert other.missing({1: f"{1:064x}"}) == [1]
    assert other.width() is None
    assert other.room() is None
    assert len(other.read([1]).image_ids) == 0


def test_what_does_not_fit_into_the_budget_is_refused_before_it_is_read(tmp_path):
    made = filled(tmp_path, rows(range(100), d=50))
    assert made.room(budget=50 * 4 * 30) == 30
    assert len(made.read(range(30), budget=50 * 4 * 30).image_ids) == 30
    with pytest.raises(BadInput, match="do not fit"):
        made.read(range(31), budget=50 * 4 * 30)


def test_only_one_writes_at_a_time(tmp_path):
    made = Embeddings(tmp_path, MODEL)
    with made.writing(), pytest.raises(Busy, match="Another job"), Embeddings(tmp_path, MODEL).writing():
        pass
    with made.writing():
        pass


def test_numbers_that_are_none_are_not_kept(tmp_path):
    wrong = rows([1])[0]
    wrong.vector[2] = np.inf
    with pytest.raises(BadInput, match="not finite"):
        filled(tmp_path, [wrong])
    assert Embeddings(tmp_path, MODEL).width() is None


def test_a_damaged_hash_names_no_folder(tmp_path):
    with pytest.raises(BadInput, match="hash"):
        Embeddings(tmp_path, "../../etc")


def test_many_gaps_are_closed_in_order(tmp_path):
    made = filled(tmp_path, rows(range(0, 6000, 2), d=3))
    found = made.read(range(6000))
    assert found.image_ids.tolist() == list(range(0, 6000, 2))
    np.testing.assert_array_equal(found.vectors, np.stack([one.vector for one in rows(range(0, 6000, 2), d=3)]))
