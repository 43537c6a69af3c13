"""The chain without a store: what is sealed is found again, whatever the numbers look like, and nothing else is."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.seals import START, Check, Head, Key, content, is_marked, mark, seal, unsealed

KEY, OTHER = Key(b"k" * 32), Key(b"o" * 32)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def event(**more: Any) -> dict[str, Any]:
    return {"at": NOON, "by": "", "by_id": 7, "action": "decided", "subject": "part 1", "site_id": 1, "old": None,
            "new": {"score": 0.57}, "reason": "", "model": None, "policy": 2} | more  # fmt: skip


def marked(number: int, **more: Any) -> dict[str, Any]:
    made = event(**more)
    return made | {"mark": mark(KEY, made, f"{number:024x}")}


def chain(events: list[dict[str, Any]]) -> list[Any]:
    found, previous = [], START
    for number, one in enumerate(events, 1):
        link = seal(KEY, previous, number, number, content(KEY, one), False, NOON)
        previous = link.seal
        found.append(link)
    return found


def check(links: list[Any], events: list[dict[str, Any] | None], **more: Any) -> list[tuple[str, int | None]]:
    walk = Check(KEY, **more)
    for link, one in zip(links, events, strict=True):
        walk.take(link, one)
    return [(problem.kind, problem.event) for problem in walk.finish()]


@given(values)
def test_a_value_means_the_same_before_and_after_it_was_in_a_store(value: Any):
    before = event(new=value)
    after = event(new=json.loads(json.dumps(value)))
    assert content(KEY, before) == content(KEY, after)


@pytest.mark.parametrize(("here", "there"), [(1.0, 1), (-0.0, 0), (1e300, 10**300), (2.0**60, 2**60), (0.1, 0.1)])
def test_a_number_is_the_same_however_a_database_writes_it(here: float, there: float):
    assert content(KEY, event(new=here)) == content(KEY, event(new=there))


def test_a_moment_is_the_same_in_every_zone_and_no_other_moment_is():
    there = NOON.astimezone(timezone(timedelta(hours=5)))
    assert content(KEY, event(at=there)) == content(KEY, event())
    assert content(KEY, event(at=NOON + timedelta(microseconds=1))) != content(KEY, event())


@pytest.mark.parametrize("field", ["at", "by", "by_id", "action", "subject", "site_id", "old", "new", "reason", "model",
                                   "policy"])  # fmt: skip
def test_every_field_is_under_the_mark_and_under_the_seal(field: str):
    one = marked(1)
    changed = one | {field: NOON + timedelta(days=1) if field == "at" else "something else"}
    assert is_marked(KEY, one)
    assert not is_marked(KEY, changed)
    assert content(KEY, changed) != content(KEY, one)


def test_a_mark_of_another_key_or_none_is_no_mark():
    one = event()
    assert not is_marked(KEY, one | {"mark": mark(OTHER, one, "00")})
    assert not is_marked(KEY, one)
    assert not is_marked(KEY, one | {"mark": None})


def test_nothing_is_a_whole_chain():
    assert check([], []) == []


def test_a_chain_is_whole_until_something_is_done_to_it():
    events = [marked(number) for number in range(1, 6)]
    links = chain(events)
    assert check(links, events) == []
    assert check(links, [*events[:2], None, *events[3:]]) == [("removed", 3)]
    assert check(links, [events[0], events[3], events[2], events[1], events[4]]) == [("swapped", 2), ("swapped", 4)]
    assert ("removed", None) in check(links[:1] + links[2:], events[:1] + events[2:])
    assert ("removed", None) in check(links[1:], events[1:])  # cut at its beginning


@given(st.integers(1, 8), st.integers(0, 7))
def test_links_in_another_order_do_not_hold(length: int, first: int):
    events = [marked(number) for number in range(1, length + 1)]
    links = chain(events)
    turned = links[first % length :] + links[: first % length]
    again = events[first % length :] + events[: first % length]
    assert (check(turned, again) == []) == (turned == links)


def test_a_head_that_the_chain_no_longer_holds_says_where_it_was_cut():
    events = [marked(number) for number in range(1, 4)]
    links = chain(events)
    head = Head(3, 3, links[2].seal, KEY.id, NOON)
    assert check(links, events, heads=[head]) == []
    assert check(links[:2], events[:2], heads=[head]) == [("cut off", None)]
    other = Head(2, 2, "0" * 64, KEY.id, NOON)
    assert check(links, events, heads=[other]) == [("cut off", 2)]
    assert Head.from_json(json.loads(json.dumps(head.to_json()))) == head


def test_events_that_wait_for_their_seal_are_told_by_what_is_wrong_with_them():
    young, old, forged = marked(1), marked(2, at=NOON - timedelta(hours=1)), event()
    events = [(11, young), (12, old), (13, forged), (4, marked(3))]
    strict = [(one.kind, one.event) for one in unsealed(KEY, events, 10, NOON - timedelta(minutes=1), True)]
    assert strict == [("not sealed", 12), ("inserted", 13), ("inserted", 4)]
    loose = [(one.kind, one.event) for one in unsealed(KEY, events, 10, NOON - timedelta(minutes=1), False)]
    assert loose == [("not sealed", 12), ("inserted", 13)]


def test_a_key_is_named_without_being_told():
    assert KEY.id != OTHER.id
    assert len(KEY.id) == 16
    assert KEY.secret.hex() not in repr(KEY) + KEY.id
