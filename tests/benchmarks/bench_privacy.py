"""What the finders of personal details find and what they take for it: in texts, on drawn shipping labels, in pictures.

`HOLDPOINT_BENCH_LABELS` says how many labels are drawn at most (24). The hand-written parts "first" and "second" were
written before the rules had seen them; what they gave then stands in the README, since then the rules have been mended.
With `REAL_PICTURES`, a folder of folders, false faces are counted on pictures of parts.
"""

import json
import os
import time
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app.jobs.words.covering import covering_for, read_every_way
from app.jobs.words.prints import reader_process
from app.settings import settings
from core.decide.bounds import exact_intervals
from core.pictures.covering import filled
from core.words.redaction import find
from data.words.study import draw
from models.faces import faces
from tests.core.words.redaction_scores import scores

TEXTS = Path(__file__).parents[1] / "core" / "words" / "personal.json"
PEOPLE = (
    ("SHIP TO", "Oyelaran Bassey", "18 Mill Lane", "Leeds LS2 7EW", "Tel 0113 496 0455"),
    ("Deliver to:", "Ingrid Solheim", "742 Maple Avenue", "Denver, CO 80203", "(303) 555-0148"),
    ("Empfaenger", "Katharina Vogel", "Lindenallee 9a", "22087 Hamburg", "0171 5556677"),
    ("Destinataire", "Mathilde Carpentier", "22 boulevard Voltaire", "33000 Bordeaux", "06 98 76 54 32"),
    ("Destinatario", "Pierluigi Sala", "Via Verdi 14", "50122 Firenze", "055 234 5678"),
    ("Enviar a", "Montserrat Puig", "Calle Mayor 18", "28013 Madrid", "915 550 142"),
    ("TO", "HENDRIK MAAS", "KEIZERSGRACHT 112", "1015 CX AMSTERDAM", "h.maas@post.example"),
    ("SHIP TO", "Xiomara Quintanilla", "1450 Elm Street Apt 9", "Portland, OR 97205", "x.quint@mail.example"),
)
GOODS = ("ORDER 55120", "SKU KING-180x200", "LOT L4471", "EXP 12 JAN 2027")
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX)
LOOKS = ((0.0, 0.0), (6.0, 0.0), (0.0, 1.6))  # degrees, blur in pixels


def main() -> dict[str, Any]:
    """Texts, labels, faces."""
    return {"texts": texts(), "generated": generated(), "labels": labels(), "faces": face_crops(), "parts": parts()}


def texts() -> dict[str, Any]:
    """Recall and precision on hand-written texts, by part and kind."""
    rows = json.loads(TEXTS.read_text(encoding="utf-8"))
    names = sorted({row["part"] for row in rows})
    return {
        name: {kind: vars(one) for kind, one in scores([row["text"] for row in rows if row["part"] == name]).items()}
        for name in names
    }


def generated(sentences: int = 2000) -> dict[str, Any]:
    """False alarms on generated notes and complaints; their people's names are mostly made up and in small letters."""
    told = {}
    for domain in ("notes", "complaints"):
        made = draw(domain, sentences, 0, 11).train
        there = covered = alarms = 0
        started = time.perf_counter()
        for one in made:
            found = find(one.text)
            people = [span for span in one.spans if span.label == "employee"]
            there += len(people)
            covered += sum(any(hit.start <= span.start and span.end <= hit.end for hit in found) for span in people)
            alarms += any(all(hit.end <= span.start or span.end <= hit.start for span in people) for hit in found)
        each = 1000 * (time.perf_counter() - started) / len(made)
        told[domain] = {"sentences": len(made), "names": there, "covered": covered, "with_false_alarm": alarms,
                        "ms": round(each, 2)}  # fmt: skip
    return told


