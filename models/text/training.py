"""One visible loop that trains a text net: batches of one domain each, a running average, the best on the dev parts."""

import copy
import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.errors import BadInput, ModelError
from core.words.text import OUTSIDE, Cut, Sentence
from core.words.text_scores import score
from models.text.answering import Limits, answer_of, ask, calibrate
from models.text.batches import Batch, Lesson, Numbering, Variety, by_length, forgotten, hidden, lessons_of
from models.text.config import DomainConfig, TextConfig, TrainingConfig
from models.text.net import DomainShape, TextNet, build, groups_of
from models.text.vocabulary import UNKNOWN, Vocabulary, plain_words
from models.training import resume

Progress = Callable[[int, int, str], None]

_EACH = 4  # steps between two that enter the average
_EPOCHS, _STEPS = (14, 40), 2000  # fewest and most epochs, and steps that a small part is given
_WHICH = 0.2  # weight of telling the domains apart


@dataclass(frozen=True)
class Corpus:
    """One domain's text.

    Attributes:
        cut: how its texts become words.
    """

    config: DomainConfig
    train: Sequence[Sentence]
    dev: Sequence[Sentence]
    cut: Cut

    def shape(self) -> DomainShape:
        """Its intents and tags, as the training part shows them.

        Raises:
            BadInput: there is nothing to learn from.
        """
        if not self.train:
            raise BadInput(f"The domain {self.config.name} has no sentence to learn from: give it a training part.")
        several = self.config.intents == "several" or (
            self.config.intents is None and any(len(s.intents) != 1 for s in self.train)
        )
        labels = sorted({span.label for s in self.train for span in s.spans})
        tags = (OUTSIDE, *(f"{kind}-{label}" for label in labels for kind in "BI"))
        return DomainShape(self.config.name, tuple(sorted({i for s in self.train for i in s.intents})), tags, several)


@dataclass(frozen=True)
class Trained:
    """A net as it is kept.

    Attributes:
        limits: by domain.
        history: a row per check on the dev parts.
        best: the epoch it is from.
    """

    net: TextNet
    vocabulary: Vocabulary
    shapes: tuple[DomainShape, ...]
    cuts: Mapping[str, Cut]
    limits: Mapping[str, Limits]
    history: tuple[Mapping[str, Any], ...]
    epochs: int
    best: int
    seconds: float


def epochs_for(batches: int) -> int:
    """Epochs that suit a training part of so many batches: small parts are gone through more often."""
    fewest, most = _EPOCHS
    return min(most, max(fewest, math.ceil(_STEPS / max(1, batches))))


class Learned:
    """A domain while it learns.

    Attributes:
        lessons: of the training part; those that name what the shape does not know are left out.
    """

    def __init__(
        self, corpus: Corpus, config: TextConfig, vocabulary: Vocabulary, shape: DomainShape | None = None
    ) -> None:
        self.corpus, self.shape = corpus, shape or corpus.shape()
        tags, intents = set(self.shape.tags), set(self.shape.intents)
        self.lessons = [
            lesson
            for lesson in lessons_of(corpus.train, corpus.cut)
            if set(lesson.tags) <= tags and set(lesson.intents) <= intents
        ]
        self.variety = Variety(self.lessons, config.training, corpus.config.noise)
        self.numbering = Numbering(self.shape.intents, self.shape.tags, self.shape.several, vocabulary)

    def chosen(self, chance: np.random.Generator) -> list[Lesson]:
        """The lessons of one epoch."""
        share, n = self.corpus.config.share, len(self.lessons)
        whole, rest = int(share), round((share % 1) * n)
        extra = [self.lessons[int(i)] for i in chance.permutation(n)[:rest]]
        return self.lessons * whole + extra


def fit(
    corpora: Sequence[Corpus], config: TextConfig, seed: int, *, state: Path | None = None, progress: Progress
) -> Trained:
    """Train on the training parts; keep the average that is best on the dev parts.

    Args:
        corpora: one per domain of the config.
        config: everything that is set.
        seed: of everything random; the same seed on the same machine gives the same weights.
        state: where a half-done training lies; one that lies there is gone on with.
        progress: told how far it is.

    Raises:
        BadInput: nothing to learn from.
        ModelError: it diverged, or the half-done training is damaged.
    """
    torch.manual_seed(seed)
    vocabulary = Vocabulary.of(
        plain_words(lesson.words) for corpus in corpora for lesson in lessons_of(corpus.train, corpus.cut)
    )
    domains = [Learned(corpus, config, vocabulary) for corpus in corpora]
    net = build(config.encoder, vocabulary, [d.shape for d in domains])
    return run_to_end(net, domains, config, vocabulary, seed, state=state, progress=progress)


