"""Looking at a dataset again: is it what was frozen, does anything leak, how does it differ from another?"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.jobs.intake.line import Progress, quiet
from app.jobs.science.datasets import manifest
from app.settings import Settings
from core.errors import BadInput, Unreadable
from core.learn.datasets.certificate import Evidence, leaks, to_json
from core.learn.datasets.checks import Result
from core.learn.datasets.diff import differences
from core.learn.datasets.rows import rows_of
from core.pictures.decode import Limits, sha256_of
from core.pictures.decode import read as bytes_of

if TYPE_CHECKING:
    from data.store import Store

STEP = 500
_MOST = 20
NEVER = ("hash overlap", "group overlap", "pseudo-labels")  # of the checks; the others may be overruled with a reason


def show_dataset(store: "Store", name: str) -> dict[str, Any]:
    """A dataset without its items."""
    found = store.datasets.get(name).manifest
    return {key: value for key, value in found.items() if key != "items"}


def check_dataset(store: "Store", settings: Settings, name: str, *, progress: Progress = quiet) -> dict[str, Any]:
    """Whether a dataset still is what was frozen: its own hash, every file's, and nothing on two sides.

    Returns:
        {name, ok, hash_ok, files: {ok, missing, changed}, problems (the first few), leaks, certificate (the checks that
        need nothing but the list, made anew)}.
    """
    version = store.datasets.get(name)
    found = manifest.manifest_in(settings, name, version.manifest)
    items = found["items"]
    files: Counter[str] = Counter({"ok": 0, "missing": 0, "changed": 0})
    problems: list[str] = []
    for number, item in enumerate(items):
        if number % STEP == 0:
            progress(number, len(items), "checking files")
        state = _state_of(item)
        files[state] += 1
        if state != "ok" and len(problems) < _MOST:
            problems.append(f"{item['path']}: {state}")
    hash_ok = manifest.manifest_hash(found) == found["hash"] == version.sha256
    leaking = manifest.leaking(items)
    checks = again(found)
    sound = not leaking and not broken(found)
    return {
        "name": name,
        "ok": hash_ok and sound and files["ok"] == len(items),
        "hash_ok": hash_ok,
        "files": dict(files),
        "problems": problems,
        "leaks": leaking[:_MOST],
        "certificate": checks,
    }


def again(found: Mapping[str, Any]) -> dict[str, Any]:
    """The checks of a manifest that need nothing but its list, made anew."""
    evidence = Evidence(classes=found.get("classes") or (), cut=found.get("by") == "time")
    try:
        rows = rows_of(found["items"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"An item of the dataset is not whole ({error}): build the dataset again.") from error
    return to_json(leaks(rows, evidence))


def broken(found: Mapping[str, Any]) -> list[str]:
    """What no list may be, whoever made it and however it is hashed: a sentence each."""
    return [
        check["sentence"]
        for check in again(found)["checks"]
        if check["name"] in NEVER and check["result"] == Result.FAIL
    ]


def diff_datasets(store: "Store", settings: Settings, name: str, other: str) -> dict[str, Any]:
    """How the second dataset differs from the first: settings, pictures, sides, labels."""
    one, two = (manifest.manifest_in(settings, given, store.datasets.get(given).manifest) for given in (name, other))
    return {"from": name, "to": other, **differences(one, two)}


def _state_of(item: Mapping[str, Any]) -> str:
    try:
        data = bytes_of(Path(item["path"]), Limits())
    except Unreadable:
        return "missing"
    return "ok" if sha256_of(data) == item["sha256"] else "changed"
