"""A linear-chain conditional random field over BIO tags.

Sums over paths are matrix products of shifted exponentials, not log-sum-exps of (batch, tags, tags): with 120 tags
that is the difference between a head that costs more than the encoder and one that costs nothing.

Source: Lafferty, McCallum and Pereira 2001; the shift is that of Rabiner 1989, section V.A.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

FORBIDDEN = -1e4
_TINY = 1e-30


class Crf(nn.Module):
    """Scores of neighbouring tags; I- may follow only its own B- or I-.

    Attributes:
        move: (tags, tags) learned score of going from a row's tag to a column's.
    """

    def __init__(self, tags: Sequence[str]) -> None:
        super().__init__()
        n = len(tags)
        self.move = nn.Parameter(torch.zeros(n, n))
        self.begin = nn.Parameter(torch.zeros(n))
        self.end = nn.Parameter(torch.zeros(n))
        follows = torch.zeros(n, n)
        starts = torch.zeros(n)
        for to, tag in enumerate(tags):
            if tag.startswith("I-"):
                starts[to] = FORBIDDEN
                for source, before in enumerate(tags):
                    if before[2:] != tag[2:]:
                        follows[source, to] = FORBIDDEN
        self.register_buffer("follows", follows, persistent=False)
        self.register_buffer("starts", starts, persistent=False)
        self.follows: Tensor
        self.starts: Tensor

    def moves(self) -> Tensor:
        """(tags, tags) with what BIO forbids."""
        return self.move + self.follows

    def loss(self, scores: Tensor, tags: Tensor, inside: Tensor) -> Tensor:
        """Negative log-likelihood of the tags.

        Args:
            scores: (n, words, tags) of each word by itself.
            tags: (n, words); anything beyond a sentence's end.
            inside: (n, words) bool.

        Returns:
            (n,) in nats, each of a whole sentence.
        """
        return self._total(scores, inside) - self._path(scores, tags, inside)

    def _path(self, scores: Tensor, tags: Tensor, inside: Tensor) -> Tensor:
        known = tags.clamp_min(0)
        word = scores.gather(2, known[:, :, None])[:, :, 0]  # (n, words)
        step = self.moves()[known[:, :-1], known[:, 1:]]  # (n, words - 1)
        last = known.gather(1, inside.sum(1, keepdim=True) - 1)[:, 0]
        return (
            (word * inside).sum(1)
            + (step * inside[:, 1:]).sum(1)
            + (self.begin + self.starts)[known[:, 0]]
            + self.end[last]
        )

    def _total(self, scores: Tensor, inside: Tensor) -> Tensor:
        reach = self.moves().exp()
        alpha = self.begin + self.starts + scores[:, 0]
        for at in range(1, scores.shape[1]):
            alpha = torch.where(inside[:, at, None], _forward(alpha, reach) + scores[:, at], alpha)
        return torch.logsumexp(alpha + self.end, dim=1)

    @torch.no_grad()
    def best(self, scores: Tensor, inside: Tensor) -> Tensor:
        """(n, words) the likeliest path of each sentence (Viterbi); 0 beyond its end."""
        moves = self.moves()
        alpha = self.begin + self.starts + scores[:, 0]
        stay = torch.arange(scores.shape[2], device=scores.device).expand(len(scores), -1)
        back = []
        for at in range(1, scores.shape[1]):
            top, source = (alpha[:, :, None] + moves).max(1)
            here = inside[:, at, None]
            alpha = torch.where(here, top + scores[:, at], alpha)
            back.append(torch.where(here, source, stay))
        tag = (alpha + self.end).argmax(1)
        path = [tag]
        for source in reversed(back):
            tag = source.gather(1, tag[:, None])[:, 0]
            path.append(tag)
        return torch.stack(path[::-1], 1) * inside

    @torch.no_grad()
    def shares(self, scores: Tensor, inside: Tensor) -> Tensor:
        """(n, words, tags) how likely each tag of each word is, over all paths."""
        reach = self.moves().exp()
        ahead = [self.begin + self.starts + scores[:, 0]]
        for at in range(1, scores.shape[1]):
            ahead.append(torch.where(inside[:, at, None], _forward(ahead[-1], reach) + scores[:, at], ahead[-1]))
        behind = [self.end.expand(len(scores), -1)]
        for at in range(scores.shape[1] - 1, 0, -1):
            step = _forward(behind[-1] + scores[:, at], reach.T)
            behind.append(torch.where(inside[:, at, None], step, behind[-1]))
        both = torch.stack(ahead, 1) + torch.stack(behind[::-1], 1)
        return both.softmax(2) * inside[:, :, None]


def _forward(alpha: Tensor, reach: Tensor) -> Tensor:
    """log(exp(alpha) @ reach) without overflow."""
    top = alpha.max(1, keepdim=True).values
    return ((alpha - top).exp() @ reach).clamp_min(_TINY).log() + top
