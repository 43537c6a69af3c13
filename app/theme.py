"""Colours and looks that belong to a meaning, in one place; the two palettes are in .streamlit/config.toml."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from core.records import Outcome, Verdict

ICON = Path(__file__).parent / "web" / "icon.png"

BadgeColour = Literal["green", "red", "orange", "violet", "gray", "blue"]


@dataclass(frozen=True)
class Look:
    """How a verdict or an outcome shows: always by word, icon and colour together."""

    word: str
    icon: str
    colour: BadgeColour


VERDICTS: Mapping[Verdict, Look] = {
    Verdict.PASS: Look("Pass", ":material/check_circle:", "green"),
    Verdict.FAIL: Look("Fail", ":material/cancel:", "red"),
    Verdict.REWORK: Look("Rework", ":material/build_circle:", "violet"),
    Verdict.UNSURE: Look("Unsure", ":material/help:", "gray"),
}
OUTCOMES: Mapping[Outcome, Look] = {
    Outcome.PASS: VERDICTS[Verdict.PASS],
    Outcome.HOLD: Look("Hold", ":material/pause_circle:", "orange"),
    Outcome.FAIL: VERDICTS[Verdict.FAIL],
}

# Okabe and Ito's colours on a dark picture; a class keeps its colour on every page.
CLASS_COLOURS = ("#56b4e9", "#e69f00", "#2fd3a0", "#e89ac7", "#ff7f2a", "#f0e442", "#9fb4ff", "#d0d0d0")
UNMAPPED_COLOUR = "#ffffff"

# From clear to strong, as (r, g, b): the Grad-CAM goes warm, the dense map cool, so the two are never mistaken.
HEATMAP_RAMP = ((120, 20, 90), (225, 60, 50), (255, 200, 60))
WHERE_RAMP = ((20, 60, 160), (30, 150, 210), (150, 255, 240))


def class_colours(class_ids: Iterable[str]) -> dict[str, str]:
    """A colour for each class in the taxonomy's own order."""
    return {class_id: CLASS_COLOURS[i % len(CLASS_COLOURS)] for i, class_id in enumerate(class_ids)}


def css_ramp(ramp: tuple[tuple[int, int, int], ...]) -> list[str]:
    """A ramp as CSS colours, starting transparent."""
    return [
        f"rgba({ramp[0][0]}, {ramp[0][1]}, {ramp[0][2]}, 0)",
        *(f"rgb({red}, {green}, {blue})" for red, green, blue in ramp),
    ]


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two #rrggbb colours, 1 to 21."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def badge(look: Look, word: str | None = None) -> None:
    """An outcome or verdict by word, icon and colour."""
    st.badge(word or look.word, icon=look.icon, color=look.colour)


def apply() -> None:
    """Tighten Streamlit's spacing to a work desk."""
    st.html(f"<style>{_CSS}{_ACCENTED} {{ color: light-dark({ACCENT['light']}, {ACCENT['dark']}) !important }}</style>")


# Streamlit writes chosen tabs and slider values in the button colour, which is too dark for text on a dark ground.
ACCENT = {"light": "#0f5597", "dark": "#9dcbff"}
_ACCENTED = """
[data-testid="stTab"][aria-selected="true"] p, [data-testid="stSliderThumbValue"],
[data-testid="stSliderThumbValue"] p, [data-testid="stButtonGroup"] [aria-checked="true"] p,
[data-testid="stButtonGroup"] [aria-pressed="true"] p"""

_CSS = """
[data-testid="stMainBlockContainer"] { padding-left: 1.4rem; padding-right: 1.4rem; max-width: 1700px; margin: 0 auto }
[data-testid="stBottomBlockContainer"] { padding: .45rem 1.4rem .6rem; max-width: 1700px; margin: 0 auto }
[data-testid="stHeader"] { border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent) }
[data-testid="stMain"] .stVerticalBlock { gap: .7rem }
[data-testid="stMain"] .stHorizontalBlock > [data-testid="stLayoutWrapper"] > .stVerticalBlock { gap: 0 }
[data-testid="stMain"] button, [data-testid="stMain"] [role="radio"] { min-height: 2.75rem }
[data-testid="stElementToolbarButton"] button, [data-testid="stMain"] label .stTooltipIcon button,
[data-testid="stWidgetLabel"] .stTooltipIcon button { min-height: 0 }
:focus-visible { outline: 3px solid #2a74c6; outline-offset: 2px }
.st-key-person { position: fixed; top: .62rem; right: 3.8rem; z-index: 1000000; width: auto !important }
.st-key-status { position: fixed; top: 1.05rem; right: 12rem; z-index: 999999; width: auto !important }
.st-key-status p { white-space: nowrap; font-size: .85rem }
.st-key-person button { min-height: 2.4rem; height: 2.4rem }
[data-testid="stElementContainer"]:has(> [data-testid="stHtml"] > style:only-child),
[data-testid="stLayoutWrapper"]:has(> .st-key-person, > .st-key-forget, > .st-key-status),
[data-testid="stLayoutWrapper"]:has(> .stVerticalBlock > [data-testid="stLayoutWrapper"] > .st-key-status) {
  position: absolute }
[class*="st-key-correct-PASS"] button { border-left: 5px solid #1f9d68 }
[class*="st-key-correct-FAIL"] button { border-left: 5px solid #d9434e }
[class*="st-key-correct-REWORK"] button { border-left: 5px solid #9b6be0 }
[class*="st-key-correct-UNSURE"] button { border-left: 5px solid #8a949e }
.st-key-inspect-drop [data-testid="stFileUploaderDropzone"] { min-height: 40dvh;
  flex-direction: column; align-items: center; justify-content: center }
.st-key-inspect-drop [data-testid="stFileUploaderDropzone"] > * { flex: none }
.st-key-inspect-strip button { padding: .15rem; min-height: 0 }
.st-key-inspect-strip button img { width: 104px; height: 66px; max-height: none; object-fit: cover; border-radius: 4px }
.st-key-thumbs img { max-height: 56px; object-fit: cover; border-radius: 4px }
.band { position: relative; height: 1.5rem; margin: .1rem 0 }
.band > div { position: absolute; top: .75rem; height: .5rem }
.band > i { position: absolute; top: 0; width: .24rem; height: 1.4rem; margin-left: -.12rem; background: currentColor;
  border-radius: 2px }
"""
