"""Fulfilment boxes: cardboard, tape, a printed label with a date, and what goes wrong with them.

A face is drawn flat, (h, w, 3) float32 RGB tones, and then laid on the conveyor in perspective. A defect is painted
into the flat face; where it lies in the picture is found by laying the clean face down too and comparing.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import cv2
import numpy as np
from PIL import Image, ImageDraw

from core.records import Floats
from data.demo.marks import font
from data.demo.surfaces import brushed, cloud

FACE_WH = {"box_top": (470, 350), "box_side": (490, 310)}
LABEL_WH = (186, 132)
LABEL_AT = (258, 196)  # left top corner on the face
DATE_BOX = (4, 68, 112, 86)  # x1, y1, x2, y2 on the label
TAPE = (150, 200)  # rows of the tape on the top
TAIL = (208, 282, 96)  # columns of the tape's tail on the side, and how far down it comes

_PRODUCTS: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
    ("K-204", "NORDIC TEA", (38, 92, 148)),
    ("K-317", "ALMA CEREAL", (186, 84, 30)),
    ("M-112", "PURE SOAP", (46, 122, 76)),
    ("M-450", "VITA BARS", (142, 38, 70)),
    ("R-089", "CASA PASTA", (94, 70, 140)),
)
_STREETS = ("Havenweg", "Rue des Forges", "Lindenstr.", "Via Roma", "Mill Lane", "Calle Mayor", "Storgata")
_TOWNS = ("3011 Rotterdam", "69003 Lyon", "4020 Linz", "20121 Milano", "LS1 Leeds", "28013 Madrid", "0155 Oslo")


@dataclass(frozen=True)
class LabelFault:
    """What is wrong with the label: MISSING_LABEL, WRONG_LABEL, UNREADABLE_LABEL or EXPIRED."""

    class_id: str
    size: float
    seed: int


@dataclass
class Face:
    """One face of a box, drawn flat.

    Attributes:
        tone: (h, w, 3).
        product: index of what is printed on the carton.
        labelled: whether this face carries the shipping label.
        bend: (x, y, reach, depth) of a crushed place in face pixels; None where it is straight.
    """

    tone: Floats
    product: int
    labelled: bool
    light_xy: tuple[float, float]
    bend: tuple[float, float, float, float] | None = None


def face(
    kind: str,
    light_xy: tuple[float, float],
    rng: np.random.Generator,
    view_rng: np.random.Generator,
    packed_on: date,
    serial: str,
    fault: LabelFault | None = None,
) -> Face:
    """One face: the top with seam, tape and label, or the side with print and the tape's tail.

    Args:
        kind: "box_top" or "box_side".
        light_xy: towards the light.
        rng: of the box; the same for all its faces.
        view_rng: of this face.
        packed_on: the printed date lies some months after it.
        serial: printed on the label.
        fault: what is wrong with the label; nothing else changes with it.
    """
    product = int(rng.integers(len(_PRODUCTS)))
    use_by = packed_on + timedelta(days=int(rng.integers(160, 420)))
    label_seed, stick_seed = (int(seed) for seed in rng.integers(1 << 32, size=2))
    colour = np.asarray([0.66, 0.51, 0.345], dtype=np.float32) * np.float32(rng.uniform(0.9, 1.08))
    tone = cardboard(FACE_WH[kind], colour, view_rng)
    made = Face(tone, product, kind == "box_top", light_xy)
    if kind == "box_top":
        _print_top(made)
        _tape(tone, slice(*TAPE), slice(0, tone.shape[1]), view_rng)
        _frame(tone)
        label: Floats | None = label_image(product, serial, use_by, np.random.default_rng(label_seed))
        if label is not None and fault is not None:
            label = faulty_label(fault, label, product, serial, packed_on, use_by, label_seed)
        if label is not None:
            stick(made.tone, label, np.random.default_rng(stick_seed))
    else:
        _print_side(made)
        first, last, down = TAIL
        _tape(tone, slice(0, down), slice(first, last), view_rng, upright=True)
    _scuff(tone, view_rng)
    return made


def label_image(product: int, serial: str, use_by: date, rng: np.random.Generator, faint: float = 1.0) -> Floats:
    """A shipping label, (h, w, 3): sender, address, product band, date, bar code.

    Args:
        product: whose band and number are printed.
        serial: of the order.
        use_by: the printed date.
        rng: of address and bars.
        faint: share of ink; below 1 the printer runs dry.
    """
    width, height = LABEL_WH
    paper = Image.new("RGB", (width, height), (243, 243, 238))
    pen = ImageDraw.Draw(paper)
    number, name, colour = _PRODUCTS[product]
    ink = tuple(int(243 - (243 - level) * faint) for level in (24, 24, 28))
    pen.rectangle((0, 0, width, 20), fill=colour)
    pen.text((5, 3), name, fill=(255, 255, 255), font=font(13))
    pen.text((width - 50, 3), number, fill=(255, 255, 255), font=font(13))
    street = _STREETS[int(rng.integers(len(_STREETS)))]
    town = _TOWNS[int(rng.integers(len(_TOWNS)))]
    pen.text((5, 24), f"{street} {int(rng.integers(1, 180))}", fill=ink, font=font(12))
    pen.text((5, 38), town, fill=ink, font=font(12))
    pen.text((5, 53), f"ORDER {serial}", fill=ink, font=font(10))
    pen.text((5, 68), f"EXP {use_by:%d/%m/%Y}", fill=ink, font=font(14))
    x = 6
    while x < width - 10:
        bar = int(rng.integers(1, 4))
        pen.rectangle((x, 94, x + bar - 1, 124), fill=ink)
        x += bar + int(rng.integers(1, 4))
    cells = (rng.random((11, 11)) < 0.5).astype(np.uint8) * 255
    cells[0], cells[:, 0] = 0, 0
    code = Image.fromarray(cells).resize((44, 44), Image.Resampling.NEAREST)
    tinted = Image.merge("RGB", [code.point([int(i + (243 - i) * v / 255) for v in range(256)]) for i in ink])
    paper.paste(tinted, (width - 52, 36))
    return np.asarray(paper, dtype=np.float32) / np.float32(255)


def faulty_label(
    fault: LabelFault, good: Floats, product: int, serial: str, packed_on: date, use_by: date, label_seed: int
) -> Floats | None:
    """The label with its fault; None where it is missing."""
    rng = np.random.default_rng([fault.seed, 8])
    if fault.class_id == "MISSING_LABEL":
        return None
    if fault.class_id == "WRONG_LABEL":
        other = (product + 1 + int(rng.integers(len(_PRODUCTS) - 1))) % len(_PRODUCTS)
        return label_image(other, f"{int(rng.integers(10000, 99999))}", use_by, rng)
    if fault.class_id == "EXPIRED":
        past = packed_on - timedelta(days=int(rng.integers(3, 200)))
        return label_image(product, serial, past, np.random.default_rng(label_seed))
    faint = label_image(product, serial, use_by, np.random.default_rng(label_seed), 0.55 - 0.45 * fault.size)
    height, width = good.shape[:2]
    smear = cv2.blur(faint, (3 + round(26 * fault.size), 1 + round(3 * fault.size)))
    where = np.clip(0.5 + cloud((width, height), 3, rng), 0, 1)[..., None]
    smudged: Floats = faint + where * (smear - faint)
    return smudged


def seat(label_seed_rng: np.random.Generator) -> Floats:
    """How the label lies on the face, a 2x3 matrix: not quite straight."""
    turn = cv2.getRotationMatrix2D((LABEL_WH[0] / 2, LABEL_WH[1] / 2), float(label_seed_rng.uniform(-2.2, 2.2)), 1.0)
    turn[:, 2] += np.asarray(LABEL_AT) + label_seed_rng.uniform(-4, 4, 2)
    seated: Floats = turn.astype(np.float32)
    return seated


def stick(tone: Floats, label: Floats, rng: np.random.Generator) -> None:
    """Put the label on with a thin shadow."""
    height, width = tone.shape[:2]
    turn = seat(rng)
    laid = cv2.warpAffine(label, turn, (width, height), flags=cv2.INTER_LINEAR)
    cover = cv2.warpAffine(np.ones(label.shape[:2], np.float32), turn, (width, height))[..., None]
    shadow = cv2.GaussianBlur(cover[..., 0], (0, 0), 2.5)[..., None]
    tone *= 1 - 0.28 * shadow * (1 - cover)
    tone += cover * (laid * np.float32(0.93) - tone)


def lay(made: Face, size_wh: tuple[int, int], rng: np.random.Generator) -> Floats:
    """The face on the conveyor, in perspective, (h, w, 3)."""
    belt = _belt(size_wh, rng)
    height, width = made.tone.shape[:2]
    to_picture = perspective((width, height), size_wh, rng)
    whole = np.ones((height, width), np.float32)
    laid = cv2.warpPerspective(made.tone, to_picture, size_wh, flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(whole, to_picture, size_wh)
    if made.bend is not None:  # only where it gives way: elsewhere the two ways of sampling differ by a hair
        map_x, map_y, shade = _bent(made.bend, (width, height), to_picture, size_wh)
        moved = shade < 1
        laid[moved] = (cv2.remap(made.tone, map_x, map_y, cv2.INTER_LINEAR) * shade[..., None])[moved]
        cover[moved] = cv2.remap(whole, map_x, map_y, cv2.INTER_LINEAR)[moved]
    shadow = np.roll(cv2.blur(cover, (31, 31)), (12, 14), axis=(0, 1))
    belt *= (1 - 0.6 * np.clip(shadow, 0, 1))[..., None]
    rim = np.clip(cover - cv2.erode(cover, np.ones((5, 5))), 0, 1)
    laid *= (1 - 0.25 * rim)[..., None]
    tone: Floats = belt + cover[..., None] * (laid - belt)
    return tone


def cardboard(size_wh: tuple[int, int], colour: Floats, rng: np.random.Generator) -> Floats:
    """Brown board with the ribs of its corrugation and its fibres, (h, w, 3)."""
    width, _ = size_wh
    ribs = 0.010 * np.sin(np.arange(width, dtype=np.float32) * np.float32(2 * np.pi / 7.3))[None, :]
    fibre = 0.016 * brushed(size_wh, 18, rng) + 0.022 * cloud(size_wh, 6, rng) + 0.012 * cloud(size_wh, 110, rng)
    board: Floats = colour * (1 + ribs + fibre)[..., None]
    return board


def _tape(tone: Floats, rows: slice, columns: slice, rng: np.random.Generator, upright: bool = False) -> None:
    """Clear brown tape: a little darker and shinier, with wrinkles along its length."""
    strip = tone[rows, columns]
    height, width = strip.shape[:2]
    colour = np.asarray([0.70, 0.52, 0.30], dtype=np.float32)
    gloss = cloud((width, height), 7, rng) * 0.035
    lines = brushed((height, width), 90, rng).T if upright else brushed((width, height), 90, rng)
    strip += 0.62 * (colour - strip) + (gloss + 0.012 * lines)[..., None]
    across = np.arange(width if upright else height, dtype=np.float32)
    sheen = 0.16 * np.exp(-(((across - 0.3 * len(across)) / (0.13 * len(across))) ** 2))
    strip += (sheen[None, :] if upright else sheen[:, None])[..., None] * np.float32(0.8)
    for edge in (0, -1):
        if upright:
            strip[:, edge] *= 0.8
        else:
            strip[edge] *= 0.8
    if upright:
        strip[-1] *= 0.8


def _print_top(made: Face) -> None:
    """Seam, product number and handling mark, as printed by the carton's maker."""
    height, width = made.tone.shape[:2]
    seam = (TAPE[0] + TAPE[1]) // 2
    made.tone[seam - 1 : seam + 1] *= 0.45
    number, name, colour = _PRODUCTS[made.product]
    sheet = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(sheet)
    pen.text((26, 30), name, fill=235, font=font(30))
    pen.text((26, 68), number, fill=235, font=font(22))
    pen.rectangle((26, 102, 120, 116), fill=235)
    pen.text((34, 300), "FRAGILE", fill=150, font=font(20))
    _ink(made.tone, sheet, colour)


