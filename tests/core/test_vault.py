"""Sealing and opening, and what is said where a key is missing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import vault
from core.errors import BadInput
from core.vault import Vault, VaultKey, add_key, is_sealed, open_text, opened, read_keys, seal_text, to_keep

OLD, NEW = VaultKey(bytes(range(32))), VaultKey(bytes(range(1, 33)))


@pytest.fixture(autouse=True)
def without_a_key_afterwards():
    yield
    vault.use(None)


@given(st.binary(max_size=2000))
def test_what_was_sealed_is_opened_and_looks_like_nothing(data):
    sealed = Vault((NEW,)).seal(data)
    assert is_sealed(sealed)
    assert len(data) < 16 or data not in sealed
    assert Vault((NEW, OLD)).open(sealed) == data


@given(st.text(max_size=300))
def test_a_text_comes_back_as_it_was_written(text):
    vault.use(Vault((NEW,)))
    kept = seal_text(text)
    assert open_text(kept) == text
    assert seal_text(kept) == kept
    assert not text or text.startswith(vault.TEXT) or kept.startswith(f"{vault.TEXT}{NEW.id}:")


def test_the_same_thing_sealed_twice_is_not_the_same():
    assert Vault((NEW,)).seal(b"a note") != Vault((NEW,)).seal(b"a note")


def test_without_a_key_nothing_is_sealed_and_what_is_plain_stays_readable():
    assert to_keep(b"pixels") == b"pixels"
    assert opened(b"pixels") == b"pixels"
    assert seal_text("Anna") == "Anna"


def test_old_things_open_with_the_older_key_and_new_ones_take_the_first():
    vault.use(Vault((OLD,)))
    before = to_keep(b"pixels")
    vault.use(Vault((NEW, OLD)))
    assert opened(before) == b"pixels"
    assert to_keep(b"x")[8:16].hex() == NEW.id


@pytest.mark.parametrize("keys", [None, Vault((NEW,))])
def test_where_the_key_is_missing_a_sentence_names_it_and_says_what_to_do(keys):
    sealed = Vault((OLD,)).seal(b"pixels")
    vault.use(Vault((OLD,)))
    text = seal_text("Anna")
    vault.use(keys)
    for act in (lambda: opened(sealed), lambda: open_text(text)):
        with pytest.raises(BadInput, match=re.escape(OLD.id)) as told:
            act()
        assert "HOLDPOINT_KEY_FILE" in str(told.value)


@given(place=st.integers(0, 80), bit=st.integers(0, 7))
def test_a_changed_byte_is_never_opened(place, bit):
    sealed = bytearray(Vault((NEW,)).seal(b"a picture of forty-one bytes, or thereabouts"))
    sealed[min(place, len(sealed) - 1)] ^= 1 << bit
    vault.use(Vault((NEW,)))
    if is_sealed(bytes(sealed)):
        with pytest.raises(BadInput):
            opened(bytes(sealed))


def test_a_cut_off_file_is_not_opened():
    sealed = Vault((NEW,)).seal(b"pixels")
    vault.use(Vault((NEW,)))
    for length in range(8, len(sealed)):
        with pytest.raises(BadInput):
            opened(sealed[:length])


def test_a_key_file_is_made_and_grows_at_its_head(tmp_path):
    path = tmp_path / "keys" / "holdpoint.key"
    first = add_key(path)
    second = add_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.id for one in read_keys(path).keys] == [second.id, first.id]
    assert second.secret.hex() not in repr(read_keys(path))


def test_a_key_file_that_others_may_read_or_that_holds_no_key_is_refused(tmp_path):
    path = tmp_path / "holdpoint.key"
    with pytest.raises(BadInput, match="cannot be read"):
        read_keys(path)
    path.write_text("# nothing yet\n")
    path.chmod(0o600)
    with pytest.raises(BadInput, match="holds no key"):
        read_keys(path)
    path.write_text("# ours\nabcd\n")
    with pytest.raises(BadInput, match="Line 2"):
        read_keys(path)
    path.write_text(f"{NEW.secret.hex()}  # since May\n")
    assert read_keys(path).current.id == NEW.id
    path.chmod(0o644)
    with pytest.raises(BadInput, match="chmod 600"):
        read_keys(path)