def run_to_end(
    net: TextNet,
    domains: Sequence[Learned],
    config: TextConfig,
    vocabulary: Vocabulary,
    seed: int,
    *,
    state: Path | None = None,
    progress: Progress,
) -> Trained:
    """Train whatever of a net is not frozen; what `fit` ends with."""
    began = time.monotonic()
    run = _Run(net, domains, config, vocabulary, seed)
    if state is not None and state.exists():
        run.restore(state)
    for epoch in range(run.epoch, run.epochs):
        run.learn(epoch, progress)
        due = (epoch + 1) % config.training.checks == 0 or epoch + 1 == run.epochs
        stop = run.check(epoch, progress) if due else False
        run.epoch = epoch + 1
        if state is not None:
            run.keep(state)
        if stop:
            break
    best = run.best_net.eval()
    limits = {
        d.shape.name: calibrate(
            ask(best, vocabulary, d.shape, d.corpus.cut, [s.text for s in d.corpus.dev]),
            d.corpus.dev,
            d.shape,
            d.corpus.config.false_out,
            d.corpus.config.ask_below,
        )
        for d in domains
    }
    return Trained(
        best,
        vocabulary,
        tuple(d.shape for d in domains),
        {d.shape.name: d.corpus.cut for d in domains},
        limits,
        tuple(run.history),
        run.epoch,
        run.best,
        round(run.seconds + time.monotonic() - began, 1),
    )


class _Run:
    """Everything that the next step depends on."""

    def __init__(
        self, net: TextNet, domains: Sequence[Learned], config: TextConfig, vocabulary: Vocabulary, seed: int
    ) -> None:
        self.net, self.domains, self.config, self.vocabulary = net, domains, config.training, vocabulary
        self.seed, self.step, self.epoch, self.best, self.best_score, self.stale = seed, 0, 0, 0, -math.inf, 0
        self.history: list[Mapping[str, Any]] = []
        self.seconds = 0.0
        self.average = copy.deepcopy(net).eval().requires_grad_(False)
        self.best_net = copy.deepcopy(self.average)
        self.optimiser = torch.optim.AdamW(
            groups_of(net, config.training.weight_decay), lr=0.0, betas=(0.9, 0.98), fused=True
        )
        self.counts = torch.tensor([math.inf, 1.0, *vocabulary.counts])
        batches = sum(math.ceil(len(d.lessons) * d.corpus.config.share / config.training.batch) for d in domains)
        self.epochs = config.training.epochs or epochs_for(batches)
        self.steps = self.epochs * (batches + len(domains))

    def learn(self, epoch: int, progress: Progress) -> None:
        """One epoch; its dice depend on seed and epoch alone, so that a training may be gone on with."""
        chance = np.random.default_rng([self.seed, epoch])
        torch.manual_seed(self.seed * 100_003 + epoch)
        dice = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
        self.net.train()
        work = [batch for d in self.domains for batch in _batches(d, self.config.batch, chance)]
        lost, count = 0.0, 0
        for at in chance.permutation(len(work)):
            domain, batch = work[int(at)]
            read = batch.read._replace(words=forgotten(batch.read.words, self.counts, self.config.unknown, dice))
            read, gone = hidden(read, self.config.hidden, dice)
            asked = Asked(batch._replace(read=read), batch.read.words, gone)
            loss = _loss(self.net, domain, asked, self.config, self.domains)
            self._update(loss)
            lost, count = lost + float(loss.detach()), count + 1
            if count % 20 == 0:
                progress(
                    epoch * len(work) + count, self.epochs * len(work), f"epoch {epoch + 1}, loss {lost / count:.3f}"
                )
        if not math.isfinite(lost):
            raise ModelError(f"The training diverged in epoch {epoch + 1}: set a lower rate and train again.")

    def _update(self, loss: Tensor) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        self.step += 1
        if self.step % _EACH:
            return
        keep = min(self.config.average**_EACH, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), 1 - keep)

    def _rate(self) -> float:
        done = (self.step + 1) / self.steps
        climb = min(1.0, done / self.config.warm_up) if self.config.warm_up else 1.0
        return self.config.rate * climb * max(0.02, 0.5 * (1 + math.cos(math.pi * min(1.0, done))))

    def check(self, epoch: int, progress: Progress) -> bool:
        """Measure the average on the dev parts; whether nothing has become better for long enough to stop."""
        row: dict[str, Any] = {"epoch": epoch + 1}
        total = 0.0
        for domain in self.domains:
            if not domain.corpus.dev:
                continue
            texts = [s.text for s in domain.corpus.dev]
            raws = ask(self.average, self.vocabulary, domain.shape, domain.corpus.cut, texts, sure=False)
            found = score(domain.corpus.dev, [answer_of(raw, domain.shape, Limits()) for raw in raws])
            row[domain.shape.name] = {
                "intent_accuracy": found.intent_accuracy,
                "slot_f1": found.slot_f1,
                "sentence_accuracy": found.sentence_accuracy,
            }
            total += found.intent_accuracy + found.slot_f1 + found.sentence_accuracy
        self.history.append(row)
        said = "; ".join(
            f"{name} {v['intent_accuracy']:.3f} {v['slot_f1']:.3f} {v['sentence_accuracy']:.3f}"
            for name, v in row.items()
            if isinstance(v, dict)
        )
        progress(epoch + 1, self.epochs, f"dev after epoch {epoch + 1}: {said or 'no dev part'}")
        if total > self.best_score or len(row) == 1:
            self.best_score, self.best, self.stale = total, epoch + 1, 0
            self.best_net = copy.deepcopy(self.average)
        else:
            self.stale += 1
        return 0 < self.config.patience <= self.stale

    def keep(self, path: Path) -> None:
        """Write everything the next epoch depends on."""
        facts = {name: getattr(self, name) for name in _FACTS}
        tensors = {
            **resume.under("net.", self.net.state_dict()),
            **resume.under("average.", self.average.state_dict()),
            **resume.under("best.", self.best_net.state_dict()),
            **resume.under("optimiser.", resume.flat(self.optimiser)),
        }
        resume.write(path, tensors, facts)

    def restore(self, path: Path) -> None:
        """The reverse of keep."""
        tensors, facts = resume.read(path)
        try:
            self.net.load_state_dict(resume.within(tensors, "net."))
            self.average.load_state_dict(resume.within(tensors, "average."))
            self.best_net.load_state_dict(resume.within(tensors, "best."))
            resume.unflat(self.optimiser, resume.within(tensors, "optimiser."))
            for name in _FACTS:
                setattr(self, name, facts[name])
        except (RuntimeError, KeyError, ValueError) as error:
            raise ModelError(f"{path} cannot be continued from ({error}): delete it and train again.") from error


