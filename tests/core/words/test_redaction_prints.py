"""Which lines of print on a label are covered."""

from core.pictures.covering import Cover
from core.words.prints import Print
from core.words.redaction_prints import personal_prints, shown_lines


def label(*lines):
    return tuple(Print(text, 0.9, (10.0, 30.0 * number, 200.0, 24.0)) for number, text in enumerate(lines))


def covered_lines(*lines):
    boxes = {one.box for one in personal_prints(label(*lines))}
    return [one.text for one in label(*lines) if one.box in boxes]


def test_a_shipping_label_is_covered_from_the_name_to_the_town():
    lines = (
        "SHIP TO",
        "Oyelaran Bassey",
        "c/o Harbour Works",
        "12 Rose Street",
        "LONDON SW1A 1AA",
        "ORDER 55120",
        "LOT 4471",
    )
    assert covered_lines(*lines) == list(lines[1:5])


def test_print_that_lost_its_blanks_is_covered_too():
    assert covered_lines("Empfänger:", "AnnaLindqvist", "Rosenstraße12", "80331München") == [
        "AnnaLindqvist",
        "Rosenstraße12",
        "80331München",
    ]


def test_a_label_of_goods_is_left_alone():
    assert (
        covered_lines(
            "BEDSHEET SET",
            "SIZE KING 180x200",
            "100% COTTON",
            "LOT 4471 EXP 12 JAN 2026",
            "EAN 4006381333931",
            "MADE IN PORTUGAL",
        )
        == []
    )


def test_the_place_the_kind_and_the_rule_are_kept_and_not_a_word():
    (one,) = personal_prints(label("Tel +44 20 7946 0958"))
    assert one == Cover("phone", (10.0, 0.0, 200.0, 24.0), "text: announced")


def test_whoever_may_not_see_a_line_reads_what_kind_it_is():
    assert shown_lines(label("KING SIZE", "Anna Lindqvist")) == ["KING SIZE", "[NAME]"]
