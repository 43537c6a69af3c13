"""Whether a policy can decide any part less strictly than another: what one person alone may not put in force.

PASS is the least strict outcome, then HOLD, then FAIL: a held part can still be passed by a person.
"""

from collections.abc import Callable, Iterable, Sequence

from core.decide.attendance import Attendance
from core.decide.audit_steps import audits_less, steps_in_words
from core.decide.policy import ClassRule, Nobody, Policy, chosen
from core.decide.wording import amount, hours, limits, money, percent
from core.pictures.quality import QualityLimits
from core.records import Outcome

_CAUTION = (Nobody.HOLD, Nobody.SECOND_SCAN, Nobody.STOP)


def looser(new: Policy | None, old: Policy | None) -> list[str]:
    """What may decide some part less strictly than before; empty where no possible part is.

    What is neither stricter nor looser, such as another cost, counts as looser: a second person agrees to it.

    Args:
        new: what would decide; None where nothing would, and all is held.
        old: what decides; None where nothing does.
    """
    if new is None:
        if old is None or old.fails_nothing:
            return []
        return ["no policy would decide: what fails now would be held"]
    if old is None:
        return (
            [] if new.flags_everything else ["no policy decides now, so everything is held; this one lets parts pass"]
        )
    found = [say for rule in _RULES if (say := rule(new, old))]
    return [*found, *_about_classes(new, old)]


def looser_anywhere(in_force: Sequence[Policy], new: Policy) -> list[str]:
    """The same for every line and part type of the site, where `new` would stand beside what is in force.

    Args:
        in_force: at most one for each line and part type.
        new: to be put in force for its own line and part type.
    """
    after = [one for one in in_force if (one.line, one.part_type) != (new.line, new.part_type)] + [new]
    found: dict[str, None] = {}
    for line, part_type in _places(after):
        found.update(dict.fromkeys(looser(chosen(after, line, part_type), chosen(in_force, line, part_type))))
    return list(found)


def _places(policies: Iterable[Policy]) -> list[tuple[str | None, str | None]]:
    """A line and part type of each kind that policies can tell apart: those they name, and none of them.

    None stands for every line, or part type, that no policy names.
    """
    all_of = list(policies)
    lines = {None, *(one.line for one in all_of)}
    part_types = {None, *(one.part_type for one in all_of)}
    return [(line, part_type) for line in sorted(lines, key=str) for part_type in sorted(part_types, key=str)]


def _pass_below(new: Policy, old: Policy) -> str:
    if new.pass_below <= old.pass_below:
        return ""
    return f"it passes below {amount(new.pass_below)}, now below {amount(old.pass_below)}"


def _fail_above(new: Policy, old: Policy) -> str:
    if new.fail_above <= old.fail_above:
        return ""
    return f"it fails above {amount(new.fail_above)}, now above {amount(old.fail_above)}"


def _confidence(new: Policy, old: Policy) -> str:
    """Holding what would fail is less strict, so this limit may only fall, or come where nothing fails."""
    if new.minimum_confidence is None or old.fails_nothing:
        return ""
    if old.minimum_confidence is not None and new.minimum_confidence <= old.minimum_confidence:
        return ""
    return "its minimum confidence holds parts that would fail"


def _novelty(new: Policy, old: Policy) -> str:
    if new.novelty_limit == old.novelty_limit:
        return ""
    kept = new.novelty_limit is not None and new.novelty_limit <= (
        1.0 if old.novelty_limit is None else old.novelty_limit
    )
    if not kept:
        return "its novelty limit lets stranger pictures through"
    return "" if old.fails_nothing else "its novelty limit holds strange parts that would fail"


def _quality(new: Policy, old: Policy) -> str:
    if new.quality_limits == old.quality_limits:
        return ""
    if (
        new.quality_limits is None
        or old.quality_limits is None
        or not _as_strict(new.quality_limits, old.quality_limits)
    ):
        return "its quality limits may let poorer pictures through"
    return "" if old.fails_nothing else "its quality limits hold parts that would fail"


def _as_strict(new: QualityLimits, old: QualityLimits) -> bool:
    return (
        new.contrast >= old.contrast
        and new.sharpness >= old.sharpness
        and new.dark <= old.dark
        and new.bright <= old.bright
        and (new.partial or not old.partial)
    )


