from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.errors import BadInput
from core.times import time_of


def test_a_time_without_an_offset_is_utc():
    assert time_of("2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC)


def test_an_offset_is_kept():
    there = timezone(timedelta(hours=1))
    found = time_of("2026-03-01T08:00+01:00")
    assert found == datetime(2026, 3, 1, 8, tzinfo=there)
    assert found.utcoffset() == timedelta(hours=1)


def test_no_text_is_no_time():
    assert time_of(None) is None


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "8:00"])
def test_what_is_no_time_is_refused_in_a_sentence(text: str):
    with pytest.raises(BadInput, match="is no time: write it as 2026"):
        time_of(text)
