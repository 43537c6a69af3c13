"""What a password has to be: long, and not one that everybody tries."""

import re
import unicodedata

from core.errors import BadInput

SHORTEST, LONGEST = 15, 256
_COMMON = (
    "password", "passwort", "motdepasse", "contraseña", "letmein", "welcome", "qwerty", "qwertz", "azerty", "iloveyou",
    "administrator", "admin", "changeme", "default", "holdpoint", "inspector", "quality", "secret", "dragon", "monkey",
    "football", "baseball", "sunshine", "princess", "master", "abc", "asdfgh", "zxcvbn", "trustno",
    "correcthorsebatterystaple",
)  # fmt: skip
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "01234567890",
    "09876543210",
)


def check_password(password: str, name: str = "") -> None:
    """Refuse what is short or easy to guess; there are no rules about kinds of characters.

    Raises:
        BadInput: saying what to choose instead.
    """
    if len(password) < SHORTEST:
        raise BadInput(
            f"The password has {len(password)} characters: choose {SHORTEST} or more, such as four or five words."
        )
    if len(password) > LONGEST:
        raise BadInput(f"The password has {len(password)} characters: choose at most {LONGEST}.")
    if guessable(password, name):
        raise BadInput("The password is easy to guess: choose four or five words that do not belong together.")


def guessable(password: str, name: str = "") -> bool:
    """Whether hardly anything is left of it once common words, keyboard rows, repeats and the name are taken out."""
    left = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", password).casefold())
    for word in sorted((*_COMMON, re.sub(r"[\W_]+", "", name.casefold())), key=len, reverse=True):
        if len(word) >= 3:
            left = left.replace(word, "")
    for row in _ROWS:
        for length in range(len(row), 3, -1):
            for start in range(len(row) - length + 1):
                left = left.replace(row[start : start + length], "")
    left = re.sub(r"(.{1,4}?)\1{2,}", r"\1", left)  # aaaaaa, 121212
    return len(left) < 6 or len(set(left)) < 4