def _print_side(made: Face) -> None:
    height, width = made.tone.shape[:2]
    number, name, colour = _PRODUCTS[made.product]
    sheet = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((34, 150, 300, 154), fill=235)
    pen.text((34, 160), name, fill=235, font=font(40))
    pen.text((34, 212), f"{number}  24 x 250 g", fill=235, font=font(22))
    pen.text((34, 270), "KEEP DRY", fill=170, font=font(16))
    for x in (374, 424):
        pen.polygon([(x, 200), (x + 18, 170), (x + 36, 200)], fill=235)
        pen.rectangle((x + 11, 200, x + 25, 240), fill=235)
    pen.rectangle((364, 250, 470, 254), fill=235)
    _ink(made.tone, sheet, colour)


def _ink(tone: Floats, sheet: Image.Image, colour: tuple[int, int, int]) -> None:
    """Ink soaks into cardboard: it is multiplied and never quite covers."""
    cover = np.asarray(sheet, dtype=np.float32)[..., None] * np.float32(0.78 / 255)
    tone += cover * (np.asarray(colour, dtype=np.float32) / 255 * np.float32(0.8) - tone)


def _frame(tone: Floats) -> None:
    """Printed corners that say where the label belongs."""
    x1, y1 = LABEL_AT[0] - 9, LABEL_AT[1] - 9
    x2, y2 = LABEL_AT[0] + LABEL_WH[0] + 9, LABEL_AT[1] + LABEL_WH[1] + 9
    for x, y, dx, dy in ((x1, y1, 1, 1), (x2, y1, -1, 1), (x1, y2, 1, -1), (x2, y2, -1, -1)):
        cv2.line(tone, (x, y), (x + 18 * dx, y), (0.25, 0.19, 0.14), 2, cv2.LINE_AA)
        cv2.line(tone, (x, y), (x, y + 18 * dy), (0.25, 0.19, 0.14), 2, cv2.LINE_AA)


