"""What the buttons of the audit and inspector pages do, and what those pages ask; each act says how it went."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import streamlit as st

from app import context
from app.jobs.quality.audits import Measured, measure
from app.state import FormState, told
from core.audits.agreement import RegionAgreement
from core.audits.estimates import Eyes
from core.audits.facts import Said, Shares
from core.audits.people import Agreement, Eye, MixUp, agreement, mix_ups, person, region_agreement
from core.errors import BadInput

LOOKED_BACK = 182  # days; people learn, and so do their eyes
_SEED = 20_260_301  # of the resamples behind an interval: the same question gets the same answer


@dataclass(frozen=True)
class Instruments:
    """How a site's people do as instruments, all together."""

    said: tuple[Said, ...]
    agreement: tuple[Agreement, ...]
    regions: RegionAgreement
    mix_ups: tuple[MixUp, ...]
    eyes: Eyes
    people: tuple[str, ...]


def measured(site: str, days: int) -> Measured:
    """The audits of the last days."""
    return measure(context.store(), site, days, context.now())


def instruments(site: str) -> Instruments:
    """Agreement and mix-ups of all who answer at a site."""
    said = context.store().auditing.said(site, context.now() - timedelta(days=LOOKED_BACK))
    rng = np.random.default_rng(_SEED)
    known = [one for one in said if one.known is not None]
    bad, good = ([one for one in known if one.known is side] for side in (True, False))
    return Instruments(
        said=tuple(said),
        agreement=tuple(agreement(said, rng)),
        regions=region_agreement(said, rng),
        mix_ups=tuple(mix_ups(said)),
        eyes=Eyes(sum(one.defective for one in bad), len(bad), sum(not one.defective for one in good), len(good)),
        people=tuple(sorted({one.by for one in said})),
    )


def own_picture(found: Instruments, name: str) -> Eye | None:
    """One person's own, for planning their training."""
    return person(found.said, name)


def set_shares(view: FormState, site: str, gold: float, second: float, reason: str) -> None:
    """How often known parts and second people are asked; in percent."""
    with told(view):
        context.store().gold.set_shares(site, Shares(gold / 100, second / 100), reason, now=context.now())
        view.message = f"{site} asks for {gold:g}% known parts and {second:g}% second looks from the next task on."


def add_gold(view: FormState, site: str, part: str, defective: bool, classes: list[str], reason: str) -> None:
    """Vouch for the answer about a part, by its name."""
    with told(view):
        found = context.store().parts.find(site, part.strip())
        if found is None:
            raise BadInput(f"{site} has no part '{part.strip()}': give the name that its pictures carry.")
        context.store().gold.add(found.id, defective, reason, classes if defective else [], now=context.now())
        view.message = f"Part {part.strip()} is a gold item."


def retire_gold(view: FormState, item: int, key: str) -> None:
    """Ask a gold item no more."""
    with told(view):
        context.store().gold.retire(item, str(st.session_state.get(key, "")), now=context.now())
        view.message = "Retired: it is not asked any more, and its answers count no longer."