def labels() -> dict[str, Any]:
    """Lines of drawn shipping labels that are covered, through the real reader."""
    most = int(os.environ.get("HOLDPOINT_BENCH_LABELS", "24"))
    personal = hit = goods = spoiled = failed = count = 0
    started = time.perf_counter()
    with reader_process(settings()) as process:
        for (number, address), (place, look) in list(product(enumerate(PEOPLE), enumerate(LOOKS)))[:most]:
            lines = (*address, *GOODS)
            pixels, corners = _label(lines, FONTS[(number + place) % len(FONTS)], *look)
            covering = covering_for(pixels, read_every_way(process, pixels))
            count += 1
            if covering.failed is not None:
                failed += 1
                continue
            dark = filled(np.full_like(pixels, 255), covering.covers)[..., 0] < 255
            for line, corner in enumerate(corners):
                mask = np.zeros(dark.shape, np.uint8)
                cv2.fillConvexPoly(mask, corner.astype(np.int32), 1)
                share = float(dark[mask > 0].mean())
                if 1 <= line < len(address):
                    personal, hit = personal + 1, hit + (share > 0.9)
                elif line >= len(address):
                    goods, spoiled = goods + 1, spoiled + (share > 0.5)
    return {"labels": count, "failed": failed, "personal_lines": personal, "covered": hit,
            "interval": _interval(hit, personal),
            "lines_of_goods": goods, "covered_too": spoiled,
            "seconds": round((time.perf_counter() - started) / max(count, 1), 1)}  # fmt: skip


def face_crops() -> dict[str, Any]:
    """The 100 faces and 100 others of Labelled Faces in the Wild inside scikit-image, 25 pixels wide, enlarged."""
    from skimage.data import lfw_subset

    crops = lfw_subset()
    told: dict[str, Any] = {}
    for times in (2, 4, 8):
        counts = [0, 0]
        for number, crop in enumerate(crops):
            canvas = np.full((400, 500), 140, np.uint8)
            large = cv2.resize((crop * 255).astype(np.uint8), None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
            canvas[100 : 100 + large.shape[0], 150 : 150 + large.shape[1]] = large
            counts[number >= 100] += bool(faces(np.repeat(canvas[:, :, None], 3, axis=2)))
        told[f"{25 * times} px"] = {
            "found": counts[0],
            "of": 100,
            "interval": _interval(counts[0], 100),
            "false": counts[1],
        }
    return told


def parts(most: int = 60) -> dict[str, Any]:
    """Pictures of parts with a false face, by folder; empty without REAL_PICTURES."""
    folder = os.environ.get("REAL_PICTURES")
    told: dict[str, Any] = {}
    for place in sorted(Path(folder).iterdir()) if folder else ():
        files = sorted(one for one in place.rglob("*") if one.suffix.lower() in (".jpg", ".png", ".bmp"))
        chosen = files[:: max(1, len(files) // most)][:most]
        pictures = [found for one in chosen if (found := cv2.imread(str(one), cv2.IMREAD_COLOR_RGB)) is not None]
        if pictures:
            told[place.name] = {"pictures": len(pictures), "with_a_face": sum(bool(faces(one)) for one in pictures)}
    return told


def _label(lines: tuple[str, ...], font: int, degrees: float, blur: float) -> tuple[Any, list[Any]]:
    """A drawn label, (h, w, 3), and the four corners of each line."""
    pixels = np.full((640, 900, 3), 245, np.uint8)
    corners, at = [], 70
    for line in lines:
        (wide, high), below = cv2.getTextSize(line, font, 1.3, 2)
        cv2.putText(pixels, line, (50, at), font, 1.3, (15, 15, 15), 2, cv2.LINE_AA)
        corners.append(np.array([[50, at - high], [50 + wide, at - high], [50 + wide, at + below], [50, at + below]]))
        at += 62
    turn = cv2.getRotationMatrix2D((450, 320), degrees, 1)
    pixels = cv2.warpAffine(pixels, turn, (900, 640), borderValue=(200, 200, 200))
    if blur:
        pixels = cv2.GaussianBlur(pixels, (0, 0), blur)
    return pixels, [np.c_[one, np.ones(4)] @ turn.T for one in corners]


def _interval(hits: int, of: int) -> list[float]:
    low, high = exact_intervals([hits], [of])
    return [round(float(low[0]), 3), round(float(high[0]), 3)]
