"""Alarms on simulated sites: false pauses in 90 days looked at hourly, and how soon 0.4% → 2% is seen.

Each of 1,000 sites is looked at every hour for 90 days. A false pause is one while the rule is kept: once well below
the limit (0.4%) and once exactly at it (1%), where nothing could be harder. The naive rules pause when the estimate of
the last hour, day or week is above the limit, and count once for each time that they come to be so.

Drift of embeddings is simulated with cameras whose pictures are drawn as a net would see them, looked at hourly; a
change is a shift, in standard deviations of one of the eight things that vary, or twice the spread of them all.

Two ways of measuring: every one of 60 parts an hour is known ("plain"), and a line of 1,200 parts an hour, 3% of them
defective, of which a person sees what is held and a fifth of what passes ("audits").
"""

import json
import time
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from app.jobs.quality import alarms
from core.watch.detector import BETS, QUARTER_S, growth, level, share_of_quarter, step
from core.watch.judged import Judged, miss_items
from core.watch.rules import DEFAULTS, RuleKind
from core.watch.streams import share_items
from tests.core.watch.cameras import Camera, Site

SITES, DAYS, SEED = 1000, 90, 2026
LIMIT, GOOD, BAD, RATE = 0.01, 0.004, 0.02, DEFAULTS[RuleKind.MISSES].rate
PLAIN, DEFECTIVE, AUDIT = 60, 36, 0.2
CAMERAS, CAMERA_DAYS, CHANGED = 60, 30, 40
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def main() -> dict[str, object]:
    rng = np.random.default_rng(SEED)
    return {
        "sites": SITES,
        "days": DAYS,
        "looks_a_site": DAYS * 24,
        "limit": LIMIT,
        "stated_false_pauses_in_90_days": round(RATE * DAYS * 86400 / QUARTER_S, 4),
        "plain": _one(rng, _plain, _plain_growth, _plain_estimates),
        "audits": _one(rng, _audits, _audit_growth, _audit_estimates),
        "embedding_drift": embedding_drift(),
        "looks_every": f"{alarms.EVERY_S:.0f} s in the worker; the promise does not depend on it",
    }


def embedding_drift() -> dict[str, object]:
    """False alarms of cameras that stay as they are, and how many pictures it takes to see that one does not."""
    raised, began = 0, time.perf_counter()
    for seed in range(CAMERAS):
        site = Site(Camera(seed), every=timedelta(hours=1), each=PLAIN)
        for _ in range(CAMERA_DAYS * 24):
            raised += len(site.look())
    seconds = time.perf_counter() - began
    seen: dict[str, object] = {}
    for name, shift, wider in (("0.4 sd, within the limit", 0.4, 1.0), ("0.8 sd", 0.8, 1.0), ("1 sd", 1.0, 1.0),
                               ("1.5 sd", 1.5, 1.0), ("2 sd", 2.0, 1.0), ("twice the spread", 0.0, 2.0)):  # fmt: skip
        taken = [_pictures_until_seen(1000 + seed, shift, wider) for seed in range(CHANGED)]
        seen[name] = {"seen": sum(one is not None for one in taken),
                      "median_pictures": float(np.median([np.inf if one is None else one for one in taken])),
                      }  # fmt: skip
    return {
        "cameras": CAMERAS,
        "days": CAMERA_DAYS,
        "false_alarms": raised,
        "promised_at_most": round(CAMERAS * DEFAULTS[RuleKind.DRIFT].rate * CAMERA_DAYS * 86400 / QUARTER_S, 2),
        "ms_a_look": round(1e3 * seconds / (CAMERAS * CAMERA_DAYS * 24), 2),
        f"of_{CHANGED}_cameras_that_change": seen,
    }


def _pictures_until_seen(seed: int, shift: float, wider: float) -> int | None:
    """In looks of a minute with 12 pictures, after 30 ordinary looks; None within 2,400 pictures."""
    camera = Camera(seed)
    site = Site(camera, each=12).gather()
    for _ in range(30):
        site.look()
    camera.shift, camera.wider = shift * camera.ways[0], wider
    for looks in range(1, 201):
        if site.look():
            return 12 * looks
    return None


