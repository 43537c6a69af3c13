"""Accounts: strong passwords, slow guessing, sessions that end."""

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.roles import Actor, Role
from data import tables
from data.store import Store
from data.store.people import signing
from data.store.people.passwords import check_password
from tests.data.store.plant import PASSWORD, person, site


@pytest.mark.parametrize(
    "weak",
    ["", "short", "x" * 14, "password password", "Password1234567890", "aaaaaaaaaaaaaaaaaaaa", "qwertyuiopasdfghjkl",
     "1212121212121212", "holdpoint-inspector", "annabelleannabelle1", "x" * 300],
)  # fmt: skip
def test_a_password_that_is_short_or_easy_to_guess_is_refused(weak: str) -> None:
    with pytest.raises(BadInput):
        check_password(weak, "Annabelle")


@pytest.mark.parametrize(
    "good",
    [
        PASSWORD,
        "seven grey herons sit upon the old mill wheel and count the rain " * 2,
        "наковальня и шёлк",
        "Ω" * 3 + " twelve grey herons",
    ],
)
def test_long_ones_of_any_characters_are_taken(good: str) -> None:
    check_password(good, "Annabelle")


def test_a_password_is_kept_as_argon2id_and_a_token_as_a_hash(store: Store) -> None:
    store.people.add("ana", PASSWORD, Role.INSPECTOR)
    token = store.people.sign_in("ana", PASSWORD)
    with store.database.reading() as connection:
        assert connection.scalar(sa.select(tables.users.c.password_hash)).startswith("$argon2id$")
        assert token not in str(connection.execute(sa.select(tables.sessions)).all())


def test_a_plant_hashes_at_the_librarys_own_cost_and_makes_a_cheaper_hash_anew(
    store: Store, plants_own_hasher, monkeypatch
) -> None:
    """Other tests hash at the lowest cost; whoever signs in to a plant with such a hash gets a dear one."""
    own, usual = plants_own_hasher(), PasswordHasher()
    for cost in ("time_cost", "memory_cost", "parallelism", "hash_len", "salt_len", "type"):
        assert getattr(own, cost) == getattr(usual, cost)
    store.people.add("ana", PASSWORD, Role.INSPECTOR)
    monkeypatch.setattr(signing, "hasher", plants_own_hasher)
    store.people.sign_in("ana", PASSWORD)
    with store.database.reading() as connection:
        kept = connection.scalar(sa.select(tables.users.c.password_hash))
    assert f"m={own.memory_cost},t={own.time_cost},p={own.parallelism}" in kept
    store.people.sign_in("ana", PASSWORD)


def test_signing_in_gives_a_new_session_that_expires(store: Store, clock) -> None:
    store.people.add("ana", PASSWORD, Role.QA_LEAD)
    first, second = store.people.sign_in("ana", PASSWORD), store.people.sign_in("ana", PASSWORD)
    assert first != second
    assert store.people.who(first).role is Role.QA_LEAD
    store.people.sign_out(first)
    assert store.people.who(first) is None
    assert store.people.who(second).name == "ana"
    clock.pass_(hours=12)
    assert store.people.who(second) is None
    assert store.people.who("nonsense") is None


def test_wrong_name_and_wrong_password_are_told_alike(store: Store) -> None:
    store.people.add("ana", PASSWORD, Role.INSPECTOR)
    said = set()
    for name in ("ana", "nobody"):
        with pytest.raises(NotAllowed) as refused:
            store.people.sign_in(name, "wrong")
        said.add(str(refused.value))
    assert len(said) == 1


@pytest.mark.parametrize("name", ["ana", "nobody"])
def test_guessing_gets_slow_for_each_name(store: Store, clock, name: str) -> None:
    store.people.add("ana", PASSWORD, Role.INSPECTOR)
    store.people.add("ben", PASSWORD, Role.INSPECTOR)
    for _ in range(5):
        with pytest.raises(NotAllowed, match="wrong"):
            store.people.sign_in(name, "guess")
    with pytest.raises(NotAllowed, match="try again in 15 s"):
        store.people.sign_in(name, PASSWORD)
    assert store.people.sign_in("ben", PASSWORD)
    clock.pass_(seconds=15)
    with pytest.raises(NotAllowed, match="wrong"):
        store.people.sign_in(name, "guess")
    with pytest.raises(NotAllowed, match="try again in 30 s"):
        store.people.sign_in(name, "guess")
    clock.pass_(seconds=30)
    if name == "ana":
        assert store.people.sign_in("ana", PASSWORD)


