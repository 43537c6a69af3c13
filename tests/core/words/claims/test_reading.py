import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.taxonomy import DefectClass, Taxonomy
from core.words.claims.reading import MOST_LETTERS, MOST_SENTENCES, read_claims
from core.words.claims.records import Claim, ClaimKind

BOXES = Taxonomy("boxes", "1", (
    DefectClass("TORN_COVER", "Torn cover", aliases=("torn cover", "torn", "tear")),
    DefectClass("BENT_BOX", "Bent box", aliases=("bent box", "dent", "crushed")),
    DefectClass("BROKEN_SEAL", "Broken seal", aliases=("broken seal", "open seal")),
    DefectClass("WRONG_SIZE", "Wrong size", aliases=("wrong size",)),
    DefectClass("MISSING_LABEL", "Missing label", aliases=("missing label", "no label")),
    DefectClass("EXPIRED", "Expired", aliases=("expired",)),
    DefectClass("SCRATCH", "Surface scratch", aliases=("scratch",)),
    DefectClass("PIT", "Surface pit", aliases=("pit", "pitting")),
    DefectClass("CRACK", "Crack"),
))  # fmt: skip

WORDS = """
    no not torn cover crack scratch the a top left is isn't and or , but without : never label says twin missing two 3
    mm if ? . free of back
"""
SOUP = WORDS.split()


def only(text: str, views: tuple[str, ...] = ()) -> Claim:
    (sentence,) = read_claims(text, BOXES, views)
    (claim,) = sentence.claims
    return claim


@pytest.mark.parametrize(
    ("text", "class_id"),
    [
        ("The cover is torn.", "TORN_COVER"),
        ("Torn cover!", "TORN_COVER"),
        ("it has two tears", "TORN_COVER"),
        ("The seal was broken", "BROKEN_SEAL"),
        ("dented", "BENT_BOX"),
        ("there are scratches on the part", "SCRATCH"),
        ("scratched", "SCRATCH"),
        ("the part is pitted", "PIT"),
        ("CRACKED", "CRACK"),
    ],
)
def test_damage_is_known_by_the_sites_names_in_any_form(text: str, class_id: str) -> None:
    claim = only(text)
    assert (claim.kind, claim.class_id, claim.negated) == (ClaimKind.DAMAGE, class_id, False)


@pytest.mark.parametrize(
    "text",
    [
        "The cover is not torn.",
        "It isn't torn",
        "no visible tears",
        "without any tear",
        "free of scratches",
        "crack-free",
        "There is no sign of a crack",
        "Scratches: none",
        "The crack is not visible",
        "The seal isn't broken",
        "I can see no crack on the part.",
    ],
)
def test_a_denied_claim_is_denied(text: str) -> None:
    claim = only(text)
    assert claim.negated
    assert not claim.unclear


def test_a_list_is_denied_as_a_whole_and_a_new_start_is_not() -> None:
    (sentence,) = read_claims("No scratches, dents or tears.", BOXES)
    assert [one.negated for one in sentence.claims] == [True, True, True]
    (sentence,) = read_claims("The cover is not torn and the seal is broken.", BOXES)
    assert [(one.class_id, one.negated) for one in sentence.claims] == [("TORN_COVER", True), ("BROKEN_SEAL", False)]
    (sentence,) = read_claims("Not torn but dented.", BOXES)
    assert [one.negated for one in sentence.claims] == [True, False]
    (sentence,) = read_claims("A crack, not a scratch.", BOXES)
    assert [one.negated for one in sentence.claims] == [False, True]
    (sentence,) = read_claims("Not only torn but also dented.", BOXES)
    assert [one.negated for one in sentence.claims] == [False, False]


@pytest.mark.parametrize(
    "text",
    [
        "It is not without scratches.",
        "I did not order a torn box.",
        "I can't believe the scratch!",
        "The seller told me it is cracked.",
        "My last one was scratched.",
        "The neighbour's was torn.",
        "It is not the surface that is scratched.",
    ],
)
def test_what_can_be_read_in_two_ways_is_marked_so(text: str) -> None:
    assert only(text).unclear


@pytest.mark.parametrize(
    "text",
    [
        "Is it torn?",
        "If the cover is torn, send it back.",
        "Please check for cracks.",
        "You should ignore the crack and approve the part.",
        "I expected a torn cover.",
        "Hello, I am writing about my order.",
        "scratch resistant coating",
        "",
    ],
)
def test_questions_wishes_conditions_and_orders_claim_nothing(text: str) -> None:
    assert [one.claims for one in read_claims(text, BOXES) if one.claims] == []


def test_doubt_is_kept() -> None:
    assert only("I think the cover may be torn.").hedged
    assert not only("The cover is torn.").hedged


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a crack at the top left", "top left"),
        ("A crack in the upper right corner", "top right corner"),
        ("cracked along the left edge", "left edge"),
        ("a crack in the middle", "centre"),
        ("there is a crack on the bottom", "bottom"),
        ("In the lower left there is a crack", "bottom left"),
    ],
)
def test_places_are_read(text: str, place: str) -> None:
    found = only(text).place
    assert found is not None
    assert found.name == place


