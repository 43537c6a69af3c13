"""The server killed with -9 while people answer: what they were told is stored is everywhere once, and nothing else is.

`python -m tests.benchmarks kills` does the same twenty times.
"""

import pytest
from playwright.sync_api import expect

from tests.e2e.at_desk import SLOW, come_in, press, ready, saved
from tests.e2e.crowded import fill
from tests.e2e.house import House
from tests.e2e.killing import Ledger, disagreements, review_under_kills
from tests.small_plant import make_plant

pytestmark = [pytest.mark.browser, pytest.mark.timeout(290)]
KILLS = 3


def test_the_server_killed_three_times_during_reviews_loses_nothing_and_stores_nothing_twice(tmp_path):
    plant = make_plant(tmp_path / "home", parts=6, demo=True)
    fill(plant.url, 400, plant.home / "pictures")
    with House(plant) as house:
        ledger = review_under_kills(house, KILLS, seed=2026)
        assert len(ledger.acknowledged) > KILLS
        assert ledger.refused == {}
        assert disagreements(house, ledger) == []


def test_the_books_would_tell_an_answer_that_was_lost_stored_twice_or_never_sent(tmp_path):
    plant = make_plant(tmp_path / "home", parts=6, demo=True)
    with House(plant) as house:
        ledger = review_under_kills(house, 0, seed=1)
        act = min(ledger.acknowledged)
        lost = Ledger({**ledger.sent, "lost": ledger.sent[act]}, ledger.by, ledger.acknowledged | {"lost"})
        assert disagreements(house, lost) == ["the store has lost 0 times instead of 1"]
        unsaid = Ledger(ledger.sent, ledger.by, ledger.acknowledged - {act}, {act: "refused"})
        assert disagreements(house, unsaid) == [f"the store has {act} 1 times instead of 0"]
        with house.store("Quentin").database.transaction() as connection:
            connection.exec_driver_sql("UPDATE outbox SET payload = '{\"review\": 0}' WHERE topic = 'review' AND id ="
                                       " (SELECT max(id) FROM outbox WHERE topic = 'review')")  # fmt: skip
        assert len(disagreements(house, ledger)) == 2


def test_a_browser_keeps_what_is_not_acknowledged_through_three_kills_and_each_answer_is_stored_once(window, tmp_path):
    with House(make_plant(tmp_path / "home", parts=16, demo=True)) as house:
        come_in(window, house)
        for _ in range(KILLS):
            ready(window)
            window.keyboard.press("s")
            house.kill()  # while it is being saved, or just before or after
            press(window, "w")
            press(window, "s")
            expect(window.get_by_text("kept here")).to_be_visible(timeout=SLOW)
            house.start()
            saved(window)
        said = house.answers()
        assert sorted(str(verdict) for one in said.values() for verdict in one) == ["FAIL"] * 6 + ["REWORK"] * 3
        assert all(len(one) == 1 for one in said.values())
        assert disagreements(house) == []
