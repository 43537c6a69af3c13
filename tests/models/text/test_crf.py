"""The chain over tags, against every path written out."""

import itertools

import pytest
import torch
from torch.testing import assert_close

from models.text.crf import Crf

TAGS = ("O", "B-a", "I-a", "B-b", "I-b")


@pytest.fixture
def chain() -> Crf:
    torch.manual_seed(0)
    crf = Crf(TAGS)
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter)
    return crf


def every_path(crf: Crf, scores: torch.Tensor) -> dict[tuple[int, ...], float]:
    moves, starts = crf.moves(), crf.begin + crf.starts
    found = {}
    for path in itertools.product(range(len(TAGS)), repeat=len(scores)):
        total = starts[path[0]] + crf.end[path[-1]] + sum(scores[i, t] for i, t in enumerate(path))
        total = total + sum(moves[a, b] for a, b in itertools.pairwise(path))
        found[path] = float(total.detach())
    return found


def test_loss_best_path_and_shares_agree_with_every_path_written_out(chain: Crf):
    scores = torch.randn(2, 4, len(TAGS))
    inside = torch.tensor([[True] * 4, [True, True, False, False]])
    tags = torch.tensor([[1, 2, 0, 3], [0, 1, 0, 0]])
    loss, best, shares = chain.loss(scores, tags, inside), chain.best(scores, inside), chain.shares(scores, inside)
    for row, length in ((0, 4), (1, 2)):
        paths = every_path(chain, scores[row, :length])
        total = torch.logsumexp(torch.tensor(list(paths.values())), 0)
        right = paths[tuple(tags[row, :length].tolist())]
        assert_close(loss[row], total - right, atol=1e-4, rtol=1e-4)
        assert tuple(best[row, :length].tolist()) == max(paths, key=paths.__getitem__)
        for word in range(length):
            for tag in range(len(TAGS)):
                chance = sum(torch.exp(torch.tensor(v) - total) for p, v in paths.items() if p[word] == tag)
                assert_close(shares[row, word, tag], torch.as_tensor(chance), atol=1e-4, rtol=1e-3, check_dtype=False)


def test_no_path_breaks_bio(chain: Crf):
    scores = torch.randn(64, 9, len(TAGS)) * 5
    for path in chain.best(scores, torch.ones(64, 9, dtype=torch.bool)).tolist():
        before = "O"
        for tag in (TAGS[i] for i in path):
            if tag.startswith("I-"):
                assert before[2:] == tag[2:]
            before = tag


def test_padding_changes_nothing(chain: Crf):
    scores, tags = torch.randn(1, 3, len(TAGS)), torch.tensor([[1, 2, 0]])
    inside = torch.ones(1, 3, dtype=torch.bool)
    wide = torch.cat([scores, torch.randn(1, 4, len(TAGS)) * 9], 1)
    padded, longer = (
        torch.cat([inside, ~inside, ~inside[:, :1]], 1),
        torch.cat([tags, torch.zeros(1, 4, dtype=torch.long)], 1),
    )
    assert_close(chain.loss(wide, longer, padded), chain.loss(scores, tags, inside))
    assert chain.best(wide, padded)[0, :3].tolist() == chain.best(scores, inside)[0].tolist()


def test_scores_far_apart_neither_overflow_nor_lose_their_gradient(chain: Crf):
    scores = (torch.randn(3, 6, len(TAGS)) * 500).requires_grad_()
    chain.loss(scores, torch.zeros(3, 6, dtype=torch.long), torch.ones(3, 6, dtype=torch.bool)).sum().backward()
    assert scores.grad is not None
    assert bool(torch.isfinite(scores.grad).all())
