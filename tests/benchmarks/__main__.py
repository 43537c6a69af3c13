"""Run every benchmark, one after the other, and print one JSON document.

Each `bench_*.py` beside this file has a `main() -> dict` that measures Holdpoint and its peers side by side in one
process, alternating, and returns medians and ratios. Name some of them to run only those:
`make bench` or `python -m tests.benchmarks engine pictures`.
"""

import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path

import psutil


def busy_share(seconds: float = 2.0) -> float:
    """Share of the machine's processor time that others use while this process waits, in [0, 1]."""
    return float(psutil.cpu_percent(interval=seconds)) / 100


def main() -> int:
    """Print the results on standard output, progress on standard error."""
    found = sorted(file.stem.removeprefix("bench_") for file in Path(__file__).parent.glob("bench_*.py"))
    wanted = sys.argv[1:] or found
    unknown = sorted(set(wanted) - set(found))
    if unknown:
        print(f"No benchmark named {', '.join(unknown)}: choose from {', '.join(found)}.", file=sys.stderr)
        return 2
    results: dict[str, object] = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "python": platform.python_version(),
    }
    for name in wanted:
        busy = busy_share()
        print(f"{name}: others use {busy:.0%} of the processor before it starts", file=sys.stderr)
        started = time.monotonic()
        figures = importlib.import_module(f"tests.benchmarks.bench_{name}").main()
        results[name] = {
            **figures,
            "busy_before": round(busy, 3),
            "busy_after": round(busy_share(), 3),
            "seconds": round(time.monotonic() - started, 1),
        }
    print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
