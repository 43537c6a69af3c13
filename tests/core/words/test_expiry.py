from datetime import date

import numpy as np
import pytest

from core.words.date_forms import Order
from core.words.expiry import UNSURE, Expiry, Printing, Shelf, read_expiry, shelf
from core.words.prints import Print

TODAY = date(2026, 3, 1)


def read(*lines: str, order: Order | None = None, languages: tuple[str, ...] = ("en",), **more: object) -> Expiry:
    return read_expiry([Print(one) for one in lines], Printing(order, languages, **more), TODAY)


def sure(*lines: str, **more: object) -> date:
    """The one date that was read, which has to be nearly certain."""
    found = read(*lines, **more)
    assert found.readings
    assert found.readings[0].probability > 0.95, found
    return found.readings[0].day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("EXP 25/12/26", date(2026, 12, 25)),
        ("BEST BEFORE 25.12.2026", date(2026, 12, 25)),
        ("EXP 2026-12-05", date(2026, 12, 5)),
        ("2026.12.05", date(2026, 12, 5)),
        ("USE BY 12 JAN 2027", date(2027, 1, 12)),
        ("12JAN2027", date(2027, 1, 12)),
        ("Best By FEB/26/27 10:48 NDL2A", date(2027, 2, 26)),
        ("EXP:DEC-28-2026", date(2026, 12, 28)),
        ("BEST BY MAR 04 2027 09:34", date(2027, 3, 4)),
        ("EXP 11/2026", date(2026, 11, 30)),
        ("JAN27", date(2027, 1, 31)),
        ("EXP FEB 2028", date(2028, 2, 29)),
        ("EXP 20261205", date(2026, 12, 5)),
        ("2027年1月12日", date(2027, 1, 12)),
        ("EXP ٢٠٢٧-٠١-١٢", date(2027, 1, 12)),
    ],
)
def test_the_usual_printed_forms_are_read(text, day):
    assert sure(text) == day


@pytest.mark.parametrize(
    ("text", "languages", "day"),
    [
        ("MHD 12. MÄRZ 2027", ("de",), date(2027, 3, 12)),
        ("mindestens haltbar bis: 30.09.26", ("de",), date(2026, 9, 30)),
        ("DLC 14 AOUT 2026", ("fr",), date(2026, 8, 14)),
        ("DLC 14 août 2026", ("fr",), date(2026, 8, 14)),
        ("VTO 03 ENE 2027", ("es",), date(2027, 1, 3)),
        ("2026.05.04 까지", ("ko",), date(2026, 5, 4)),
    ],
)
def test_words_and_months_of_other_languages_are_known(text, languages, day):
    assert sure(text, languages=languages) == day


def test_day_and_month_in_either_order_stay_two_dates():
    found = read("EXP 03/04/26")
    days = {one.day: one.probability for one in found.readings}
    assert days[date(2026, 4, 3)] == pytest.approx(days[date(2026, 3, 4)])
    assert 0.4 < days[date(2026, 4, 3)] < 0.5
    assert "2026-03-04" in found.said()
    assert "2026-04-03" in found.said()


def test_the_order_of_the_site_settles_it():
    assert sure("EXP 03/04/26", order=Order.DAY) == date(2026, 4, 3)
    assert sure("EXP 03/04/26", order=Order.MONTH) == date(2026, 3, 4)
    assert sure("26.05.04 까지", order=Order.YEAR) == date(2026, 5, 4)


def test_a_day_above_twelve_needs_no_order():
    assert sure("EXP 13/04/26") == date(2026, 4, 13)
    assert sure("EXP 04/13/26") == date(2026, 4, 13)


def test_an_ambiguous_date_that_is_fine_either_way_is_fine():
    found = read("EXP 03/04/28")
    assert shelf(found, TODAY, short_days=30).shelf is Shelf.FINE
    assert shelf(read("EXP 03/04/26"), date(2026, 3, 20), short_days=0).shelf is Shelf.UNREADABLE


def test_expired_and_short_dated_goods_are_told():
    assert shelf(read("EXP 28/02/2026"), TODAY, 30).shelf is Shelf.EXPIRED
    assert shelf(read("EXP 01/03/2026", order=Order.DAY), TODAY, 30).shelf is Shelf.SHORT
    assert shelf(read("EXP 25/03/2026"), TODAY, 30).shelf is Shelf.SHORT
    assert shelf(read("EXP 25/04/2026"), TODAY, 30).shelf is Shelf.FINE