_FACTS = ("step", "epoch", "best", "best_score", "stale", "history")


def _batches(domain: Learned, batch: int, chance: np.random.Generator) -> "list[tuple[Learned, Batch]]":
    lessons = domain.chosen(chance)
    varied = [domain.variety.vary(lesson, chance) for lesson in lessons]
    return [
        (
            domain,
            domain.numbering.batch(
                [varied[i][0] for i in part], [varied[i][1] for i in part], [lessons[i] for i in part]
            ),
        )
        for part in by_length([len(words) for words, _ in varied], batch, chance)
    ]


class Asked(NamedTuple):
    """A batch as it can be read, and what its hidden words were.

    Attributes:
        words: (n, words) numbers before anything was hidden.
        gone: (n, words) bool of what is hidden.
    """

    batch: Batch
    words: Tensor
    gone: Tensor


def _loss(net: TextNet, domain: Learned, asked: Asked, training: TrainingConfig, domains: Sequence[Learned]) -> Tensor:
    batch, config, heads = asked.batch, domain.corpus.config, net.head(domain.shape.name)
    inside = batch.read.inside
    with torch.autocast("cpu", torch.bfloat16, enabled=training.short and _short()):
        encoded = net.encoder(batch.read)
        heard = heads(encoded)
        which = net.domains(encoded)
    logits = heard.intents.float()
    if domain.shape.several:
        intent = functional.binary_cross_entropy_with_logits(logits, batch.intents, reduction="sum") / len(logits)
    else:
        intent = functional.cross_entropy(logits, batch.intents, label_smoothing=training.smoothing)
    loss = config.intent_weight * intent
    if len(domain.shape.tags) > 1:
        loss = loss + config.slot_weight * heads.crf.loss(heard.slots.float(), batch.tags, inside).mean()
    if len(domains) > 1:
        own = torch.full((len(batch.tags),), domains.index(domain))
        loss = loss + _WHICH * functional.cross_entropy(which.float(), own)
    known = asked.gone & (asked.words > UNKNOWN)
    if training.recalled and bool(known.any()):
        loss = loss + training.recalled * functional.cross_entropy(
            net.recalled(encoded.x[known].float()), asked.words[known]
        )
    return config.weight * loss


def _short() -> bool:
    """Whether this processor multiplies 16-bit numbers in hardware; where it does not, they are slower."""
    return bool(torch.cpu._is_avx512_bf16_supported())


def fingerprint(corpora: Sequence[Corpus], config: TextConfig, seed: int) -> str:
    """What a half-done training is known by: its text, its config, its seed."""
    text = hashlib.sha256()
    for corpus in corpora:
        for sentence in [*corpus.train, *corpus.dev]:
            text.update(json.dumps(asdict(sentence), sort_keys=True).encode())
    text.update(json.dumps([config.to_json(), seed, [c.cut for c in corpora]], sort_keys=True).encode())
    return text.hexdigest()
