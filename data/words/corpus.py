"""Labelled sentences on disk, in either of two layouts.

JointBERT's: `train/`, `dev/`, `test/`, each with `seq.in` (words with spaces between), `seq.out` (BIO tags) and
`label` (one intent), line by line. JSON lines: `train.jsonl`, `dev.jsonl`, `test.jsonl`, each line
`{"id", "text", "intents": […], "slots": [{"start", "end", "label"}]}` with offsets in characters.

A folder of JSON lines that has a single file is cut into three parts by the sentences' own hashes, intent by intent.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from core.errors import BadInput, NotFound
from core.words.text import Cut, Sentence, Span, from_columns

PARTS = ("train", "dev", "test")
CUT_AT = (0.7, 0.85)  # shares of each intent that end train and dev where one file holds everything
MAX_BYTES = 1 << 28
_COLUMNS = ("seq.in", "seq.out", "label")


@dataclass(frozen=True)
class Folder:
    """A folder's parts; one that it lacks is empty.

    Attributes:
        cut: how its texts become words.
        cut_here: the parts were cut from a single file by this module.
        overlapping: slots that were left out because they lay over another.
    """

    name: str
    parts: Mapping[str, tuple[Sentence, ...]]
    cut: Cut
    cut_here: bool = False
    overlapping: int = 0


def read_folder(folder: Path) -> Folder:
    """Read a folder of labelled sentences; its layout is recognised.

    Raises:
        NotFound: there is no such folder.
        BadInput: neither layout is there, or a line cannot be used.
    """
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}.")
    if any((folder / part / "seq.in").is_file() for part in PARTS):
        return Folder(folder.name, {part: _columns(folder / part) for part in PARTS}, "space")
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise BadInput(
            f"{folder} holds no text: give train, dev and test folders with {', '.join(_COLUMNS)}, or .jsonl files."
        )
    named = [f for f in files if f.stem in PARTS]
    if len(files) == 1:
        sentences, lost = _lines(files[0])
        return Folder(folder.name, cut_in_three(sentences), "words", cut_here=True, overlapping=lost)
    if not named:
        raise BadInput(f"{folder} holds several .jsonl files: name them train, dev and test.")
    read = {f.stem: _lines(f) for f in named}
    return Folder(
        folder.name,
        {part: read[part][0] if part in read else () for part in PARTS},
        "words",
        overlapping=sum(lost for _, lost in read.values()),
    )


def cut_in_three(sentences: Sequence[Sentence]) -> dict[str, tuple[Sentence, ...]]:
    """Train, dev and test by hash, each intent by itself; the same text always falls to the same side."""
    by_intent: dict[str, list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        by_intent[sentence.intent].append(sentence)
    parts: dict[str, list[Sentence]] = {part: [] for part in PARTS}
    for same in by_intent.values():
        texts = sorted({s.text for s in same}, key=lambda text: sha256(text.encode()).hexdigest())
        place = {text: at / len(texts) for at, text in enumerate(texts)}
        for sentence in same:
            side = sum(place[sentence.text] >= edge for edge in CUT_AT)
            parts[PARTS[side]].append(sentence)
    return {part: tuple(held) for part, held in parts.items()}


def write_lines(path: Path, sentences: Sequence[Sentence]) -> None:
    """Write sentences as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(to_json(s), ensure_ascii=False) + "\n" for s in sentences), encoding="utf-8")


def to_json(sentence: Sentence) -> dict[str, Any]:
    """One line of the JSON layout."""
    return {
        "id": sentence.id,
        "text": sentence.text,
        "intents": list(sentence.intents),
        "slots": [{"start": s.start, "end": s.end, "label": s.label} for s in sentence.spans],
    }


def _columns(folder: Path) -> tuple[Sentence, ...]:
    if not folder.is_dir():
        return ()
    columns = [_text(folder / name).splitlines() for name in _COLUMNS]
    if len({len(lines) for lines in columns}) > 1:
        counts = ", ".join(f"{name} {len(lines)}" for name, lines in zip(_COLUMNS, columns, strict=True))
        raise BadInput(f"{folder}: the files have different numbers of lines ({counts}).")
    out = []
    for at, (words, tags, intent) in enumerate(zip(*columns, strict=True), 1):
        try:
            out.append(from_columns(words.split(), tags.split(), intent.strip(), f"{folder.name}-{at}"))
        except BadInput as error:
            raise BadInput(f"{folder}, line {at}: {error}") from error
    return tuple(out)


def _lines(path: Path) -> tuple[tuple[Sentence, ...], int]:
    out, lost = [], 0
    for at, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text = str(row["text"])
            slots = sorted((int(s["start"]), -int(s["end"]), str(s["label"])) for s in row.get("slots", ()))
            kept: list[Span] = []
            for start, end, label in slots:  # of two over each other the longer that begins first stays
                if kept and start < kept[-1].end:
                    lost += 1
                else:
                    kept.append(Span(start, -end, label))
            intents = tuple(str(i) for i in row.get("intents", ()))
            out.append(Sentence(str(row.get("id", f"{path.stem}-{at}")), text, intents, tuple(kept)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, BadInput) as error:
            raise BadInput(f"{path}, line {at} cannot be used ({error}).") from error
    return tuple(out), lost


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path} is larger than {MAX_BYTES >> 20} MB: give a smaller part.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read ({error}).") from error
