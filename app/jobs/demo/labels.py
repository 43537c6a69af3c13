"""The worked example of presence: box tops of the demo plant, in which the shipping label is to be found.

python -m app.jobs.demo.labels                       draws them into HOLDPOINT_HOME as the dataset demo-labels
holdpoint detector train --dataset demo-labels --arch test_resnet --weights scratch --name labels
holdpoint detector missing labels --dataset demo-labels --class SHIPPING_LABEL
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from app.jobs.demo.manifest import folder_of, frozen, item_of
from app.jobs.intake.line import Progress, quiet
from app.settings import Settings, settings
from data.demo.shipping_labels import LABEL, label_pictures

NAME = "demo-labels"
PICTURES, SEED = 400, 11


def draw_labels(
    settings: Settings, pictures: int = PICTURES, seed: int = SEED, name: str = NAME, progress: Progress = quiet
) -> dict[str, Any]:
    """Draw the pictures and freeze the dataset in the plant's home.

    Returns:
        The manifest; an item without a region has no label on it.
    """
    folder = folder_of(settings.home, name)
    items = []
    for number, one in enumerate(label_pictures(pictures, seed), start=1):
        regions = [] if one.label is None else [one.label]
        none = {"defective": False, "classes": []}  # a label is no defect; that one is missing is told by its absence
        path = folder / one.file
        items.append(
            item_of(path, one.data, one.split, one.group, one.view, one.size_wh, regions, flaw=one.flaw, **none)
        )
        progress(number, pictures, "drawing box tops")
    return frozen(settings.home, name, [LABEL], items)


def main(arguments: Sequence[str]) -> None:
    """Draw them into the plant's home."""
    parser = argparse.ArgumentParser(prog="python -m app.jobs.demo.labels", description="Draw box tops with labels.")
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed draws the same pictures")
    parser.add_argument("--name", default=NAME, help="of the dataset")
    given = parser.parse_args(arguments)

    def say(done: int, total: int, message: str) -> None:
        sys.stderr.write(f"\r{done}/{total} {message:<60}")

    made = draw_labels(settings(), given.pictures, given.seed, given.name, say)
    missing = sum(not item["regions"] for item in made["items"])
    told = {"dataset": made["name"], "pictures": len(made["items"]), "without_label": missing, "hash": made["hash"]}
    sys.stderr.write("\n")
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