def _audits(new: Policy, old: Policy) -> str:
    for outcome, base, before in (
        (Outcome.PASS, new.audit_pass, old.audit_pass),
        (Outcome.FAIL, new.audit_fail, old.audit_fail),
    ):
        if audits_less(new.audit_steps, base, old.audit_steps, before, outcome):
            return "fewer decided parts are audited"
    return ""


def _routes(new: Policy, old: Policy) -> str:
    if new.fail_route is not old.fail_route:
        return f"failed parts go to {new.fail_route}, now to {old.fail_route}"
    if _CAUTION.index(new.when_nobody) < _CAUTION.index(old.when_nobody):
        return f"with nobody at the desk: {new.when_nobody}, now {old.when_nobody}"
    return ""


def _assumptions(new: Policy, old: Policy) -> str:
    if new.costs == old.costs and new.attendance == old.attendance:
        return ""
    return "it changes costs or staffed hours, which is not tightening"


def _about_classes(new: Policy, old: Policy) -> list[str]:
    found = []
    for name, before in sorted(old.classes.items()):
        after = new.classes.get(name, ClassRule())
        for word, was, becomes in (
            ("pass below", before.pass_below, after.pass_below),
            ("fail above", before.fail_above, after.fail_above),
            ("report limit", before.report_above, after.report_above),
        ):
            if was is not None and (becomes is None or becomes > was):
                found.append(f"{name}: {word} is {limits(becomes)}, now {limits(was)}")
    return found


_RULES: tuple[Callable[[Policy, Policy], str], ...] = (
    _pass_below, _fail_above, _confidence, _novelty, _quality, _audits, _routes, _assumptions,
)  # fmt: skip


def differences(new: Policy, old: Policy | None) -> list[str]:
    """What a policy changes, one short phrase each; against nothing, what it sets."""
    found = []
    for word, becomes, was in zip(_HEADS, _figures(new), _figures(old) if old else [""] * len(_HEADS), strict=True):
        if becomes != was:
            found.append(f"{word} {was} → {becomes}" if old is not None else f"{word} {becomes}")
    return found


def set_rules(policy: Policy) -> list[tuple[str, str]]:
    """What a policy sets beside its thresholds, as a word and a figure each."""
    bare = _figures(Policy(0, policy.site, policy.pass_below, policy.fail_above))
    return [(word, said) for word, said, plain in zip(_HEADS, _figures(policy), bare, strict=True) if said != plain]


_HEADS = (
    "pass below", "fail above", "minimum confidence", "novelty limit", "quality limits", "audited passes",
    "audited fails", "audited by score", "failed parts go to", "class limits", "with nobody at the desk",
    "cost of a miss", "cost of a false reject", "inspector's hour", "staffed hours", "inspectors (assumed)",
    "seconds a part (assumed)", "parts a shift (assumed)",
)  # fmt: skip


def _figures(policy: Policy) -> list[str]:
    costs, attendance, quality = policy.costs, policy.attendance or Attendance(), policy.quality_limits
    return [
        amount(policy.pass_below),
        amount(policy.fail_above),
        limits(policy.minimum_confidence),
        "the model's own" if policy.novelty_limit is None else f"{policy.novelty_limit:g}",
        "as measured on arrival" if quality is None else (
            f"contrast {quality.contrast:g}, sharpness {quality.sharpness:g}, dark {quality.dark:g}, "
            f"bright {quality.bright:g}{'' if quality.partial else ', cut-off pictures let through'}"
        ),
        percent(policy.audit_pass),
        percent(policy.audit_fail),
        steps_in_words(policy.audit_steps) or "none",
        str(policy.fail_route),
        "; ".join(
            f"{name} pass below {limits(one.pass_below)}, fail above {limits(one.fail_above)}, report above "
            f"{limits(one.report_above)}" for name, one in sorted(policy.classes.items())
        ) or "none",
        str(policy.when_nobody),
        "none" if costs is None else money(costs.miss),
        "none" if costs is None else money(costs.false_reject),
        "none" if costs is None or costs.inspector_hour is None else f"{costs.inspector_hour:,g}",
        hours(attendance.hours),
        f"{attendance.inspectors:g}",
        "as measured" if attendance.seconds_per_part is None else f"{attendance.seconds_per_part:g}",
        "as measured" if attendance.parts_per_shift is None else f"{attendance.parts_per_shift:g}",
    ]  # fmt: skip
