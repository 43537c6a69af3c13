"""How two datasets differ: in what was asked for, which pictures are in them, on which side, and with what label."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

_ASKED = (
    "format",
    "seed",
    "split",
    "by",
    "kept_together",
    "seen_by",
    "filters",
    "balance",
    "quotas",
    "pseudo",
    "least",
    "classes",
)
_LABEL = ("defective", "probability", "classes", "unmapped", "regions")
_MOST = 20


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """From the first manifest to the second.

    Returns:
        {same, settings: {name: [before, after]}, pictures: {in_both, only_first, only_second},
        moved: {"train → val": n}, relabelled, weighed, counts: {side: [before, after]},
        examples: {only_first, only_second, moved, relabelled}}.
    """
    first, second = (_by_picture(found) for found in (one, other))
    both = [key for key in first if key in second]
    moved: Counter[str] = Counter()
    examples: dict[str, list[str]] = {"only_first": [], "only_second": [], "moved": [], "relabelled": []}
    relabelled = weighed = 0
    for key in both:
        before, after = first[key], second[key]
        if before["split"] != after["split"]:
            moved[f"{before['split']} → {after['split']}"] += 1
            examples["moved"].append(f"{after['path']}: {before['split']} → {after['split']}")
        if any(_plain(before.get(name)) != _plain(after.get(name)) for name in _LABEL):
            relabelled += 1
            examples["relabelled"].append(f"{after['path']}: {_said(before)} → {_said(after)}")
        weighed += (before.get("weight", 1), before.get("repeat", 1)) != (
            after.get("weight", 1),
            after.get("repeat", 1),
        )
    examples["only_first"] = [str(first[key]["path"]) for key in first if key not in second]
    examples["only_second"] = [str(second[key]["path"]) for key in second if key not in first]
    gone, new = len(examples["only_first"]), len(examples["only_second"])
    settings = {name: [one.get(name), other.get(name)] for name in _ASKED if one.get(name) != other.get(name)}
    sides = sorted({*one.get("counts", {}), *other.get("counts", {})})
    return {
        "same": not (settings or gone or new or moved or relabelled or weighed),
        "settings": settings,
        "pictures": {"in_both": len(both), "only_first": gone, "only_second": new},
        "moved": dict(sorted(moved.items())),
        "relabelled": relabelled,
        "weighed": weighed,
        "counts": {side: [_images(one, side), _images(other, side)] for side in sides},
        "examples": {name: found[:_MOST] for name, found in examples.items()},
    }


def _by_picture(found: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(str(item["path"]), str(item["sha256"])): item for item in found["items"]}


def _plain(value: Any) -> Any:
    return value or None  # an older manifest leaves out what a newer one says is empty


def _said(item: Mapping[str, Any]) -> str:
    names = [*(item.get("classes") or ()), *(item.get("unmapped") or ())]
    return ", ".join(names) or ("defective" if item["defective"] else "good")


def _images(found: Mapping[str, Any], side: str) -> int:
    return int(found.get("counts", {}).get(side, {}).get("images", 0))
