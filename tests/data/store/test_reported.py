"""Baselines and customers' reports: kept by whom and when, never edited, counted once."""

from datetime import UTC, date, datetime

import pytest

from core.errors import BadInput, Conflict, NotAllowed
from core.kpis.baseline import Baseline
from core.kpis.escapes import Escape
from core.roles import Role
from data.store import Store
from tests.data.store.plant import person, site

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = date(2026, 3, 9)


@pytest.fixture
def lea(store: Store) -> Store:
    site(store)
    return person(store, "lea", Role.QA_LEAD)


def test_the_last_baseline_counts_and_all_are_kept(lea: Store) -> None:
    assert lea.reported.baseline("Lyon") is None
    lea.reported.set_baseline("Lyon", Baseline(), "from the shift books", now=NOW)
    made = lea.reported.set_baseline("Lyon", Baseline(detection=0.9), "counted again", seen=1, now=NOW)
    assert (made.number, made.by, made.at) == (2, "lea", NOW)
    assert lea.reported.baseline("Lyon") == made
    assert [one.baseline.detection for one in lea.reported.baselines("Lyon")] == [0.9, 0.85]
    event = lea.audit.recent(1)[0]
    assert (event.action, event.by, event.reason) == ("baseline set", "lea", "counted again")
    assert event.old["detection"] == 0.85
    assert event.new["detection"] == 0.9


def test_a_baseline_needs_a_reason_and_a_change(lea: Store) -> None:
    with pytest.raises(BadInput, match="reason"):
        lea.reported.set_baseline("Lyon", Baseline(), " ")
    lea.reported.set_baseline("Lyon", Baseline(), "typed")
    with pytest.raises(BadInput, match="nothing was changed"):
        lea.reported.set_baseline("Lyon", Baseline(), "typed again")


def test_whoever_is_second_is_told_and_nothing_is_overwritten(lea: Store) -> None:
    lea.reported.set_baseline("Lyon", Baseline(), "typed", seen=0)
    with pytest.raises(Conflict, match="lea has set baseline 1"):
        lea.reported.set_baseline("Lyon", Baseline(detection=0.5), "typed beside", seen=0)
    kept = lea.reported.baseline("Lyon")
    assert kept is not None
    assert kept.baseline == Baseline()


def test_a_report_is_kept_with_whoever_entered_it(lea: Store) -> None:
    took = lea.reported.report("Lyon", [Escape(DAY, 3, "C-1", "Maier", note="at assembly")], "page", NOW)
    (one,) = lea.reported.escapes("Lyon")
    assert (one.number, one.by, one.source, one.at) == (took.new[0], "lea", "page", NOW)
    assert one.escape.parts == took.parts == 3
    assert lea.audit.recent(1)[0].action == "escape reported"


def test_the_same_reference_is_counted_once_whichever_way_it_comes(lea: Store) -> None:
    lea.reported.report("Lyon", [Escape(DAY, 3, "C-1")], "page", NOW)
    took = lea.reported.report("Lyon", [Escape(DAY, 3, "C-1"), Escape(DAY, 2, "C-2"), Escape(DAY, 2, "C-2"),
                                        Escape(DAY), Escape(DAY)], "file x.csv", NOW)  # fmt: skip
    assert took.known == ("C-1", "C-2")
    assert (len(took.new), took.parts) == (3, 4)


def test_a_report_that_was_taken_back_stays_on_record_and_counts_no_more(lea: Store) -> None:
    number = lea.reported.report("Lyon", [Escape(DAY, 3, "C-1")], "page", NOW).new[0]
    lea.reported.take_back(number, "it was another plant's", NOW)
    (one,) = lea.reported.escapes("Lyon")
    assert (one.taken_back_by, one.why) == ("lea", "it was another plant's")
    assert lea.facts.reported().num_rows == 0
    with pytest.raises(Conflict, match="already"):
        lea.reported.take_back(number, "again", NOW)
    assert lea.reported.report("Lyon", [Escape(DAY, 2, "C-1")], "page", NOW).new  # entered anew, as it should be


def test_a_day_that_is_still_to_come_on_the_sites_own_clock_is_refused(store: Store, lea: Store) -> None:
    store.sites.add("Auckland", timezone="Pacific/Auckland")
    late = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)  # past midnight there
    lea.reported.report("Auckland", [Escape(date(2026, 3, 11))], "page", late)
    with pytest.raises(BadInput, match="still to come"):
        lea.reported.report("Lyon", [Escape(date(2026, 3, 11))], "page", late)


def test_reports_of_a_site_that_was_not_given_are_not_seen(store: Store, lea: Store) -> None:
    store.sites.add("Bern")
    number = lea.reported.report("Lyon", [Escape(DAY)], "page", NOW).new[0]
    other = person(store, "bea", Role.QA_LEAD, ["Bern"])
    assert other.reported.escapes() == []
    assert other.facts.reported().num_rows == 0
    for act in (lambda: other.reported.escapes("Lyon"), lambda: other.reported.take_back(number, "why")):
        with pytest.raises(NotAllowed):
            act()
