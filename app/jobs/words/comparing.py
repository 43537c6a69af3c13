"""Two text models on sentences that people have completed or corrected, compared while more of them come."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.words.text import find
from app.settings import Settings
from core.errors import BadInput
from core.words.text_duel import ALPHA, duel
from core.words.text_scores import sentence_right
from data.words.corpus import read_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.words.text import Sentence


def compare(
    settings: Settings, folder: Path, first: str, second: str, *, split: str = "test", domain: str | None = None,
    alpha: float = ALPHA,
) -> dict[str, Any]:  # fmt: skip
    """Compare two models sentence by sentence, in the order in which they stand in the folder's part.

    A sentence is right where its intent and every span are. Running it again on more sentences is no cheating: the
    answer holds however often one looks.

    Args:
        settings: for the home folder.
        folder: of labelled sentences, oldest first.
        first: a model by name, or the path of its folder.
        second: the other.
        split: train, dev or test.
        domain: whose heads answer; needed where a model has several.
        alpha: chance of ever naming a better one where both are equally good.

    Returns:
        {first, second, domain, sentences, only_first, only_second, better: name | None, p_value, share, interval}; the
        share is that of the sentences which only one model had right that the second one had.

    Raises:
        NotFound: no such model, folder or domain.
        BadInput: the part is empty.
    """
    sentences = read_folder(folder).parts.get(split, ())
    if not sentences:
        raise BadInput(f"{folder} has no part {split}: name another with --split.")
    names, right = [], []
    for one in (first, second):
        name, shape, correct = _answered(find(settings, one), sentences, domain)
        names.append(name)
        right.append(correct)
    found = duel(zip(*right, strict=True), alpha)
    apart = found.first + found.second
    return {
        "first": names[0],
        "second": names[1],
        "domain": shape,
        "sentences": found.sentences,
        "only_first": found.first,
        "only_second": found.second,
        "better": {"first": names[0], "second": names[1], "": None}[found.better],
        "p_value": found.p_value,
        "share": found.second / apart if apart else None,
        "interval": [found.low, found.high],
        "alpha": alpha,
    }


def _answered(place: Path, sentences: "Sequence[Sentence]", domain: str | None) -> tuple[str, str, list[bool]]:
    from models.text.answering import answer_of, ask
    from models.text.checkpoint import load

    model = load(place)
    shape = model.shape(domain)
    limits, cut = model.card.limits[shape.name], model.card.cuts[shape.name]
    raws = ask(model.net, model.card.vocabulary, shape, cut, [one.text for one in sentences])
    said = [answer_of(raw, shape, limits) for raw in raws]
    return model.card.name, shape.name, [sentence_right(*pair) for pair in zip(sentences, said, strict=True)]
