from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.widgets.text import ago, count, local, option, plain, share


@given(st.text())
def test_no_markdown_or_html_survives(text):
    shown = plain(text, 10_000)
    for i, letter in enumerate(shown):
        if letter in "*_`[]()<>#!|~$:{}":
            assert shown[i - 1] == "\\", shown


@pytest.mark.parametrize(
    "text", ["see http://evil.example/a", "HTTPS://evil.example", "www.evil.example", "me@evil.example"]
)
def test_an_address_stays_a_word_and_reads_as_it_was_written(text):
    """Markdown makes links of bare addresses however they are escaped; the browser test shows that none is left."""
    shown = plain(text)
    assert shown.replace("\\", "").replace("\u2060", "") == text
    assert not any(start in shown.replace("\\", "").lower() for start in ("http://", "https://", "www.", "@evil"))


def test_invisible_letters_that_turn_text_around_are_dropped():
    assert plain("ok\u202egnp.exe\x00") == "ok gnp\\.exe"


@given(st.text())
def test_a_choice_keeps_every_escape_but_those_of_signs_inside_a_word(text):
    shown = option(text, 10_000)
    assert shown.replace("\\", "") == plain(text, 10_000).replace("\\", "")
    for i, letter in enumerate(shown):
        if letter in "*`[]()<>#!|~$:{}" or (
            letter in "-._" and not (shown[i - 1 : i] + shown[i + 1 : i + 2]).isalnum()
        ):
            assert shown[i - 1] == "\\", shown


@pytest.mark.parametrize("name", ["demo-metal-1", "net-2", "run_7.b", "v1.2-rc3"])
def test_a_choice_stands_in_the_address_as_it_is_called(name):
    assert option(name) == name


def test_long_text_is_cut_and_says_so():
    assert plain("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(("value", "text"), [(0.614, ".61"), (1.0, "1.00"), (0.0, ".00"), (None, "–")])
def test_scores_are_written_as_people_here_do(value, text):
    assert share(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.994, ".99"), (0.997, ".997"), (0.9995, ".9995"), (0.99994, ".9999"), (0.9999999, ".9999"), (1.0, "1.00")],
)
def test_what_is_less_than_one_never_reads_one(value, text):
    assert share(value) == text


def test_times_are_in_the_sites_own_zone():
    moment = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert local(moment, "Europe/Paris") == "01 Jul 2026, 14:00:00 CEST"
    assert local(moment, "Nowhere/Else").endswith("UTC")


def test_ago_takes_one_unit():
    now = datetime(2026, 7, 1, tzinfo=UTC)
    assert ago(now - timedelta(hours=3, minutes=20), now) == "3 hours ago"
    assert ago(now, now) == "just now"


def test_a_number_agrees_with_its_noun():
    assert (count(1, "part"), count(2, "part"), count(1200, "part")) == ("1 part", "2 parts", "1,200 parts")
