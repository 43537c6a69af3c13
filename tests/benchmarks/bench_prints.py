"""The check of printed labels on drawn labels whose text is known: fonts, dot matrix, angles, blur, glare, curves.

Half of the labels are in order; the others carry an old date, another item's text, or another size of the same item.
The drawing knows nothing of the reader: texts, forms of dates and faults are drawn by chance from a seed.
`HOLDPOINT_BENCH_LABELS` says how many (500). With `REAL_PICTURES` the photographs of packs with printed dates are read,
too.
"""

import csv
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.jobs.words.prints import read_print
from app.settings import settings
from core.decide.bounds import exact_intervals
from core.pictures.decode import Limits, decode
from core.records import Pixels
from core.words.confusions import folded
from core.words.date_forms import Order
from core.words.expiry import Printing, read_expiry
from core.words.identity import Entry
from core.words.presence import Side
from core.words.print_check import EXPIRED, WRONG, PrintRules, check_print
from models.ocr.easy import present
from models.ocr.process import ReaderProcess

LABELS = int(os.environ.get("HOLDPOINT_BENCH_LABELS", "500"))
TODAY = date(2026, 3, 1)
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSerif.ttf", "dots")
LOOKS = ("plain", "turned", "blurred", "glare", "curved", "slanted")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
SIZES = ("TWIN", "FULL", "QUEEN", "KING")
COLOURS = ("WHITE", "BLUE", "GREY")
CATALOGUE = [
    *(Entry(f"B-{10 * s + c}", f"COTTON SHEET {size} {colour}", {"size": size.lower(), "colour": colour.lower()})
      for s, size in enumerate(SIZES, 1) for c, colour in enumerate(COLOURS, 1)),
    Entry("K-204", "NORDIC TEA 100 BAGS"), Entry("K-317", "ALMA CEREAL HONEY"), Entry("M-112", "PURE SOAP LAVENDER"),
    Entry("M-450", "VITA BARS COCOA"), Entry("R-089", "CASA PASTA FUSILLI"),
]  # fmt: skip
RULES = PrintRules(Printing(Order.DAY), short_days=0)


def main() -> dict[str, Any]:
    """Figures of the reader that needs no network, and of EasyOCR where its models are at hand."""
    found: dict[str, Any] = {"labels": LABELS, "rapidocr": measured("rapidocr")}
    found["easyocr"] = measured("easyocr") if present() else "its models are not on this machine"
    if place := os.environ.get("REAL_PICTURES"):
        found["photographs of packs"] = photographs(Path(place, "measure_only", "expdate"))
    return found


def measured(reader: str) -> dict[str, Any]:
    """Read every label once."""
    rng = np.random.default_rng(20260301)
    tally: Counter[str] = Counter()
    by_look: dict[str, Counter[str]] = {look: Counter() for look in LOOKS}
    errors = letters = 0
    seconds = []
    with ReaderProcess(reader, ("en",), seconds=120, threads=2) as process:
        process.read(np.full((64, 64, 3), 255, np.uint8))
        for number in range(LABELS):
            expected = CATALOGUE[int(rng.integers(len(CATALOGUE)))]
            fault = str(rng.choice(["", "", "", "old", "item", "size"]))
            printed, lines, day = written(expected, fault, rng)
            look = LOOKS[number % len(LOOKS)]
            picture = drawn(lines, FONTS[int(rng.integers(len(FONTS)))], look, rng)
            started = time.perf_counter()
            reading = read_print(process, picture, RULES, TODAY, CATALOGUE, expected.sku)
            seconds.append(time.perf_counter() - started)
            side = Side(reading.prints, (picture.shape[1], picture.shape[0]), reading.failed)
            finding = check_print({"": side}, RULES, TODAY, CATALOGUE, expected.sku)
            codes = {one.code for one in finding.reasons}
            best = finding.expiry.readings[0] if finding.expiry and finding.expiry.readings else None
            sure = best is not None and best.probability >= RULES.certain
            for one in (tally, by_look[look]):
                one["n"] += 1
                one["date right"] += sure and best is not None and best.day == day
                one["date wrong though sure"] += sure and best is not None and best.day != day
                if fault in ("item", "size") and printed.sku != expected.sku:
                    one[f"{fault} faults"] += 1
                    one[f"{fault} found"] += WRONG in codes
                    one[f"{fault} held"] += bool(codes)
                elif fault == "old":
                    one["old"] += 1
                    one["old found"] += EXPIRED in codes
                    one["old held"] += bool(codes)
                else:
                    one["in order"] += 1
                    one["false alarms"] += bool(codes)
                    one["wrongly called expired or other"] += bool(codes & {WRONG, EXPIRED})
            wrong, of = character_errors("".join(one.text for one in reading.prints), "".join(lines))
            errors, letters = errors + wrong, letters + of
            if number % 50 == 49:
                print(f"{reader}: {number + 1} of {LABELS} labels", file=sys.stderr)
    return {
        "character accuracy (order of lines kept)": round(1 - errors / letters, 4),
        **shares(tally),
        "seconds a label, median": round(float(np.median(seconds)), 2),
        "seconds a label, 95th percentile": round(float(np.quantile(seconds, 0.95)), 2),
        "by look": {look: shares(count) for look, count in by_look.items()},
    }