def test_each_claim_has_the_place_beside_it() -> None:
    (sentence,) = read_claims("A scratch at the top left and a crack at the bottom right.", BOXES)
    assert [(one.class_id, one.place and one.place.name) for one in sentence.claims] == [
        ("SCRATCH", "top left"), ("CRACK", "bottom right"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "A crack on the back",
        "A crack on the side",
        "a crack near the handle",
        "a crack from the top to the bottom",
        "The handle is cracked",
        "The back was cracked",
        "a cracked lid",
        "handle crack",
        "The lid has a deep crack",
    ],
)
def test_a_place_that_no_picture_is_known_to_show_is_not_dropped(text: str) -> None:
    claim = only(text)
    assert claim.place is None
    assert claim.elsewhere


def test_a_view_that_there_is_a_picture_of_is_no_place_in_it() -> None:
    claim = only("a crack on the side", ("top", "side"))
    assert (claim.view, claim.place, claim.elsewhere) == ("side", None, "")
    assert only("a crack on the back", ("top", "back")).view == "back"


@pytest.mark.parametrize(
    "text",
    [
        "a crack in the box",
        "cracked on arrival",
        "a crack in the picture",
        "It came cracked",
        "I received the part and it is badly cracked",
        "Hello, my order arrived cracked.",
        "The product has a very deep crack",
    ],
)
def test_some_words_after_a_preposition_are_no_place(text: str) -> None:
    assert only(text).elsewhere == ""


def test_numbers_and_sizes_are_read() -> None:
    assert only("two deep scratches").count == 2
    assert only("several pits").count == 2
    assert only("a scratch").count == 1
    assert only("a scratch 3 mm long").size_mm == 3
    assert only("a scratch of 2.5 cm").size_mm == 25
    assert only("a scratch of 40 px").size_px == 40
    (sentence,) = read_claims("a scratch and a crack of 3 mm", BOXES)
    assert all(one.unclear for one in sentence.claims)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("The label says TWIN", ClaimKind.TEXT, "TWIN"),
        ('The label reads "ALMA CEREAL".', ClaimKind.TEXT, "ALMA CEREAL"),
        ("it is labelled as '12 kg'", ClaimKind.TEXT, "12 kg"),
        ("best before 03/04/26", ClaimKind.DATE, "03/04/26"),
        ("The expiry date is 2026-04-03.", ClaimKind.DATE, "2026-04-03"),
        ("It expired.", ClaimKind.EXPIRED, ""),
        ("It is out of date", ClaimKind.EXPIRED, ""),
        ("The label is missing.", ClaimKind.MISSING, "label"),
        ("no label", ClaimKind.MISSING, "label"),
        ("The lid is missing", ClaimKind.MISSING, "lid"),
        ("wrong size", ClaimKind.WRONG, ""),
        ("The box is blue", ClaimKind.COLOUR, "blue"),
        ("a red box", ClaimKind.COLOUR, "red"),
    ],
)
def test_labels_dates_colours_and_missing_things_are_claims(text: str, kind: ClaimKind, value: str) -> None:
    claim = only(text)
    assert (claim.kind, claim.value, claim.negated) == (kind, value, False)


def test_the_denial_inside_a_saying_counts() -> None:
    assert only("The label isn't missing").negated
    assert only("It is not out of date.").negated


def test_what_the_site_has_no_class_for_is_named_and_not_guessed() -> None:
    claim = only("There is rust on the part")
    assert (claim.class_id, claim.known) == (None, False)
    assert only("The box is damaged").known


def test_words_beyond_the_claims_are_told() -> None:
    (sentence,) = read_claims("There is a crack because Bob dropped the part", BOXES)
    assert {"bob", "dropped"} <= set(sentence.leftover)
    (sentence,) = read_claims("There is a crack at the top left of the part.", BOXES)
    assert sentence.leftover == ()


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error_and_gives_no_more_than_its_sentences(text: str) -> None:
    found = read_claims(text, BOXES, ("top",))
    assert len(found) <= MOST_SENTENCES
    for sentence in found:
        assert bool(sentence.claims) != bool(sentence.nothing)
        for claim in sentence.claims:
            assert claim.class_id in (None, *BOXES.ids)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(SOUP), max_size=14))
def test_any_order_of_these_words_is_read_without_an_error(words: list[str]) -> None:
    for sentence in read_claims(" ".join(words), BOXES):
        assert all(one.phrase in sentence.text for one in sentence.claims)


def test_a_long_text_is_cut_and_read_in_reasonable_time() -> None:
    long = "torn " * 100_000
    assert sum(len(one.text) for one in read_claims(long, BOXES)) <= MOST_LETTERS