def _scuff(tone: Floats, rng: np.random.Generator) -> None:
    """Rubbed places, pen strokes and dirt: no defects."""
    height, width = tone.shape[:2]
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        line = np.zeros((height, width), dtype=np.uint8)
        steps = np.cumsum(rng.normal(0, 6, (9, 2)) + rng.normal(0, 9, 2), axis=0)
        path = np.round((steps + np.asarray([x, y])) * 16).astype(np.int32)
        cv2.polylines(line, [path], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
        rubbed = cv2.blur(line, (5, 5))[..., None] * np.float32(1 / 255)
        tone += rubbed * np.float32(rng.choice([-0.10, 0.07, 0.10]))
    if rng.random() < 0.25:
        sheet = Image.new("L", (width, height), 0)
        pen = ImageDraw.Draw(sheet)
        pen.text(
            (int(rng.integers(20, 150)), int(rng.integers(230, 270))),
            f"#{int(rng.integers(100))}",
            fill=200,
            font=font(38),
        )
        _ink(tone, sheet, (30, 30, 60))


def _belt(size_wh: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Dark rubber with a fine weave and a worn track."""
    width, height = size_wh
    weave = 0.012 * np.sin(np.arange(height, dtype=np.float32) * np.float32(1.9))[:, None]
    weave = weave + 0.010 * np.sin(np.arange(width, dtype=np.float32) * np.float32(2.3))[None, :]
    rubber = 0.13 + weave + 0.018 * cloud(size_wh, 7, rng) + 0.012 * brushed(size_wh, 200, rng)
    belt: Floats = rubber[..., None] * np.asarray([0.96, 1.0, 1.05], dtype=np.float32)
    return belt


def perspective(face_wh: tuple[int, int], size_wh: tuple[int, int], rng: np.random.Generator) -> Floats:
    """From face to picture: middle of the picture, a little turned, nearer at the bottom; 3x3."""
    width, height = face_wh
    grow = min(size_wh[0] / 640, size_wh[1] / 480) * float(rng.uniform(1.12, 1.2))
    angle = float(rng.normal(0, 0.035))
    corners = np.asarray([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    about = (corners - [width / 2, height / 2]) * grow
    about[:2, 0] *= float(rng.uniform(0.955, 0.99))
    turn = np.asarray([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    placed = about @ turn + np.asarray(size_wh) / 2 + rng.uniform(-9, 9, 2)
    matrix: Floats = cv2.getPerspectiveTransform(corners, placed.astype(np.float32))
    return matrix


def _bent(
    bend: tuple[float, float, float, float], face_wh: tuple[int, int], to_picture: Floats, size_wh: tuple[int, int]
) -> tuple[Floats, Floats, Floats]:
    """Where on the face each pixel of the picture comes from, and the shade of the dent."""
    width, height = size_wh
    back = np.linalg.inv(to_picture)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    w = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    u = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / w
    v = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / w
    at_x, at_y, reach, depth = bend
    near = np.exp(-(((u - at_x) / reach) ** 2) - ((v - at_y) / reach) ** 2)
    near = np.clip((near - 0.05) / 0.95, 0, 1)
    out_x, out_y = np.sign(round(at_x - face_wh[0] / 2)), np.sign(round(at_y - face_wh[1] / 2))
    dent_u, dent_v = out_x * depth * near, out_y * depth * near
    shade = 1 - 0.45 * near * (0.6 + 0.4 * np.sin((u + v) / 9.0))
    return (u + dent_u).astype(np.float32), (v + dent_v).astype(np.float32), shade.astype(np.float32)