@pytest.mark.parametrize(("printed", "seen"), [("0", "O"), ("1", "I"), ("1", "l"), ("5", "S"), ("8", "B"), ("2", "Z")])
def test_the_usual_confusions_are_read_through(printed, seen):
    text = "EXP 18/12/2025" if printed not in "0" else "EXP 10/12/2026"
    at = text.index(printed, 4)
    day, month, year = map(int, text[4:].split("/"))
    best, *_ = read(text[:at] + seen + text[at + 1 :], order=Order.DAY).readings
    assert best.day == date(year, month, day)
    assert best.probability > 0.7


def test_a_misread_month_is_still_a_month():
    assert sure("EXP 12 0CT 2026") == date(2026, 10, 12)
    assert sure("EXP 12 N0V 2026") == date(2026, 11, 12)
    assert sure("EXP 12 DEG 2026") == date(2026, 12, 12)


def test_a_date_that_cannot_be_is_no_reading():
    found = read("EXP 31/02/2026", order=Order.DAY)
    assert shelf(found, TODAY, 0).shelf is Shelf.UNREADABLE or all(one.probability < 0.5 for one in found.readings)
    assert not [one for one in found.readings if one.day == date(2026, 2, 28) and one.probability > 0.05]


def test_the_day_of_making_is_no_expiry_date():
    assert sure("MFG 01.02.2026 EXP 01.08.2026", order=Order.DAY) == date(2026, 8, 1)
    assert sure("EXP 01.08.2026 MFG 01.02.2026", order=Order.DAY) == date(2026, 8, 1)
    assert read("MFG 15.02.2026").nothing > 0.95


def test_a_word_alone_on_the_line_above_belongs_to_the_date():
    assert sure("PKD", "15/02/2026", "BEST BEFORE", "15/08/2026") == date(2026, 8, 15)


def test_of_two_unnamed_dates_the_later_one_is_the_expiry_date():
    found = read("15.02.2026 15.08.2026")
    assert found.readings[0].day == date(2026, 8, 15)
    assert found.readings[0].probability > 0.9


def test_lot_dates_count_where_they_are_configured_only():
    assert read("LOT 26032").nothing > 0.9
    found = read("LOT 26032", julian=True, shelf_days=90)
    assert found.readings[0].day == date(2026, 5, 2)  # day 32 is 1 February


def test_codes_and_times_are_no_dates():
    for text in ("10:48 NDL2A", "LOT:OC184296", "TEL 030 123456", "250 G", "NORDIC TEA", ""):
        assert read(text).nothing > 0.9, text


def test_a_year_that_is_not_printed_is_not_guessed():
    found = read("05.04 까지", languages=("ko",))
    assert max((one.probability for one in found.readings), default=0) < 0.5


def test_the_probabilities_add_up():
    for text in ("EXP 03/04/26", "EXP 12 JAN 2027", "MFG 01.02.2026 EXP 01.08.2026", "x"):
        found = read(text)
        assert sum(one.probability for one in found.readings) + found.nothing == pytest.approx(1, abs=1e-4)


def test_a_doubtful_reader_makes_doubtful_dates():
    clear = read_expiry([Print("EXP 25/12/2026", 0.99)], Printing(), TODAY)
    dim = read_expiry([Print("EXP 25/12/2026", 0.5)], Printing(), TODAY)
    assert dim.readings[0].probability < clear.readings[0].probability


def test_stated_probabilities_hold_when_characters_are_misread():
    """Labels are printed, characters misread by the usual confusions: of answers of 95% and more few are wrong."""
    rng = np.random.default_rng(7)
    like = {
        "0": "OQDC8",
        "1": "IL7",
        "2": "Z",
        "3": "8",
        "4": "A",
        "5": "S6",
        "6": "G5",
        "7": "1TZ",
        "8": "B30",
        "9": "G",
    }
    answered = wrong = 0
    for _ in range(400):
        day = date(2026, 3, 1).fromordinal(date(2026, 3, 1).toordinal() + int(rng.integers(-300, 1500)))
        text = f"{day:%d/%m/%Y}"
        seen = "".join(str(rng.choice(list(like[one]))) if one in like and rng.random() < 0.04 else one for one in text)
        found = read_expiry([Print(f"EXP {seen}", 1 - 0.04 / UNSURE)], Printing(Order.DAY), TODAY)
        best = found.readings[0] if found.readings else None
        if best is not None and best.probability >= 0.95:
            answered += 1
            wrong += best.day != day
    assert answered > 200
    assert wrong / answered < 0.05
