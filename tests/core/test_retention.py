"""How long data is kept."""

from datetime import UTC, datetime

import pytest

from core.errors import BadInput
from core.retention import LEAST_DAYS, LONGEST_DAYS, MEANING, DataClass, check_days, kept_since


@pytest.mark.parametrize("kind", DataClass)
def test_every_class_has_a_least_time_and_a_meaning(kind: DataClass):
    check_days(kind, LEAST_DAYS[kind])
    check_days(kind, LONGEST_DAYS)
    for days in (LEAST_DAYS[kind] - 1, LONGEST_DAYS + 1, 0, -1):
        with pytest.raises(BadInput, match=f"choose {LEAST_DAYS[kind]}"):
            check_days(kind, days)
    assert MEANING[kind]


def test_a_day_is_a_day():
    assert kept_since(2, datetime(2026, 3, 2, tzinfo=UTC)) == datetime(2026, 2, 28, tzinfo=UTC)
