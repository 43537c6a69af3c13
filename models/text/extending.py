"""A new domain for a trained text model: heads and an adapter of its own, the encoder and the older heads frozen.

The one thing the domains share and that changes is which of them a text belongs to. So the older domains are
measured before and after, and a model in which one of them falls beyond its interval is refused.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from core.errors import BadInput, GateFailed
from core.learn.metrics.proportions import proportion_interval
from core.words.text_scores import intent_right
from models.text.answering import Limits, answer_of, ask
from models.text.checkpoint import TextModel
from models.text.config import TextConfig
from models.text.net import DomainShape, TextNet, build
from models.text.training import Corpus, Learned, Progress, Trained, run_to_end
from models.text.vocabulary import Vocabulary

ADAPTER = 32


def extend(
    base: TextModel, new: Corpus, older: Sequence[Corpus], config: TextConfig, seed: int, progress: Progress
) -> Trained:
    """Teach a model one more domain.

    Args:
        base: the model.
        new: the domain it does not know.
        older: text of each domain that it knows, to tell the new one from and to be measured on.
        config: training settings; the encoder is the base's own.
        seed: of everything random.
        progress: told how far it is.

    Raises:
        BadInput: the domain is known already, or an older one's text is missing.
        GateFailed: an older domain is understood less often than its interval before allows.
    """
    card = base.card
    texts = {corpus.config.name: corpus for corpus in older}
    if new.config.name in {d.name for d in card.domains}:
        raise BadInput(f"{card.name} knows the domain {new.config.name} already: give the new one another name.")
    if missing := [d.name for d in card.domains if d.name not in texts or not texts[d.name].dev]:
        raise BadInput(
            f"The dev part of {', '.join(missing)} is needed too: an older domain must not get worse unseen."
        )
    torch.manual_seed(seed)
    shape = replace(new.shape(), adapter=ADAPTER)
    net = _grown(base, shape)
    domains = [Learned(texts[d.name], config, card.vocabulary, d) for d in card.domains]
    domains.append(Learned(new, config, card.vocabulary, shape))
    trained = run_to_end(net, domains, config, card.vocabulary, seed, progress=progress)
    limits = {**trained.limits, **card.limits}
    for place, domain in enumerate(card.domains):
        before = understood(base.net, card.vocabulary, domain, place, texts[domain.name], limits[domain.name])
        after = understood(trained.net, card.vocabulary, domain, place, texts[domain.name], limits[domain.name])
        sentences = len(texts[domain.name].dev)
        interval = proportion_interval(before, sentences)
        if interval is not None and after / sentences < interval.low:
            raise GateFailed(
                f"With {new.config.name}, {after} of {sentences} sentences of {domain.name} are understood; before "
                f"{before} were ({interval.low:.1%} to {interval.high:.1%}): it is refused."
            )
    return replace(trained, limits=limits)


def understood(
    net: TextNet, vocabulary: Vocabulary, domain: DomainShape, place: int, corpus: Corpus, limits: Limits
) -> int:
    """Sentences of a dev part that find their domain, with intents and every span right."""
    raws = ask(net, vocabulary, domain, corpus.cut, [s.text for s in corpus.dev], sure=False)
    answers = [answer_of(raw, domain, limits) for raw in raws]
    return sum(
        int(raw.domains.argmax()) == place and intent_right(s, a) and set(s.spans) == set(a.spans)
        for raw, s, a in zip(raws, corpus.dev, answers, strict=True)
    )


def _grown(base: TextModel, shape: DomainShape) -> TextNet:
    """The base with one more domain; only what is new, and what tells the domains apart, may learn."""
    net = build(base.card.encoder, base.card.vocabulary, [*base.card.domains, shape])
    state, old = net.state_dict(), base.net.state_dict()
    for name, tensor in old.items():
        if name.startswith("which."):
            state[name][: len(tensor)] = tensor
        else:
            state[name] = tensor
    net.load_state_dict(state)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name.startswith((f"heads.{shape.name}.", "which.")))
    return net
