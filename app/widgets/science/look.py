"""Choosing how a part type is looked at, with what each choice costs and finds beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from app import context
from app.jobs.intake.inspect import milliseconds
from app.jobs.intake.line import look_of
from app.state import PartTypesState, state, told
from app.widgets.text import plain
from core.pictures.tiling import SCALES, Look, look_from, neighbours, spoken, tile_count
from core.plant import ModelVersion, PartType

TILES = (128, 192, 256, 320, 384, 512)


def part_type_form(known: PartType | None, name: str, *, key: str) -> PartType:
    """Controls for one part type; nothing is saved here."""
    start = known or PartType(name)
    scale = st.select_slider("Working scale", sorted({*SCALES, start.scale}), start.scale, key=f"{key}.scale",
                             help="0.5 looks at half the width and height: faster; small defects fade.")  # fmt: skip
    one, two = st.columns(2)
    tile = one.selectbox("Tile, px", sorted({*TILES, start.tile}), sorted({*TILES, start.tile}).index(start.tile),
                         key=f"{key}.tile")  # fmt: skip
    overlap = two.select_slider("Overlap", [0.0, 0.25, 0.5, 0.75], _overlap(start), key=f"{key}.overlap",
                                format_func=lambda part: f"{part:.0%}",
                                help="At half a tile every place is seen at least twice.")  # fmt: skip
    whole = st.toggle("Score the whole picture too", start.whole_picture, key=f"{key}.whole",
                      help="For what is larger than a tile: a bent box, a missing label.")  # fmt: skip
    flips = st.toggle("Looks the same mirrored", start.flips, key=f"{key}.flips", help="Training may mirror it.")
    exposures = st.toggle("Pictures without a named view are exposures of one view", start.exposures,
                          key=f"{key}.exposures",
                          help="Their scores are averaged (in log-odds). Off, each may show another side of the part "
                               "and the largest score counts.")  # fmt: skip
    views = st.text_input("Views that make a part complete", ", ".join(start.views), key=f"{key}.views",
                          placeholder="top, left, right; empty where views have no names", max_chars=300)  # fmt: skip
    three, four = st.columns(2)
    pictures = three.number_input("Or how many pictures", 0, 64, start.pictures or 0, key=f"{key}.pictures",
                                  help="0: a part is complete with any number.")  # fmt: skip
    time_out = four.number_input("Waits for them, seconds", 1.0, 604800.0, start.time_out_s, key=f"{key}.wait")
    names = tuple(part.strip() for part in views.split(",") if part.strip())
    return _made(start, scale, tile, overlap, whole, flips, exposures, names, pictures, time_out)


def _made(
    start: PartType, scale: float, tile: int, overlap: float, whole: bool, flips: bool, exposures: bool,
    views: tuple[str, ...], pictures: int, time_out: float,
) -> PartType:  # fmt: skip
    same = overlap == _overlap(start) and tile == start.tile
    with told(state(PartTypesState)):
        return replace(
            start,
            scale=scale,
            tile=tile,
            stride=start.stride if same else round(tile * (1 - overlap)),
            whole_picture=whole,
            flips=flips,
            exposures=exposures,
            views=views,
            pictures=pictures or None,
            time_out_s=time_out,
        )
    return start


def _overlap(part_type: PartType) -> float:
    found = 1 - part_type.stride / part_type.tile
    return min((0.0, 0.25, 0.5, 0.75), key=lambda one: abs(one - found))


def picture_size(site: str) -> tuple[int, int]:
    """The size to measure with: that of the site's newest picture, until another is typed."""
    newest = next((one for one in context.store().images.find(site=site, limit=20) if one.width), None)
    one, two = st.columns(2)
    width = one.number_input("Picture width, px", 64, 8192, newest.width if newest else 1600, key=f"look.width.{site}")
    height = two.number_input(
        "Picture height, px", 64, 8192, newest.height if newest else 256, key=f"look.height.{site}"
    )
    return int(width), int(height)


def alternatives(chosen: PartType, version: ModelVersion) -> dict[str, Look]:
    """The choice and its neighbours, by what differs; a part type where nobody set anything takes the model's look."""
    return neighbours(look_of(chosen) or look_from(version.card.get("look", {})))


def costs(looks: Mapping[str, Look], model: Path, size: tuple[int, int], *, key: str) -> None:
    """Tiles of each choice at once, and the time of each when asked: it is measured on this machine, now."""
    view = state(PartTypesState)
    st.caption(
        f"As chosen: {spoken(next(iter(looks.values())))}. A part type left at scale 1, tiles of 256 px and half "
        "overlap is looked at as its model was trained."
    )
    asked = (tuple(looks.values()), size, str(model))
    measured: Mapping[str, tuple[int, float]] = {}
    if st.button("Measure on this machine", key=f"{key}.measure", icon=":material/timer:"):
        with st.spinner("Measuring with the site's model…"), told(view):
            found: Sequence[tuple[int, float]] = context.scorer().run(
                milliseconds, context.settings(), model, list(looks.values()), *size
            )
            view.choice = (asked, dict(zip(looks, found, strict=True)))
        if view.failed:
            st.error(plain(view.failed))
    if view.choice and view.choice[0] == asked:
        measured = view.choice[1]
    rows = [
        {
            "choice": name,
            "tiles": tile_count(*size, one),
            "smallest sharp detail, px": round(2 / min(1.0, one.scale)),
            **({"ms per picture": round(measured[name][1], 1)} if name in measured else {}),
        }
        for name, one in looks.items()
    ]
    st.dataframe(rows, hide_index=True, height="content",
                 column_config={"ms per picture": st.column_config.NumberColumn(format="%.1f")})  # fmt: skip
    if not measured:
        st.caption("Tiles are counted; time appears when measured.")