def _one(rng: np.random.Generator, draw, growths, estimates) -> dict[str, object]:  # type: ignore[no-untyped-def]
    found: dict[str, object] = {}
    began = time.perf_counter()
    for name, truth in (("at_0.4%", GOOD), ("at_the_limit", LIMIT)):
        hits, n = draw(rng, np.full(DAYS * 24, truth))
        count = _detect(growths(hits, n)).sum(axis=1)
        found[name] = {
            "false_pauses": round(float(count.mean()), 4),
            "standard_error": round(float(count.std(ddof=1) / np.sqrt(SITES)), 4),
            "naive": {word: round(float(_rising(over).sum(axis=1).mean()), 2)
                      for word, over in estimates(hits, n).items()},
        }  # fmt: skip
    seconds = time.perf_counter() - began
    for name, quiet in (("change_on_day_5", 5), ("change_on_day_45", 45)):
        rates = np.where(np.arange(DAYS * 24) < quiet * 24, GOOD, BAD)
        hits, n = draw(rng, rates)
        raised = _detect(growths(hits, n))[:, quiet * 24 :]
        found[name] = {
            "median_hours": float(np.median(raised.argmax(axis=1) + 1)),
            "p90_hours": float(np.quantile(raised.argmax(axis=1) + 1, 0.9)),
            "never_seen": int((~raised.any(axis=1)).sum()),
            "naive_median_hours": {word: float(np.median(over[:, quiet * 24 :].argmax(axis=1) + 1))
                                   for word, over in estimates(hits, n).items()},
        }  # fmt: skip
    found["us_a_look"] = round(seconds / (2 * SITES * DAYS * 24) * 1e6, 2)
    return found


def _detect(grown: npt.NDArray[np.float64]) -> Bools:
    """(sites, looks) where an alarm is raised; each one begins anew."""
    levels = np.zeros((len(grown), len(BETS)))
    raised = np.zeros(grown.shape[:2], bool)
    for look in range(grown.shape[1]):
        levels = step(levels, grown[:, look], share_of_quarter(3600))
        raised[:, look] = level(levels) >= 1 / RATE
        levels[raised[:, look]] = 0
    return raised


def _rising(over: Bools) -> Bools:
    return over & ~np.concatenate([np.zeros((len(over), 1), bool), over[:, :-1]], axis=1)


def _plain(rng: np.random.Generator, rates: npt.NDArray[np.float64]) -> tuple[Ints, Ints]:
    hits = rng.binomial(PLAIN, rates, (SITES, len(rates)))
    return hits, np.full(hits.shape, PLAIN)


def _plain_growth(hits: Ints, n: Ints) -> npt.NDArray[np.float64]:
    gain, loss = growth(share_items(1, 1, LIMIT)), growth(share_items(0, 1, LIMIT))
    return hits[..., None] * gain + (n - hits)[..., None] * loss


def _plain_estimates(hits: Ints, n: Ints) -> dict[str, Bools]:
    return {word: _window(hits, hours) / _window(n, hours) > LIMIT for word, hours in _WINDOWS.items()}


def _audits(rng: np.random.Generator, rates: npt.NDArray[np.float64]) -> tuple[Ints, Ints]:
    """Misses that an audit found, and defective parts that were held."""
    defective = rng.poisson(DEFECTIVE, (SITES, len(rates)))
    missed = rng.binomial(defective, rates)
    return rng.binomial(missed, AUDIT), defective - missed


def _audit_growth(hits: Ints, held: Ints) -> npt.NDArray[np.float64]:
    from core.records import Outcome

    gain = growth(miss_items([Judged(Outcome.PASS, AUDIT, True, True)], LIMIT, 0.0))
    loss = growth(miss_items([Judged(Outcome.HOLD, 1.0, True, True)], LIMIT, 0.0))
    return hits[..., None] * gain + held[..., None] * loss


def _audit_estimates(hits: Ints, held: Ints) -> dict[str, Bools]:
    found = {}
    for word, hours in _WINDOWS.items():
        missed = _window(hits, hours) / AUDIT
        found[word] = missed / np.maximum(missed + _window(held, hours), 1) > LIMIT
    return found


_WINDOWS = {"last_hour": 1, "last_day": 24, "last_week": 168}


def _window(values: Ints, hours: int) -> Ints:
    total = np.cumsum(values, axis=1)
    total[:, hours:] -= total[:, :-hours].copy()
    return total


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
