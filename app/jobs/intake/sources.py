"""From what somebody names (files, folders, patterns, URLs) to pictures that lie still on a disk."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.jobs.files import write_whole
from core.errors import BadInput, NotFound, QuarantineReason
from core.vault import in_use, opened, sealed_with, to_keep

BESIDE_PICTURES = frozenset({".csv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".tsv", ".md", ".toml", ".ini"})
TEMPORARY_ENDINGS = frozenset(
    {".tmp", ".temp", ".part", ".partial", ".crdownload", ".filepart", ".swp", ".lock", ".download"}
)
NAMED = ("part", "view", "camera", "stage", "order")  # groups that --part-from may name


@dataclass(frozen=True)
class Source:
    """One picture to come.

    Attributes:
        name: with site and content its identity: the absolute path, or the URL.
        path: where its bytes lie.
        refused: why it is quarantined without being opened.
    """

    name: str
    path: Path
    refused: QuarantineReason | None = None


@dataclass(frozen=True)
class Naming:
    """What a file's name says about the picture; None where it does not say."""

    part: str | None = None
    view: str | None = None
    camera: str | None = None
    stage: str | None = None
    order: str | None = None


def part_pattern(text: str | None) -> re.Pattern[str] | None:
    """A --part-from, checked.

    Raises:
        BadInput: it is no regular expression, or nothing in it says which bit is the part.
    """
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise BadInput(f"--part-from '{text}' is no regular expression ({error}).") from error
    if not pattern.groups:
        raise BadInput(f"--part-from '{text}' has no group: put the part's id in brackets, as in '([0-9]+)_.*'.")
    unknown = sorted(set(pattern.groupindex) - set(NAMED))
    if unknown:
        raise BadInput(f"--part-from has a group '{unknown[0]}', which means nothing: use {', '.join(NAMED)}.")
    if pattern.groupindex and "part" not in pattern.groupindex:
        raise BadInput("--part-from names groups but no (?P<part>...): say which one is the part.")
    return pattern


def naming(pattern: re.Pattern[str] | None, file_name: str) -> Naming:
    """What the pattern reads from a file's name; the part is None where it does not match."""
    found = pattern.search(file_name) if pattern is not None else None
    if pattern is None or found is None:
        return Naming()
    if pattern.groupindex:
        return Naming(**{name: value or None for name, value in found.groupdict().items()})
    return Naming(part=found.group(1) or None)


def temporary(name: str) -> bool:
    """Whether a file's name says that it is still being written, or is none of ours."""
    return name.startswith((".", "~")) or name.endswith("~") or Path(name).suffix.lower() in TEMPORARY_ENDINGS


def find(wanted: Iterable[str], uploads: Path, upload_bytes: int) -> list[Source]:
    """Every picture that is meant, once each, in a stable order.

    A folder means every file below it but hidden and temporary ones and the lists that lie beside pictures; a link
    that leads out of the folder is refused. A URL is fetched into `uploads` first.

    Raises:
        NotFound: one of them means nothing.
    """
    found: dict[str, Source] = {}
    for text in wanted:
        before = len(found)
        any_file = False
        for source in _expand(text, uploads, upload_bytes):
            any_file = True
            found.setdefault(source.name, source)
        if not any_file and len(found) == before:
            raise NotFound(
                f"There is no picture at {text}: name a file, a folder, a pattern such as 'in/*.png', or a URL."
            )
    return list(found.values())


def below(folder: Path) -> Iterator[Source]:
    """The files of a folder and its folders, in the order of their names."""
    root = folder.resolve()
    for at, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not temporary(name))
        for name in sorted(files):
            path = Path(at) / name
            if temporary(name) or path.suffix.lower() in BESIDE_PICTURES:
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                yield Source(str(path), path, QuarantineReason.OUTSIDE)
            elif path.is_symlink() or path.is_file():  # no pipes, sockets or devices
                yield Source(str(path.resolve()), path.resolve())


def settle(
    paths: Sequence[Path], seconds: float, patience: float = 120.0, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until none of the files has changed for `seconds`; at most `patience` in all.

    Only the clock of the disk is compared with itself where a file changes, so a wrong clock costs one wait.
    """
    waited = 0.0
    watching = [path for path in paths if _age(path) < seconds]
    seen = {path: stamp(path) for path in watching}
    while watching and waited < patience:
        sleep(seconds)
        waited += seconds
        now = {path: stamp(path) for path in watching}
        watching = [path for path in watching if now[path] != seen[path]]
        seen = now


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change; None where there is no such file."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns


def hash_of(path: Path) -> str | None:
    """SHA-256 of the file's bytes, of a sealed one as they were before; None where it cannot be read."""
    try:
        if in_use() is not None and sealed_with(path) is not None:
            return sha256(opened(path.read_bytes())).hexdigest()
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except (BadInput, OSError):
        return None


def keep(data: bytes, folder: Path, suffix: str) -> Path:
    """Write an original that arrived over the network, whole or not at all, under the hash of its bytes."""
    path = folder / f"{sha256(data).hexdigest()}{suffix}"
    if not (path.is_file() and (sealed_with(path) is not None or path.stat().st_size == len(data))):
        write_whole(path, to_keep(data))
    return path


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")


def _expand(text: str, uploads: Path, upload_bytes: int) -> Iterator[Source]:
    if "://" in text:
        parts = urlsplit(text)
        if parts.scheme != "file":
            yield from _fetch(text, uploads, upload_bytes)
            return
        if parts.netloc not in ("", "localhost"):
            raise BadInput(
                f"{text} names the host '{parts.netloc}': a file URL has three slashes, file:///folder/name.png."
            )
        text = unquote(parts.path)
    path = Path(text).expanduser()
    try:
        is_folder, is_there = path.is_dir(), path.exists() or path.is_symlink()
    except (OSError, ValueError) as error:  # a name too long, or with a NUL in it
        raise NotFound(f"{text[:80]!r} is no path: {error}.") from error
    if is_folder:
        yield from below(path)
    elif is_there:
        yield Source(str(path.resolve()), path.resolve())
    elif any(sign in text for sign in "*?["):
        anchor = Path(path.anchor or ".")
        pattern = str(path.relative_to(path.anchor)) if path.anchor else str(path)
        for match in sorted(anchor.glob(pattern)):
            if match.is_file() and not temporary(match.name):
                yield Source(str(match.resolve()), match.resolve())


def _fetch(url: str, uploads: Path, upload_bytes: int) -> Iterator[Source]:
    """Pictures at any address that fsspec understands, copied here first."""
    import fsspec

    try:
        files = fsspec.open_files(url, "rb")
        for remote in files:
            name = remote.fs.unstrip_protocol(remote.path)
            with remote as stream:
                data = stream.read(upload_bytes + 1)
            if len(data) > upload_bytes:
                yield Source(name, uploads / "nothing", QuarantineReason.TOO_LARGE)
                continue
            yield Source(name, keep(data, uploads, Path(str(remote.path)).suffix.lower()[:8]))
    except FileNotFoundError as error:
        raise NotFound(f"There is nothing at {url}.") from error
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise BadInput(f"{url} cannot be fetched ({error}).") from error
