"""What runs in the reader's process: load a reader, then answer one picture after another until the parent is gone."""

import json
import resource
import socket
import sys
from pathlib import Path

import numpy as np

from core.errors import HoldpointError
from models.ocr.process import receive, send
from models.ocr.reader import Reader, Way, read_one_way


def serve(channel: int, chosen: str) -> None:
    """Answer until the channel closes.

    Args:
        channel: file descriptor of a stream socket.
        chosen: JSON with `reader`, `languages`, `threads` and `fetch`.
    """
    with socket.socket(fileno=channel) as parent:
        try:
            reader = _reader(json.loads(chosen))
        except HoldpointError as error:
            send(parent, json.dumps({"error": str(error)}).encode())
            return
        send(parent, b"{}")
        while True:
            try:
                head = json.loads(receive(parent))
                pixels = np.frombuffer(receive(parent), np.uint8).reshape(head["shape"])
            except EOFError:
                return
            send(parent, json.dumps(_answer(reader, pixels, Way(head["way"]))).encode())


def _reader(chosen: dict[str, object]) -> Reader:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if chosen["reader"] == "easyocr":
        from models.ocr.easy import Easy

        languages = chosen["languages"]
        return Easy(
            [str(one) for one in languages] if isinstance(languages, list) else ["en"], fetch=bool(chosen["fetch"])
        )
    from models.ocr.rapid import Rapid

    return Rapid(threads=int(str(chosen["threads"])))


def _answer(reader: Reader, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", way: Way) -> dict[str, object]:
    try:
        prints = read_one_way(reader, pixels, way)
    except (HoldpointError, RuntimeError, ValueError, MemoryError, IndexError) as error:
        return {"error": f"{type(error).__name__}: {str(error)[:200]}", "memory": _memory()}
    return {"prints": [[one.text, one.sure, list(one.box)] for one in prints], "memory": _memory()}


def _memory() -> int:
    """Bytes of memory that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