def shares(tally: Counter[str]) -> dict[str, str]:
    """Counts as shares with exact 95% intervals."""
    pairs = (("date right", "n"), ("date wrong though sure", "n"), ("old found", "old"), ("old held", "old"),
             ("item found", "item faults"), ("item held", "item faults"), ("size found", "size faults"),
             ("size held", "size faults"), ("false alarms", "in order"),
             ("wrongly called expired or other", "in order"))  # fmt: skip
    found = {}
    for part, whole in pairs:
        if tally[whole]:
            low, high = (float(end[0]) for end in exact_intervals([tally[part]], [tally[whole]]))
            found[part] = f"{tally[part]} of {tally[whole]} ({low:.3f} to {high:.3f})"
    return found


def written(expected: Entry, fault: str, rng: np.random.Generator) -> tuple[Entry, list[str], date]:
    """What is printed: the item, its lines, and the day on them."""
    printed = expected
    if fault == "size" and "size" in expected.attributes:
        others = [one for one in CATALOGUE if one.attributes.get("colour") == expected.attributes["colour"]
                  and one.sku != expected.sku]  # fmt: skip
        printed = others[int(rng.integers(len(others)))]
    elif fault == "item":
        others = [one for one in CATALOGUE if one.title.split()[0] != expected.title.split()[0]]
        printed = others[int(rng.integers(len(others)))]
    left = int(rng.integers(-400, -1)) if fault == "old" else int(rng.integers(60, 1200))
    day = TODAY + timedelta(days=left)
    form = int(rng.integers(6))
    text = (f"{day:%d/%m/%Y}", f"{day:%d.%m.%y}", f"{day:%Y-%m-%d}", f"{day.day:02} {MONTHS[day.month - 1]} {day:%Y}",
            f"{MONTHS[day.month - 1]} {day.day:02} {day:%Y}", f"{day:%d-%m-%Y}")[form]  # fmt: skip
    word = str(rng.choice(["EXP", "BEST BEFORE", "USE BY", "BBE"]))
    lot = f"LOT {''.join(rng.choice(list('ABCDEFGHKLMNPRSTUVWXYZ0123456789'), 6))}"
    return printed, [printed.title, printed.sku, f"{word} {text}", lot], day


