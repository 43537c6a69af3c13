"""k-center greedy: exact picks, time and memory beside the naive loop, scikit-activeml and anomalib where they are.

    python -m tests.benchmarks select           50,000 x 512, 500 picks
    SELECT_LARGE=1 python -m tests.benchmarks select    and 250,000 x 2,048, 1,000 picks

Peers are imported where they are installed, or from the folder that SELECT_PEERS names; what is absent is said. The
bound is one reading of all embeddings for each pick, measured here: the naive loop cannot be quicker than that.
"""

import importlib.util
import json
import os
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.learn.select.farthest import greedy_k_center, squared

SMALL, LARGE = (50_000, 512, 500), (250_000, 2048, 1000)
KINDS = ("normal", "clusters", "duplicates")
NAIVE_PICKS = 8  # of the naive loop are timed; its time grows by the pick
CHECKED = 20  # picks that are compared with the naive loop's at full size
BLOCK = 4096  # rows that the naive loop reads together, so that it stays in the cache


def points(kind: str, n: int, d: int) -> np.ndarray:
    """Embeddings of a kind; always the same."""
    rng = np.random.default_rng(0)
    made = np.empty((n, d), np.float32)
    for start in range(0, n, 10_000):
        rng.standard_normal(out=made[start : start + 10_000], dtype=np.float32)
    if kind == "clusters":
        centres = 3 * rng.standard_normal((100, d), dtype=np.float32)
        which = rng.integers(0, 100, n)
        for start in range(0, n, 10_000):
            made[start : start + 10_000] += centres[which[start : start + 10_000]]
    if kind == "duplicates":
        made[n // 2 :] = made[: n - n // 2]
    return made


def naive(held: np.ndarray, picks: int) -> list[int]:
    """The loop of the docstring, a block of rows at a time."""
    nearest = np.full(len(held), np.inf, np.float32)
    found: list[int] = []
    pick = 0
    while True:
        found.append(pick)
        if len(found) == picks:
            return found
        for start in range(0, len(held), BLOCK):
            part = slice(start, start + BLOCK)
            np.minimum(nearest[part], squared(held[part], held[pick]), out=nearest[part])
        nearest[found] = -1
        pick = int(nearest.argmax())


def product_loop(held: np.ndarray, picks: int) -> list[int]:
    """One matrix-vector product over everything for each pick: as quick as a plain loop can be, and not exact."""
    squares = np.einsum("ij,ij->i", held, held)
    nearest = np.full(len(held), np.inf, np.float32)
    found, pick = [], 0
    for _ in range(picks):
        found.append(pick)
        np.minimum(nearest, squares + squares[pick] - 2 * (held @ held[pick]), out=nearest)
        nearest[found] = -1
        pick = int(nearest.argmax())
    return found


def seconds(run: Callable[[], object]) -> float:
    """Once: these take long."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def one_pass(held: np.ndarray) -> float:
    """Seconds to read everything once, by a matrix-vector product; the median of five."""
    centre = held[0].copy()
    return float(np.median([seconds(lambda: held @ centre) for _ in range(5)]))


def peers(held: np.ndarray, picks: int) -> dict[str, Callable[[], object] | str]:
    """Other people's k-center; a sentence where one is absent."""
    if place := os.environ.get("SELECT_PEERS"):
        sys.path.append(place)
    found: dict[str, Callable[[], object] | str] = {}
    try:
        from skactiveml.pool import CoreSet

        strategy = CoreSet(missing_label=np.nan, random_state=0)
        known = np.full(len(held), np.nan)
        known[0] = 0
        found["scikit-activeml"] = lambda: strategy.query(held, known, batch_size=picks - 1)
    except ImportError:
        found["scikit-activeml"] = "not installed: not measured"
    try:
        import torch

        sampler, tensor = anomalib_sampler(), torch.from_numpy(held)
        found["anomalib"] = lambda: sampler(tensor, (picks + 0.5) / len(held)).select_coreset_idxs()
    except ImportError:
        found["anomalib"] = "not installed: not measured"
    return found


def anomalib_sampler() -> Any:
    """Its KCenterGreedy; from its two files alone where the folder of peers has them without all they need."""
    try:
        from anomalib.models.components.sampling import KCenterGreedy

        return KCenterGreedy
    except ImportError:
        place = Path(os.environ.get("SELECT_PEERS", ""), "anomalib", "models", "components")
        files = {
            "anomalib.models.components.dimensionality_reduction": "dimensionality_reduction/random_projection.py",
            "anomalib.models.components.sampling": "sampling/k_center_greedy.py",
        }
        if not all((place / file).is_file() for file in files.values()):
            raise
        for name in ("anomalib", "anomalib.models", "anomalib.models.components"):
            sys.modules[name] = types.ModuleType(name)
        for name, file in files.items():
            spec = importlib.util.spec_from_file_location(name, place / file)
            assert spec is not None
            assert spec.loader is not None
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
        return sys.modules["anomalib.models.components.sampling"].KCenterGreedy


def memory(kind: str, n: int, d: int, picks: int) -> float:
    """Peak memory of a process of its own, as a multiple of the embeddings, the interpreter's own taken off."""
    program = (
        "import sys, json\n"
        "from tests.benchmarks.bench_select import peak\n"
        f"print(json.dumps(peak({kind!r}, {n}, {d}, {picks})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout))


def peak(kind: str, n: int, d: int, picks: int) -> float:
    """What `memory` runs: (most ever - before the embeddings) / embeddings."""
    greedy_k_center(np.random.default_rng(0).normal(size=(600, 16)).astype(np.float32), 5)  # loads what is loaded once
    before = most_memory()
    held = points("normal" if kind == "duplicates" else kind, n, d)
    greedy_k_center(held, picks)
    return (most_memory() - before) / held.nbytes


def most_memory() -> int:
    """Bytes that this program ever had at once; getrusage would count those of the process that started it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def measure(n: int, d: int, picks: int, kinds: tuple[str, ...], beside: tuple[str, ...]) -> dict[str, Any]:
    """One size."""
    found: dict[str, Any] = {"points": n, "numbers": d, "picks": picks}
    for kind in kinds:
        held = points(kind, n, d)
        greedy_k_center(held[:2000], 5)
        mine = seconds(lambda held=held: greedy_k_center(held, picks))
        rows, _ = greedy_k_center(held, CHECKED)
        assert rows.tolist() == naive(held, CHECKED), kind
        each = one_pass(held)
        plain = seconds(lambda held=held: product_loop(held, NAIVE_PICKS)) / NAIVE_PICKS * picks
        exact = seconds(lambda held=held: naive(held, NAIVE_PICKS)) / NAIVE_PICKS * picks
        found[kind] = {
            "seconds": round(mine, 3),
            "one pass for each pick, seconds": round(each * picks, 3),
            "times below the one-pass bound": round(each * picks / mine, 2),
            "loop with one product for each pick, seconds (from a few picks)": round(plain, 2),
            "naive exact loop, seconds (from a few picks)": round(exact, 2),
            f"first {CHECKED} picks as the naive loop's": True,
        }
        if kind == "normal":
            for name, run in peers(held, picks).items():
                if name not in beside:
                    continue
                if isinstance(run, str):
                    found[name] = run
                    continue
                theirs = seconds(run)
                found[name] = {"seconds": round(theirs, 2), "times slower": round(theirs / mine, 1)}
        del held
    found["peak memory, times the embeddings"] = round(memory("normal", n, d, picks), 3)
    return found


def main() -> dict[str, Any]:
    only = os.environ.get("SELECT_LARGE") == "only"
    found: dict[str, Any] = {} if only else {"small": measure(*SMALL, KINDS, ("scikit-activeml", "anomalib"))}
    if os.environ.get("SELECT_LARGE"):
        found["large"] = measure(*LARGE, ("normal", "clusters"), ("anomalib",))  # the other wants float64
    else:
        found["large"] = {"skipped": "SELECT_LARGE is not set: 2 GB of embeddings were not measured."}
    return found


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
