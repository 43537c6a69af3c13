"""A picture with its overlays and regions; zoom and pan happen in the browser and survive every rerun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from app.theme import HEATMAP_RAMP, UNMAPPED_COLOUR, WHERE_RAMP, css_ramp
from app.widgets.text import share
from core.records import Image, Region

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Layer:
    """A transparent picture over the whole image.

    Attributes:
        title: what it answers, shown as its legend.
        shown: hidden layers are fetched all the same, so that a key shows them at once.
        peek: shows while its key (G or H) is held, and switches when it is tapped.
        off: why it stays hidden on this picture until its key is tapped for it, whatever is usual; else empty.
    """

    id: str
    url: str
    title: str
    ramp: tuple[tuple[int, int, int], ...]
    shown: bool
    peek: bool = False
    off: str = ""


def picture_url(image: Image, kind: str = "screen") -> str:
    """Address of a filed image; the hash in it makes the browser's copy end with the picture."""
    return f"/img/{image.id}/{kind}?v={image.sha256[:12]}"


def absolute(path: str) -> str:
    """The full address of one of our own paths: Streamlit and the canvas take a bare path for a file of the server."""
    parts = urlsplit(st.context.url or "http://localhost/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def map_layers(
    image: Image, model: str, *, heatmap: bool | None, where: bool | None, off: str = ""
) -> tuple[Layer, ...]:
    """The Grad-CAM and the dense map of a filed image; None where there is none; `off` as in Layer, for the first."""
    layers = []
    if heatmap is not None:
        url = f"{picture_url(image, 'heatmap')}-{model}"
        layers.append(Layer("heatmap", url, "Why this score", HEATMAP_RAMP, heatmap, peek=True, off=off))
    if where is not None:
        url = f"{picture_url(image, 'where')}-{model}"
        layers.append(Layer("where", url, "Where", WHERE_RAMP, where, peek=True))
    return tuple(layers)


def drawn(region: Region, colours: Mapping[str, str], *, person: bool = False) -> dict[str, Any]:
    """A region as the browser draws it; a dashed line is the model's."""
    score = "" if region.score is None else f" {share(region.score)}"
    severity = "" if region.severity is None else f" · {region.severity.value}"
    return {
        "x": region.x,
        "y": region.y,
        "width": region.width,
        "height": region.height,
        "label": f"{region.class_id or region.name or 'no class'}{score}{severity}",
        "colour": colours.get(region.class_id or "", UNMAPPED_COLOUR),
        "dashed": not person,
    }


def crop_url(image: Image) -> str:
    """Address of crops of a filed image; whoever asks adds `&box=x,y,width,height&width=`."""
    return f"/img/{image.id}?v={image.sha256[:12]}"


def layer_data(layer: Layer) -> dict[str, Any]:
    """A layer as the browser takes it."""
    return {
        "id": layer.id,
        "url": layer.url,
        "title": layer.title,
        "ramp": css_ramp(layer.ramp),
        "peek": layer.peek,
        "off": layer.off,
    }


def script(*names: str) -> str:
    """Our own scripts of this folder as one: a component takes a single one, and none is fetched from elsewhere."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)


@cache
def _component() -> Any:
    return st.components.v2.component(
        "holdpoint_viewer",
        html='<div class="viewer-root"></div>',
        css=script("viewer.css"),
        js=script("viewer_stage.js", "viewer.js"),
    )


def viewer(
    *,
    item: str,
    url: str,
    size_wh: tuple[int, int],
    alt: str,
    key: str,
    layers: Sequence[Layer] = (),
    regions: Sequence[dict[str, Any]] = (),
    height: str = "60vh",
    opacity: float = 0.6,
) -> None:
    """Show a picture.

    Args:
        item: zoom and pan belong to it; another item starts fitted.
        url: of a copy for the screen.
        size_wh: of the whole picture, in its own pixels; regions are in these.
        alt: what the picture shows, for those who do not see it.
        key: of the widget.
        layers: over the picture, the first one lowest.
        opacity: that layers start with.
        regions: from `drawn`.
        height: as CSS.
    """
    _component()(
        key=key,
        data={
            "image": {
                "key": item,
                "url": url,
                "crop": "",
                "width": size_wh[0],
                "height": size_wh[1],
                "alt": alt,
                "missing": "",
                "layers": [layer_data(one) for one in layers],
                "regions": list(regions),
            },
            "shown": {one.id: one.shown for one in layers},
            "opacity": opacity,
            "height": height,
        },
        width="stretch",
        height="content",
    )
