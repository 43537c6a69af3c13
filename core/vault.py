"""Encryption of what is kept: originals in Holdpoint's own folder, and notes. AES-256-GCM, by the cryptography library.

The keys lie in a file outside the store; the first is the one that new things are sealed with, the others still open
old ones. A sealed thing names its key by a number that is a hash of it, so nobody has to try keys, and rotation knows
what is left to do. Known to one process at a time: `use` is called where a plant is opened.

Source: NIST SP 800-38D; nonces are 96 random bits, so one key seals far fewer than 2^32 things before it is rotated.
"""

import base64
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

from core.errors import BadInput

MAGIC: Final = b"HPSEAL1\0"
TEXT: Final = "hpseal1:"  # then the key's number, a colon, and base64
KEY_BYTES: Final = 32
_ID, _NONCE = 8, 12
_HEAD: Final = len(MAGIC) + _ID


@dataclass(frozen=True)
class VaultKey:
    """One key; its number says nothing about it."""

    secret: bytes = field(repr=False)

    @cached_property
    def id(self) -> str:
        """Sixteen hexadecimal digits."""
        return sha256(b"holdpoint vault key\0" + self.secret).hexdigest()[: 2 * _ID]


@dataclass(frozen=True)
class Vault:
    """The keys of a plant, the present one first."""

    keys: tuple[VaultKey, ...]

    @property
    def current(self) -> VaultKey:
        """The key that new things are sealed with."""
        return self.keys[0]

    def key(self, number: str) -> VaultKey:
        """A key by its number.

        Raises:
            BadInput: it is not here.
        """
        for one in self.keys:
            if one.id == number:
                return one
        raise BadInput(missing(number))

    def seal(self, data: bytes) -> bytes:
        """Encrypt a file's bytes with the present key."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # decoders and the help do without

        key = self.current
        nonce = secrets.token_bytes(_NONCE)
        head = MAGIC + bytes.fromhex(key.id)
        return head + nonce + AESGCM(key.secret).encrypt(nonce, data, head)

    def open(self, data: bytes) -> bytes:
        """The bytes that were sealed.

        Raises:
            BadInput: the key is not here, or the bytes were changed.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        head, nonce = data[:_HEAD], data[_HEAD : _HEAD + _NONCE]
        key = self.key(head[len(MAGIC) :].hex())
        try:
            return AESGCM(key.secret).decrypt(nonce, data[_HEAD + _NONCE :], head)
        except (InvalidTag, ValueError) as error:
            raise BadInput("A sealed file was changed or cut off: bring it back from its backup.") from error


_vault: Vault | None = None


def use(vault: Vault | None) -> None:
    """From now on this process seals and opens with these keys; None seals nothing."""
    global _vault  # a key cannot be handed to the type of a column
    _vault = vault


def in_use() -> Vault | None:
    """The keys of this process."""
    return _vault


def missing(number: str) -> str:
    """What to do where a key is not here."""
    return (
        f"This was encrypted with the key {number}, which is not here: set HOLDPOINT_KEY_FILE to the file that holds "
        "it, from the machine that made it or from where the plant keeps its keys."
    )


def is_sealed(data: bytes) -> bool:
    """Whether bytes are a sealed file's."""
    return data.startswith(MAGIC)


def sealed_with(path: Path) -> str | None:
    """The number of the key that a file is sealed with; None where it is not sealed, or not there."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    return head[len(MAGIC) :].hex() if is_sealed(head) and len(head) == _HEAD else None


def opened(data: bytes) -> bytes:
    """A file's bytes as they were before anybody sealed them.

    Raises:
        BadInput: the key is not here, or the bytes were changed.
    """
    if not is_sealed(data):
        return data
    if _vault is None:
        raise BadInput(missing(data[len(MAGIC) : _HEAD].hex()))
    return _vault.open(data)


def to_keep(data: bytes) -> bytes:
    """Bytes as they are kept: sealed where this process has a key."""
    return data if _vault is None else _vault.seal(data)


def seal_text(text: str) -> str:
    """A text as it is kept; an empty one, and one that is sealed already, as it is."""
    if _vault is None or not text or text.startswith(TEXT):
        return text
    packed = _vault.seal(text.encode())
    return f"{TEXT}{_vault.current.id}:{base64.b64encode(packed).decode('ascii')}"


def open_text(text: str) -> str:
    """A kept text as it was written.

    Raises:
        BadInput: the key is not here, or the text was changed.
    """
    if not text.startswith(TEXT):
        return text
    _, number, packed = text.split(":", 2)
    if _vault is None:
        raise BadInput(missing(number))
    return _vault.open(base64.b64decode(packed)).decode()


def read_keys(path: Path) -> Vault:
    """The keys in a file: one of 64 hexadecimal digits on each line, the present one first; # begins a comment.

    Raises:
        BadInput: there is no such file, others may read it, or a line is no key.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise BadInput(f"{path} can be read by others: chmod 600 it, and think about who has seen it.")
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"HOLDPOINT_KEY_FILE names {path}, which cannot be read ({error}): bring the key back."
        ) from error
    found = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            secret = bytes.fromhex(text)
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES:
            raise BadInput(f"Line {number} of {path} is no key: one has {2 * KEY_BYTES} hexadecimal digits.")
        found.append(VaultKey(secret))
    if not found:
        raise BadInput(f"{path} holds no key: holdpoint privacy key makes one.")
    return Vault(tuple(found))


def add_key(path: Path) -> VaultKey:
    """Put a new key in front of those of a file, or make the file; whole or not at all, readable by its owner only."""
    old = path.read_text(encoding="ascii") if path.exists() else ""
    if old:
        read_keys(path)
    made = VaultKey(secrets.token_bytes(KEY_BYTES))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{made.secret.hex()}\n{old}")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return made


def numbers(vault: Vault | None) -> Sequence[str]:
    """Of the keys, the present one first."""
    return [] if vault is None else [one.id for one in vault.keys]
