"""The joint net: one encoder, and for each domain an intent head and a slot head.

Words are read by name and by spelling; a recurrent layer gives order, Transformer blocks with relative distances and
a convolution mix what stands near and far. The slot head knows what the intent head thinks.

Sources: attention with relative distances, Shaw et al. 2018 (as a bias, Raffel et al. 2020); convolution in the
block, Gulati et al. 2020; spelling by convolution, Ma and Hovy 2016; slots guided by intents, Qin et al. 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.text.config import EncoderConfig
from models.text.crf import Crf
from models.text.vocabulary import PAD, Vocabulary


class Words(NamedTuple):
    """Sentences as numbers.

    Attributes:
        words: (n, words) numbers of words; 0 beyond the end.
        spelt: (n, words) row of `letters` that spells each word.
        letters: (different words, letters).
        lengths: (n,) words of each sentence, at least 1.
    """

    words: Tensor
    spelt: Tensor
    letters: Tensor
    lengths: Tensor

    @property
    def inside(self) -> Tensor:
        """(n, words) bool."""
        return torch.arange(self.words.shape[1], device=self.words.device) < self.lengths[:, None]


class Heard(NamedTuple):
    """What a domain's heads say.

    Attributes:
        intents: (n, intents) logits.
        slots: (n, words, tags) scores of each word by itself, for the CRF.
    """

    intents: Tensor
    slots: Tensor


class Drop(nn.Module):
    """Dropout of whole features of a sentence, the same for all its words: steadier, and hardly any dice to throw.

    Source: Gal and Ghahramani 2016.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """(n, words, width) or (n, width) to the same."""
        if not self.training or not self.share:
            return x
        kept = torch.rand(len(x), *(1,) * (x.ndim - 2), x.shape[-1], device=x.device) >= self.share
        return x * (kept / (1 - self.share))


