"""What a text model must show in a domain before it is used there: intents, and exact recall of each kind of slot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.gates.gate import gate
from core.gates.rates import Question, plain, rate_question
from core.gates.records import Verdict
from core.words.text import Sentence
from core.words.text_scores import Answer, intent_named, is_out_of_scope, recall_by_label, span_counts


@dataclass(frozen=True)
class TextLimits:
    """Lowest values that are good enough in one domain.

    Attributes:
        intents: share of sentences in scope whose intents are named.
        recall: of all slots, place and label exact.
        out_of_scope: share of the sentences out of scope that are called so.
        held_back: highest share of sentences in scope that are called out of scope.
        by_label: recall of single labels; they decide as well. Labels that are not named are only reported.
        joint: chance that a model which breaks a limit passes all the same.
    """

    intents: float = 0.7
    recall: float = 0.6
    out_of_scope: float = 0.3
    held_back: float = 0.3
    by_label: Mapping[str, float] = field(default_factory=dict)
    joint: float = 0.05


def text_gate(meant: Sequence[Sentence], said: Sequence[Answer], limits: TextLimits) -> Verdict:
    """Judge a model on sentences that it has not learned from: pass, fail, or not enough evidence."""
    inside = [(s, a) for s, a in zip(meant, said, strict=True) if not is_out_of_scope(s)]
    outside = [a for s, a in zip(meant, said, strict=True) if is_out_of_scope(s)]
    slots = span_counts(meant, said)
    questions: list[Question] = [
        rate_question(
            "intents named",
            plain(sum(intent_named(s, a) for s, a in inside), len(inside)),
            limits.intents,
            "sentences in scope",
        ),
        rate_question("slots found", plain(slots.right, slots.meant), limits.recall, "slots"),
        rate_question(
            "out of scope found",
            plain(sum(a.out_of_scope for a in outside), len(outside)),
            limits.out_of_scope,
            "sentences out of scope",
        ),
        rate_question(
            "held back",
            plain(sum(a.out_of_scope for _, a in inside), len(inside)),
            limits.held_back,
            "sentences in scope",
            at_least=False,
        ),
    ]
    counts = recall_by_label(meant, said)
    for label in sorted({*counts, *limits.by_label}):
        found = counts.get(label)
        questions.append(
            rate_question(
                f"{label} found",
                plain(found.right, found.meant) if found else plain(0, 0),
                limits.by_label.get(label, limits.recall),
                f"{label} slots",
                decides=label in limits.by_label,
            )
        )
    return gate(questions, limits.joint)
