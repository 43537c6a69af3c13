"""A large JSON object read in pieces: its lists are handed out part by part, and the text is never held as a whole."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_BLOCK = 1 << 16  # characters read at once; what is made of more is soon larger than the processor's cache
_LARGE = 1 << 20  # characters that a reader is shown at once
_SMALLEST = 512  # characters below which elements are read one by one
_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder()


# Makes something of the beginning of a text of objects, and says how many characters that took; None where it cannot.
Read = Callable[[str], tuple[Any, int] | None]


def members(path: Path, readers: Mapping[str, Read] | None = None) -> Iterator[tuple[str, Any, bool]]:
    """The members of the object in a file, in order.

    Args:
        path: of the file.
        readers: by key of a list, what may read its objects quicker than JSON is read. It must take nothing in but
            whole objects with commas between them, exactly as JSON has them.

    Yields:
        (key, some elements, True), repeatedly, for a list, an empty one included; or what a reader made of them in
        their place. (key, value, False) for the rest.

    Raises:
        ValueError: the file is no such object, or says something twice. Reading it whole tells what is wrong.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = _Text(file)
        seen: set[str] = set()
        text.take("{")
        following = text.next()
        while following != "}":
            if following != '"' or (key := text.value()) in seen:
                raise ValueError("an object of different keys is needed")
            seen.add(key)
            text.take(":")
            if text.next() == "[":
                for some in text.elements((readers or {}).get(key)):
                    yield key, some, True
            else:
                yield key, text.value(), False
            following = text.next()
            if following == ",":
                text.take(",")
                following = text.next()
                if following == "}":
                    raise ValueError("a comma before the end")
        text.take("}")
        if text.next():
            raise ValueError("text after the end")


class _Text:
    """What has been read of a file and not been understood yet."""

    def __init__(self, file: Any) -> None:
        self._file, self._buffer, self._at = file, "", 0
        self._passed = 0  # characters before those in the buffer

    def next(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._buffer):
                character = self._buffer[self._at]
                if character not in _SPACE:
                    return character
                self._at += 1
            if not self._more():
                return ""

    def take(self, character: str) -> None:
        """Pass over a character that has to be the next."""
        if self.next() != character:
            raise ValueError(f"{character} is missing")
        self._at += 1

    def value(self) -> Any:
        """The next value, whatever it is."""
        self.next()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._buffer, self._at)
            except ValueError:
                if not self._more():
                    raise
                continue
            if end < len(self._buffer) or not self._more():  # a number may go on in what was not read yet
                self._at = end
                return found

    def elements(self, reader: Read | None = None) -> Iterator[Any]:
        """Those of the next list, many at a time."""
        self.take("[")
        if self.next() == "]":
            self.take("]")
            yield []
            return
        singly = -1  # elements that begin before here are read one by one
        while True:
            if reader is not None and self._passed + self._at >= singly and (read := self._read_by(reader)) is not None:
                yield read
                continue
            if self._passed + self._at >= singly:
                some, failed = self._many()
                if some:
                    yield some
                    continue
                singly = failed
            yield [self.value()]
            if self.next() == "]":
                self.take("]")
                return
            self.take(",")
            self.next()

    def _read_by(self, reader: Read) -> Any:
        """What a reader makes of the next objects; at least one is left."""
        self.next()
        if len(self._buffer) - self._at < _LARGE // 2:
            self._more(_LARGE)
        cut = self._between(len(self._buffer))
        found = None if cut < 0 else reader(self._buffer[self._at : cut + 1])
        if found is None:
            return None
        made, length = found
        self._at += length
        self.take(",")
        self.next()
        return made

    def _many(self) -> tuple[list[Any], int]:
        """Objects up to a comma between two of them; none, and the farthest place tried, where no such comma is.

        A beginning of a list that can be read when it is closed there ends between two elements: had it ended inside of
        one, a bracket or quote would be open.
        """
        self.next()
        if len(self._buffer) - self._at < _BLOCK // 2:
            self._more()
        farthest, end = -1, min(len(self._buffer), self._at + 2 * _BLOCK)
        while end - self._at > _SMALLEST:
            cut = self._between(end)
            if cut < 0:
                break
            try:
                found: list[Any] = json.loads(f"[{self._buffer[self._at : cut + 1]}]")
            except ValueError:
                farthest = max(farthest, self._passed + cut)
                end = self._at + (cut - self._at) // 2
                continue
            self._at = cut + 2
            self.next()
            return found, -1
        return [], farthest

    def _between(self, end: int) -> int:
        """The last brace before a place that a comma and another brace follow; -1 where there is none."""
        while (cut := self._buffer.rfind("},", self._at, end)) >= 0:
            if self._buffer[cut + 2 : cut + 40].lstrip(_SPACE).startswith("{"):
                return cut
            end = cut + 1
        return -1

    def _more(self, least: int = _BLOCK) -> bool:
        """Read on; as much again as there is, so that a long value is not begun too often."""
        left = self._buffer[self._at :]
        read = self._file.read(max(least, len(left)))
        self._passed += self._at
        self._buffer, self._at = left + read, 0
        return bool(read)
