"""People's words beat the vote, and two versions are compared span by span."""

from hypothesis import given
from hypothesis import strategies as st

from core.words.labelling.changes import Moved, Override, difference, overlaid
from core.words.text import Span
from core.words.votes import Came, Given, Labelled, Waiting

VOTED = Labelled(
    (Given(0, 5, "defect", 0.8), Given(9, 15, "line", 0.9)), (Waiting(20, 24, Came.TIE, ("line", "time")),)
)


def test_a_persons_word_beats_the_vote_and_a_later_word_an_earlier_one():
    made = overlaid(VOTED, [Override(0, 5, "product"), Override(20, 24, "time"), Override(20, 24, "line")])
    assert made.spans == (Span(0, 5, "product"), Span(9, 15, "line"), Span(20, 24, "line"))
    assert made.waiting == ()


def test_none_of_them_takes_the_label_away_and_leaves_the_rest():
    made = overlaid(VOTED, [Override(9, 15, "O")])
    assert made.spans == (Span(0, 5, "defect"),)
    assert made.waiting == VOTED.waiting


def test_without_words_the_vote_counts():
    assert overlaid(VOTED, []) == VOTED


def test_a_difference_counts_added_removed_and_changed():
    before = {1: (Span(0, 5, "defect"), Span(9, 15, "line")), 2: (Span(0, 4, "time"),), 3: ()}
    after = {1: (Span(0, 5, "product"), Span(9, 15, "line")), 2: (), 3: (Span(2, 4, "size"),)}
    found = difference(before, after)
    assert (found.notes, found.differing) == (3, 3)
    assert found.by_label == {"product": Moved(changed=1), "time": Moved(removed=1), "size": Moved(added=1)}
    assert found.examples[0].before == (Span(0, 5, "defect"),)


SPANS = st.lists(st.builds(lambda a, n, label: Span(a, a + n, label), st.integers(0, 20), st.integers(1, 5),
                           st.sampled_from(["line", "time"])), max_size=4)  # fmt: skip


@given(st.dictionaries(st.integers(0, 5), SPANS))
def test_nothing_differs_from_itself(labels):
    found = difference(labels, labels)
    assert (found.differing, dict(found.by_label), found.examples) == (0, {}, ())
