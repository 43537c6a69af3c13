"""Whether a dataset may be trained on: a failed check stops that, unless somebody says why it may be so."""

from collections.abc import Mapping
from typing import Any

from app.jobs.science.datasets.checking import NEVER, again
from core.errors import BadInput, GateFailed
from core.learn.datasets.checks import Result, failed

LEAST_REASON = 10  # letters


def admit(manifest: Mapping[str, Any], despite: str | None, by: str) -> dict[str, Any]:
    """What the model's card says of the dataset's certificate.

    The checks that need nothing but the list are made anew, so that a list which nobody certified, or which somebody
    changed and hashed again, is stopped as well.

    Args:
        manifest: of the dataset.
        despite: why a training goes on although a check failed.
        by: who says so.

    Returns:
        {result, failed: [names]}, and {overruled: {reason, by}} where somebody did.

    Raises:
        GateFailed: a check failed, and nobody gave a reason.
        BadInput: the reason is too short to be one.
    """
    anew = [one for one in again(manifest)["checks"] if one["name"] in NEVER and one["result"] == Result.FAIL]
    stored = failed(manifest.get("certificate") or {})
    wrong = {str(one["name"]): str(one["sentence"]) for one in (*stored, *anew)}
    result = (manifest.get("certificate") or {}).get("result")
    told: dict[str, Any] = {"result": str(Result.FAIL) if wrong else result, "failed": sorted(wrong)}
    if not wrong:
        return told
    if despite is None:
        name, sentence = next(iter(wrong.items()))
        more = f" ({len(wrong)} checks failed)" if len(wrong) > 1 else ""
        raise GateFailed(
            f"Dataset {manifest.get('name')} failed its certificate{more}: {name}. {sentence} Or train --despite a "
            "reason, which stays in the model's card."
        )
    if len(despite.strip()) < LEAST_REASON:
        raise BadInput(f"{despite!r} is no reason: say in a sentence why {', '.join(sorted(wrong))} may be so.")
    return {**told, "overruled": {"reason": despite.strip(), "by": by}}