def test_disabling_and_a_new_password_end_every_session(store: Store) -> None:
    ana = person(store, "ana")
    token = store.people.sign_in("ana", PASSWORD)
    ana.people.set_password("ana", "another good long phrase", PASSWORD)
    assert store.people.who(token) is None
    token = store.people.sign_in("ana", "another good long phrase")
    store.people.disable("ana")
    assert store.people.who(token) is None
    with pytest.raises(NotAllowed):
        store.people.sign_in("ana", "another good long phrase")
    store.people.enable("ana")
    assert store.people.who(token) is None
    assert store.people.sign_in("ana", "another good long phrase")


def test_an_own_new_password_needs_the_old_one(store: Store) -> None:
    ana = person(store, "ana")
    with pytest.raises(NotAllowed, match="old password"):
        ana.people.set_password("ana", "another good long phrase")


def test_nobody_raises_their_own_role_or_sites(store: Store) -> None:
    site(store)
    boss = person(store, "boss", Role.ADMIN, ["Lyon"])
    for act in (
        lambda: boss.people.set_role("boss", Role.QA_LEAD),
        lambda: boss.people.set_sites("boss", None),
        lambda: boss.people.enable("boss"),
        lambda: boss.people.add("twin", PASSWORD, Role.ADMIN),  # for all sites, which boss does not have
    ):
        with pytest.raises(NotAllowed):
            act()
    assert boss.people.add("eve", PASSWORD, Role.INSPECTOR, ["Lyon"]).sites == ("Lyon",)
    assert boss.people.me().role is Role.ADMIN


def test_a_new_role_holds_at_once_in_a_running_session(store: Store) -> None:
    site(store)
    ana = person(store, "ana")
    with pytest.raises(NotAllowed):
        ana.sites.pause("Lyon", "why")
    store.people.set_role("ana", Role.QA_LEAD)
    ana.sites.pause("Lyon", "why")


def test_only_demo_people_sign_in_without_a_password(store: Store) -> None:
    store.people.add("ana", PASSWORD, Role.INSPECTOR)
    store.people.add("demo inspector", PASSWORD, Role.INSPECTOR, demo=True)
    assert store.people.who(store.people.sign_in_demo("demo inspector")).demo
    assert [one.name for one in store.people.demo_people()] == ["demo inspector"]
    for name in ("ana", "nobody"):
        with pytest.raises(NotAllowed):
            store.people.sign_in_demo(name)


def test_a_fresh_store_has_nobody_in_it(store: Store) -> None:
    assert not store.people.any()
    assert store.people.all() == []


def test_names_are_unique_whatever_their_case(store: Store) -> None:
    person(store, "ana")
    with pytest.raises(Conflict):
        store.people.add("Ana", PASSWORD, Role.INSPECTOR)
    with pytest.raises(BadInput):
        store.people.add("import:x", PASSWORD, Role.INSPECTOR)
    with pytest.raises(NotFound):
        store.people.disable("nobody")


def test_every_act_on_an_account_leaves_its_event(store: Store) -> None:
    person(store, "ana")
    store.people.sign_out(store.people.sign_in("ana", PASSWORD))
    store.people.set_role("ana", Role.QA_LEAD)
    with pytest.raises(NotAllowed):
        store.people.sign_in("ana", "wrong")
    acts = [(event.by, event.action) for event in reversed(store.audit.recent(subject="person ana"))]
    assert acts == [
        ("command line", "person added"),
        ("ana", "signed in"),
        ("ana", "signed out"),
        ("command line", "role set"),
        ("sign-in page", "sign-in refused"),
    ]
    changed = store.audit.recent(subject="person ana")[1]
    assert (changed.old, changed.new) == ({"role": "inspector"}, {"role": "qa_lead"})
    assert store.acting_as(Actor("ana")).people.me().role is Role.QA_LEAD
