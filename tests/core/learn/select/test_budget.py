"""What a budget buys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.learn.select.budget import Budget, Price, parse


def test_hours_and_money_buy_whole_labels():
    price = Price(seconds=30, money=0.5)
    assert Budget(50).items(price) == 50
    assert Budget(2, "hours").items(price) == 240
    assert Budget(99.9, "money").items(price) == 199


@given(st.floats(0.01, 1000), st.floats(0.5, 900), st.floats(0.01, 50), st.sampled_from(["hours", "money"]))
def test_what_is_bought_never_costs_more_than_the_budget(amount, seconds, money, unit):
    price = Price(seconds, money)
    each = seconds / 3600 if unit == "hours" else money
    try:
        n = Budget(amount, unit).items(price)
    except BadInput:
        assert amount < each or amount / each > 100_000
        return
    assert n * each <= amount * (1 + 1e-9)
    assert (n + 1) * each > amount * (1 - 1e-9)


def test_budgets_are_read_as_people_write_them():
    assert parse("50") == Budget(50, "items")
    assert parse("2h") == parse(" 2 hours ") == Budget(2, "hours")
    assert parse("120 money") == Budget(120, "money")
    for wrong in ("", "h", "5 apples", "1e9 h 5"):
        with pytest.raises(BadInput, match="not understood"):
            parse(wrong)


def test_a_budget_that_buys_nothing_is_refused():
    for budget, why in ((Budget(0), "more than 0"), (Budget(0.1, "money"), "one label"), (Budget(10**6), "at most")):
        with pytest.raises(BadInput, match=why):
            budget.items(Price())
    with pytest.raises(BadInput, match="give the budget in items"):
        Budget(5, "money").items(Price(money=0))
    with pytest.raises(BadInput):
        Price(seconds=0)