def drawn(lines: Sequence[str], font: str, look: str, rng: np.random.Generator) -> Pixels:
    """A label on a carton, as a camera sees it."""
    width, step = 640, 62
    label = np.full((40 + step * len(lines), width, 3), rng.integers(225, 250), np.uint8)
    paper = Image.fromarray(label)
    pen = ImageDraw.Draw(paper)
    ink = tuple(int(value) for value in rng.integers(10, 70, 3))
    for row, line in enumerate(lines):
        at = (30 + int(rng.integers(0, 20)), 24 + step * row)
        if font == "dots":
            _dots(paper, line, at, ink)
        else:
            face = Path(matplotlib.get_data_path(), "fonts", "ttf", font)
            pen.text(at, line, fill=ink, font=ImageFont.truetype(str(face), int(rng.integers(26, 34))))
    flat = np.asarray(paper, np.float32)
    if look == "curved":
        flat = _curved(flat, rng)
    canvas = rng.normal(150, 7, (flat.shape[0] + 160, width + 160, 3)).astype(np.float32)
    canvas[80:-80, 80:-80] = flat
    height, wide = canvas.shape[:2]
    if look == "slanted":
        corners = np.asarray([[0, 0], [wide, 0], [wide, height], [0, height]], np.float32)
        moved = corners + rng.uniform(-0.09, 0.09, (4, 2)).astype(np.float32) * (wide, height)
        view = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
        canvas = cv2.warpPerspective(canvas, view, (wide, height), borderMode=cv2.BORDER_REFLECT)
    elif look == "turned":
        turn = cv2.getRotationMatrix2D((wide / 2, height / 2), float(rng.uniform(-14, 14)), 0.86)
        canvas = cv2.warpAffine(canvas, turn, (wide, height), borderMode=cv2.BORDER_REFLECT)
        if rng.random() < 0.3:
            canvas = cv2.rotate(canvas, cv2.ROTATE_180)
    elif look == "blurred":
        canvas = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(1.0, 2.2)))
    elif look == "glare":
        ys, xs = np.mgrid[0:height, 0:wide]
        x, y = rng.uniform(0.2, 0.8) * wide, rng.uniform(0.3, 0.7) * height
        canvas += (150 * np.exp(-(((xs - x) / 120) ** 2 + ((ys - y) / 60) ** 2)))[..., None].astype(np.float32)
    canvas += rng.normal(0, 5, canvas.shape).astype(np.float32)
    return np.ascontiguousarray(np.clip(canvas, 0, 255).astype(np.uint8))


def _dots(paper: Image.Image, line: str, at: tuple[int, int], ink: tuple[int, ...]) -> None:
    """A line of print as an ink-jet coder makes it: each letter a raster of round dots."""
    small = Image.new("L", (14 * len(line) + 8, 16), 0)
    face = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSansMono-Bold.ttf")
    ImageDraw.Draw(small).text((0, 0), line, fill=255, font=ImageFont.truetype(str(face), 13))
    pen = ImageDraw.Draw(paper)
    for y, x in np.argwhere(np.asarray(small) > 110):
        left, top = at[0] + 2.6 * x, at[1] + 2.6 * y
        pen.ellipse((left, top, left + 2.3, top + 2.3), fill=ink)


def _curved(flat: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As if the label went round a bottle."""
    height, width = flat.shape[:2]
    xs = (np.arange(width) - width / 2) / (width / 2)
    bend = rng.uniform(10, 24) * xs**2
    ys, _ = np.mgrid[0:height, 0:width].astype(np.float32)
    across = (np.arcsin(np.clip(xs * 0.82, -1, 1)) / np.arcsin(0.82) + 1) * width / 2
    rows = ys + bend[None, :].astype(np.float32)
    along = np.tile(across.astype(np.float32), (height, 1))
    return np.asarray(cv2.remap(flat, along, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def character_errors(read: str, printed: str) -> tuple[int, int]:
    """Edit distance without spaces and case, and how many characters are printed."""
    from rapidfuzz.distance import Levenshtein

    one, other = folded(read).replace(" ", ""), folded(printed).replace(" ", "")
    return min(Levenshtein.distance(one, other), len(other)), len(other)


def photographs(place: Path) -> dict[str, Any]:
    """Photographs of packs: the date that is printed, to the day."""
    if not place.is_dir():
        return {"missing": str(place.name)}
    right = sure = count = 0
    seconds = []
    rules = PrintRules(Printing(languages=("en", "ko")), identity=False)
    with ReaderProcess("rapidocr", seconds=120, threads=2) as process, (place / "index.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            truth = json.loads(row["label"])["date_iso"]
            picture = decode((place / row["file"]).read_bytes(), Limits(pixels=settings().picture_pixels)).pixels
            today = date(2021, 6, 1)
            started = time.perf_counter()
            reading = read_print(process, picture, rules, today)
            seconds.append(time.perf_counter() - started)
            found = read_expiry(reading.prints, rules.printing, today).readings
            count += 1
            right += bool(found) and found[0].day.isoformat() == truth
            sure += bool(found) and found[0].probability >= rules.certain and found[0].day.isoformat() == truth
    return {"pictures": count, "date right": right, "right and sure": sure,
            "seconds, median": round(float(np.median(seconds)), 2)}  # fmt: skip