class Spelling(nn.Module):
    """A vector from a word's characters: convolutions of two widths, the strongest answer of each filter."""

    def __init__(self, alphabet: int, width: int, out: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(alphabet, width, padding_idx=PAD)
        self.windows = nn.ModuleList(nn.Conv1d(width, out // 2, k, padding=k // 2) for k in (3, 5))

    def forward(self, letters: Tensor) -> Tensor:
        """(words, letters) to (words, out)."""
        x = self.letters(letters).transpose(1, 2)  # (words, width, letters)
        # windows beyond a word's end would answer by how long other words are
        spelt = (letters != PAD)[:, None, :]
        return torch.cat([(functional.relu(window(x)) * spelt).amax(2) for window in self.windows], 1)


class Block(nn.Module):
    """Attention with relative distances, a convolution over neighbours, a feed-forward part; each adds to its input."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.width
        self.heads, self.reach, self.kernel = config.heads, config.reach, config.kernel
        self.attention_norm, self.mix_norm, self.forward_norm = (nn.LayerNorm(width) for _ in range(3))
        self.query_key_value = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.distance = nn.Parameter(torch.zeros(config.heads, 2 * config.reach + 1))
        self.mix = nn.Parameter(torch.randn(config.kernel, width) * config.kernel**-0.5)
        self.mixed = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.drop = Drop(config.dropout)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        """(n, words, width) to the same."""
        x = x + self.drop(self._attend(self.attention_norm(x), inside))
        x = x + self.drop(self.mixed(functional.silu(self._mix(self.mix_norm(x) * inside[:, :, None]))))
        out: Tensor = x + self.drop(self.down(functional.silu(self.up(self.forward_norm(x)))))
        return out

    def _mix(self, x: Tensor) -> Tensor:
        """A filter for each feature over neighbouring words, as sums of shifts: for short sentences far the fastest."""
        half, words = self.kernel // 2, x.shape[1]
        padded = functional.pad(x, (0, 0, half, half))
        return torch.stack([padded[:, at : at + words] * self.mix[at] for at in range(self.kernel)]).sum(0)

    def _attend(self, x: Tensor, inside: Tensor) -> Tensor:
        n, words, width = x.shape
        q, k, v = self.query_key_value(x).view(n, words, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        place = torch.arange(words, device=x.device)
        far = (place[None, :] - place[:, None]).clamp(-self.reach, self.reach) + self.reach
        logits = q @ k.transpose(2, 3) * k.shape[-1] ** -0.5 + self.distance[:, far]  # (n, heads, words, words)
        logits = logits.masked_fill(~inside[:, None, None, :], -1e4)
        joined: Tensor = self.joined((logits.softmax(3) @ v).transpose(1, 2).reshape(n, words, width))
        return joined


class TwoWay(nn.Module):
    """A recurrent layer over a sentence and one over it reversed; padding stays behind the end in both."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ahead = nn.LSTM(width, width // 2, batch_first=True)
        self.back = nn.LSTM(width, width // 2, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(n, words, width) to the same."""
        place = torch.arange(x.shape[1], device=x.device)[None, :]
        turned = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)[:, :, None]
        ahead = self.ahead(x)[0]
        back = self.back(x.gather(1, turned.expand_as(x)))[0]
        return torch.cat([ahead, back.gather(1, turned.expand_as(back))], 2)


class Encoded(NamedTuple):
    """What the encoder makes of sentences.

    Attributes:
        x: (n, words, width) each word among the others.
        bare: (n, words, width) each word by itself, as it entered.
        inside: (n, words) bool.
    """

    x: Tensor
    bare: Tensor
    inside: Tensor

    def pool(self) -> Tensor:
        """(n, 4 width): strongest and mean of both; what stands anywhere in the sentence, in order and without."""
        both = torch.cat([self.x, self.bare], 2)
        most = both.masked_fill(~self.inside[:, :, None], -1e4).amax(1)
        return torch.cat([most, (both * self.inside[:, :, None]).sum(1) / self.inside.sum(1, keepdim=True)], 1)


class Encoder(nn.Module):
    """From words to one vector each."""

    def __init__(self, config: EncoderConfig, words: int, alphabet: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, config.words, padding_idx=PAD)
        nn.init.normal_(self.words.weight, std=0.3)
        self.spelling = Spelling(alphabet, config.characters, config.spelling)
        self.enter = nn.Linear(config.words + config.spelling, config.width)
        self.recurrent = TwoWay(config.width) if config.recurrent else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)
        self.drop = Drop(config.dropout)

    def forward(self, read: Words) -> Encoded:
        """Encode sentences."""
        inside = read.inside
        spelt = functional.embedding(read.spelt, self.spelling(read.letters))
        x = bare = self.enter(self.drop(torch.cat([self.words(read.words), spelt], 2)))
        if self.recurrent is not None:
            x = x + self.recurrent(self.drop(x), read.lengths)
        for block in self.blocks:
            x = block(x, inside)
        return Encoded(self.norm(x) * inside[:, :, None], bare, inside)


class Adapter(nn.Module):
    """What a domain that came later adds to the frozen encoder's vectors; nothing at first.

    Source: Houlsby et al. 2019.
    """

    def __init__(self, width: int, narrow: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, narrow), nn.Linear(narrow, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(n, words, width) to the same."""
        out: Tensor = x + self.up(functional.silu(self.down(x)))
        return out


class Heads(nn.Module):
    """One domain's intent head and slot head."""

    def __init__(self, width: int, shape: "DomainShape", dropout: float) -> None:
        super().__init__()
        intents, tags = shape.intents, shape.tags
        self.several = shape.several
        self.adapter = Adapter(width, shape.adapter) if shape.adapter else None
        self.look = nn.Linear(width, 1)
        self.intent_hidden = nn.Linear(5 * width, width)
        self.intents = nn.Linear(width, max(1, len(intents)))
        self.meant = nn.Linear(max(1, len(intents)), width, bias=False)
        self.slot_hidden = nn.Linear(width, width)
        self.slots = nn.Linear(width, len(tags))
        self.crf = Crf(tags)
        self.drop = Drop(dropout)

    def forward(self, encoded: Encoded) -> Heard:
        """From the encoder's vectors."""
        if self.adapter is not None:
            encoded = encoded._replace(x=self.adapter(encoded.x) * encoded.inside[:, :, None])
        x = encoded.x
        share = self.look(x).masked_fill(~encoded.inside[:, :, None], -1e4).softmax(1)
        pooled = torch.cat([(share * x).sum(1), encoded.pool()], 1)
        logits = self.intents(self.drop(functional.silu(self.intent_hidden(self.drop(pooled)))))
        chance = (logits.sigmoid() if self.several else logits.softmax(1)).detach()
        hidden = functional.silu(self.slot_hidden(self.drop(x)) + self.meant(chance)[:, None, :])
        return Heard(logits, self.slots(self.drop(hidden)))


@dataclass(frozen=True)
class DomainShape:
    """What a domain's heads tell apart.

    Attributes:
        tags: BIO tags, the first O.
        several: a sentence may have several intents, each with a chance of its own.
        adapter: width of its adapter on the encoder; 0 for a domain that the encoder was trained with.
    """

    name: str
    intents: tuple[str, ...]
    tags: tuple[str, ...]
    several: bool = False
    adapter: int = 0


class TextNet(nn.Module):
    """Encoder, heads by domain, and a head that tells the domains apart."""

    def __init__(
        self,
        config: EncoderConfig,
        vocabulary: Vocabulary,
        domains: Sequence[DomainShape],
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        drop = config.dropout if dropout is None else dropout
        self.encoder = Encoder(config, len(vocabulary), vocabulary.alphabet)
        self.heads = nn.ModuleDict({d.name: Heads(config.width, d, drop) for d in domains})
        self.which = nn.Linear(4 * config.width, len(domains))
        self.recall = nn.Linear(config.width, config.words)

    def head(self, domain: str) -> Heads:
        """The heads of a domain."""
        found = self.heads[domain]
        if not isinstance(found, Heads):
            raise TypeError(f"{domain} has no heads.")
        return found

    def forward(self, read: Words, domain: str) -> Heard:
        """What one domain's heads say of sentences."""
        heard: Heard = self.head(domain)(self.encoder(read))
        return heard

    def domains(self, encoded: Encoded) -> Tensor:
        """(n, domains) logits from the encoder's vectors."""
        logits: Tensor = self.which(encoded.pool())
        return logits

    def recalled(self, x: Tensor) -> Tensor:
        """(n, vocabulary) logits of which word stands where the encoder answered with (n, width)."""
        logits: Tensor = self.recall(x) @ self.encoder.words.weight.T
        return logits


def build(config: EncoderConfig, vocabulary: Vocabulary, domains: Sequence[DomainShape]) -> TextNet:
    """A new net; its weights are drawn from torch's own generator."""
    return TextNet(config, vocabulary, domains)


def size_of(net: nn.Module) -> int:
    """Weights."""
    return sum(p.numel() for p in net.parameters())


def groups_of(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters for AdamW: matrices decay; vectors, and what is looked up by word or tag, do not."""
    decays: list[nn.Parameter] = []
    stays: list[nn.Parameter] = []
    for name, parameter in net.named_parameters():
        if not parameter.requires_grad:
            continue
        plain = (
            parameter.ndim < 2
            or "crf" in name
            or ".words." in name
            or "letters" in name
            or "distance" in name
            or name.endswith("mix")
        )
        (stays if plain else decays).append(parameter)
    return [{"params": decays, "weight_decay": weight_decay}, {"params": stays, "weight_decay": 0.0}]
