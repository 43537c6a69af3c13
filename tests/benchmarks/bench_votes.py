"""Votes of labelling functions: weighted vote and label model against majority vote and against each function.

F1 of exact spans with 95% intervals (bootstrap over texts, the same draws for all, so that differences have intervals,
too). Sets with ground truth: generated notes as written and with the noise of speech recognition; and, where
`OPEN_TEXT=FOLDER` names them, real calls (restaurant8k: date, time) and commands (hwu64: person, date, time), with
functions for their own labels. A third of the texts is the labelled part that weights are learned on; the others are
measured. Also: how many names of people are covered before a note is stored.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.jobs.words.notes import model_function, people_in
from app.jobs.words.shipped import disturbed
from core.words.labelling import lists
from core.words.labelling.dates import parsers
from core.words.labelling.label_model import fit
from core.words.labelling.patterns import FUNCTIONS as PATTERNS
from core.words.labelling.privacy import deidentified
from core.words.labelling.registry import LABELS, LabelFunction, LabelRules, ballots, functions
from core.words.text import Sentence, Span, tokens_of
from core.words.votes import Ballot, Labelled, equal_weights, joined, labelled, records, weights
from data.words.corpus import read_folder
from data.words.study import by_hand, draw

SEED, GENERATED, DRAWS = 4711, 900, 2000
LEARN = 3  # one text in so many is labelled


def main() -> dict[str, Any]:
    """F1 with intervals for every set; minutes on one core."""
    out: dict[str, Any] = {}
    notes = _ours(draw("notes", 0, GENERATED, SEED).dev)  # templates that the text model has not learned from
    rules = functions(LabelRules())
    model = (*rules, model_function())
    noisy = _ours(disturbed(notes, seed=SEED))
    out["generated notes"] = measure(notes, model, LABELS)
    out["generated notes, without the text model"] = measure(notes, rules, LABELS)
    out["generated notes as heard"] = measure(noisy, model, LABELS)
    out["generated notes as heard, without the text model"] = measure(noisy, rules, LABELS)
    out["hand-written notes"] = measure(_ours(by_hand("notes")), model, LABELS)
    out["names covered, generated notes"] = covered(notes, ("employee",))
    folder = Path(os.environ.get("OPEN_TEXT", ""))
    for name, kept in (
        ("restaurant8k", {"date": "date", "time": "time"}),
        ("hwu64", {"person": "employee", "date": "date", "time": "time", "timeofday": "time"}),
    ):
        if not os.environ.get("OPEN_TEXT") or not (folder / name).is_dir():
            out[name] = "not at hand: set OPEN_TEXT"
            continue
        read = [one for part in read_folder(folder / name).parts.values() for one in part]
        labels = tuple(sorted(set(kept.values())))
        held = _kept(read, kept)
        out[name] = measure(held, real_functions(labels), labels)
        people = {"first_name", "last_name"} if name == "restaurant8k" else {"person"}
        out[f"names covered, {name}"] = covered(read, tuple(people))
    return out


def real_functions(labels: Sequence[str]) -> tuple[LabelFunction, ...]:
    """Functions for days, clocks and people; the text model has no label for a day apart from a clock and stays out."""
    people = tuple(one for one in (*PATTERNS, *lists.SHIPPED) if one.name in (
        "somebody who does or is told", "title and name", "given names", "names that are words too", "name and surname",
    ))  # fmt: skip
    return (*parsers("date", "time", None), *(people if "employee" in labels else ()))


def measure(texts: Sequence[Sentence], voters: Sequence[LabelFunction], labels: Sequence[str]) -> dict[str, Any]:
    """F1 of every way to join the votes and of every function, on the texts that taught nothing."""
    began = time.perf_counter()
    heard = ballots([one.text for one in texts], voters)
    voted_s = time.perf_counter() - began
    order = np.random.default_rng(SEED).permutation(len(texts))
    learn, test = order[: len(texts) // LEARN], order[len(texts) // LEARN :]
    names = [one.name for one in voters]
    found = records([heard[i] for i in learn], [texts[i].spans for i in learn])
    weigh, even = weights(found, names, labels), equal_weights(names, labels)
    began = time.perf_counter()
    model = fit([heard[i] for i in order], {at: texts[i].spans for at, i in enumerate(learn)})
    fitted_s = time.perf_counter() - began
    said: dict[str, list[Labelled]] = {
        "weighted vote": [labelled(heard[i], weigh) for i in test],
        "label model": [joined(heard[i], model.outcomes(heard[i]), weigh) for i in test],
        "majority vote": [labelled(heard[i], even, 0.5) for i in test],
    }
    ways = list(said)
    for name in names:
        alone = {(name, label): 1.0 for label in labels}
        said[name] = [labelled(Ballot(heard[i].tokens, {name: heard[i].votes[name]}), alone, 0.5) for i in test]
    truth = [texts[i] for i in test]
    counts = {name: _counts(truth, [one.spans for one in made]) for name, made in said.items()}
    draws = _draws(len(test))
    table = {name: {**_f1(counts[name], draws), "waiting": _waiting(said[name])} for name in said}
    every = [name for name in names if counts[name][:, 1].sum()]
    best = max(every, key=lambda name: table[name]["f1"])
    return {
        "texts": len(texts), "labelled_part": len(learn), "measured": len(test), "functions": len(names),
        **{name: table[name] for name in ways},
        "best function": {"name": best, **table[best]},
        "differences": {
            f"weighted vote less {name}": _difference(counts["weighted vote"], counts[name], draws)
            for name in ("majority vote", "label model", best)
        } | {"label model less majority vote": _difference(counts["label model"], counts["majority vote"], draws)},
        "each": {name: table[name]["f1"] for name in sorted(every, key=lambda name: -table[name]["f1"])},
        "ms_a_text_to_vote": round(1000 * voted_s / len(texts), 2), "seconds_to_fit": round(fitted_s, 1),
    }  # fmt: skip


def covered(texts: Sequence[Sentence], labels: Sequence[str]) -> dict[str, Any]:
    """Of the names of people, how many are covered to the last word; and of all other words, how many are, too."""
    names = whole = others = lost = 0
    told = people_in([one.text for one in texts])
    for one in texts:
        people = [span for span in one.spans if span.label in labels]
        kept = deidentified(one.text, {}, people=told.get(one.text, ()))
        names += len(people)
        # a name is covered where nothing of its words is left
        whole += sum(_gone(one.text[s.start : s.end], kept.text) for s in people)
        inside = {at for s in people for at in range(s.start, s.end)}
        words = [t for t in tokens_of(one.text) if t.start not in inside and t.text.isalpha()]
        others += len(words)
        lost += sum(not _there(t.text, kept.text) for t in words)
    return {"names": names, "covered": whole, "share": round(whole / max(1, names), 3),
            "other_words": others, "covered_wrongly": round(lost / max(1, others), 4)}  # fmt: skip


def _gone(name: str, text: str) -> bool:
    return not any(_there(token.text, text) for token in tokens_of(name) if len(token.text) > 2)


def _there(word: str, text: str) -> bool:
    return word in {token.text for token in tokens_of(text)}


def _ours(texts: Sequence[Sentence]) -> list[Sentence]:
    return _kept(texts, {label: label for label in LABELS})


def _kept(texts: Sequence[Sentence], labels: Mapping[str, str]) -> list[Sentence]:
    return [
        Sentence(one.id, one.text, one.intents,
                 tuple(Span(s.start, s.end, labels[s.label]) for s in one.spans if s.label in labels))
        for one in texts
    ]  # fmt: skip


def _counts(truth: Sequence[Sentence], said: Sequence[Sequence[Span]]) -> np.ndarray:
    """(texts, 3): right, said, meant."""
    return np.array([
        (len(set(one.spans) & set(spans)), len(spans), len(one.spans)) for one, spans in zip(truth, said, strict=True)
    ], float)  # fmt: skip


def _draws(n: int) -> np.ndarray:
    """(draws, texts) how often each text is drawn."""
    return np.random.default_rng(SEED + 1).multinomial(n, np.full(n, 1 / n), DRAWS).astype(float)


def _f1s(counts: np.ndarray, draws: np.ndarray) -> np.ndarray:
    total = draws @ counts
    return 2 * total[:, 0] / np.maximum(1, total[:, 1] + total[:, 2])


def _f1(counts: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    right, spoken, meant = counts.sum(0)
    low, high = np.quantile(_f1s(counts, draws), (0.025, 0.975))
    return {"f1": round(2 * right / max(1, spoken + meant), 3), "interval": [round(low, 3), round(high, 3)],
            "precision": round(right / max(1, spoken), 3), "recall": round(right / max(1, meant), 3)}  # fmt: skip


def _difference(one: np.ndarray, other: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    gaps = _f1s(one, draws) - _f1s(other, draws)
    whole = _f1s(one, np.ones((1, len(one)))) - _f1s(other, np.ones((1, len(one))))
    low, high = np.quantile(gaps, (0.025, 0.975))
    return {"f1": round(float(whole[0]), 3), "interval": [round(low, 3), round(high, 3)]}


def _waiting(made: Sequence[Labelled]) -> float:
    """Share of texts that wait for a person."""
    return round(sum(bool(one.waiting) for one in made) / len(made), 3)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(), indent=1) + "\n")
