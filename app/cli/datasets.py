"""Commands about datasets: build, show, check, diff, and which labels to doubt."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from app.cli.output import counted, progress, put, table
from app.cli.shared import Json, Site, current, pairs, store
from core.errors import GateFailed

Name = Annotated[str, typer.Argument(metavar="NAME")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    dataset = typer.Typer(help="Frozen lists of labelled images, each with its certificate.", no_args_is_help=True)
    for command in (build, show, check, diff, suspects):
        dataset.command()(command)
    cli.add_typer(dataset, name="dataset")


def build(
    name: Name,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="KEY=VALUE",
            help="Such as site=lyon, class=CRACK, taken_since=2026-03-01, confidence=3, provenance=people, quality=ok.",
        ),
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="Such as train=.7,val=.15,test=.15.")] = None,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    by: Annotated[
        str, typer.Option("--by", help="groups, or time: learn from the past and measure on what came after.")
    ] = "groups",
    keep: Annotated[
        str | None,
        typer.Option("--keep", help="What stays on one side together: part, order, near (look-alikes)."),
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option("--balance", help="Of training alone: good=2 (good pictures for each defective one), rare=50 "
                     "(each class so often)."),
    ] = None,
    quota: Annotated[
        str | None, typer.Option("--quota", help="Highest share with a quality flag, such as blurry=.1,partial=.05.")
    ] = None,
    least: Annotated[
        str | None, typer.Option("--least", help="Groups that a side must have, such as train=100,test=50.")
    ] = None,
    agreement: Annotated[
        str | None, typer.Option("--agreement", help="Limits for two people: all=.9,CRACK=.95,BURR+CHIP=.8.")
    ] = None,
    pseudo: Annotated[
        str | None, typer.Option("--pseudo", metavar="MODEL", help="Take this model's sure guesses too, to train on.")
    ] = None,
    pseudo_rule: Annotated[
        str | None, typer.Option("--pseudo-rule", help="Such as weight=.5,sure=.95,audit=.1 (share people check).")
    ] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Freeze the labelled images that match into a split, certified dataset."""
    from app.jobs.science.datasets import build_dataset

    chosen = pairs(filters or [], "--filter")
    with progress(f"Dataset {name}") as say:
        made = build_dataset(
            store(), current(), name, chosen, split, seed, by=by, keep=keep, balance=balance, quota=quota, least=least,
            agreement=agreement, pseudo=pseudo, pseudo_rule=pseudo_rule, progress=say,
        )  # fmt: skip
    put(made, as_json, lambda: _lines(made))


def show(name: Name, as_json: Json = False) -> None:
    """Show a dataset: what is in it, and its certificate."""
    from app.jobs.science.datasets import show_dataset

    found = show_dataset(store(), name)
    put(found, as_json, lambda: _lines(found))


def check(name: Name, as_json: Json = False) -> None:
    """Check that a dataset's files are the ones that were frozen and that nothing leaks across its split."""
    from app.jobs.science.datasets import check_dataset

    with progress(f"Dataset {name}") as say:
        found = check_dataset(store(), current(), name, progress=say)

    def lines() -> Iterator[str]:
        for key in ("ok", "hash_ok", "files", "problems", "leaks"):
            yield f"{key}: {found[key]}"
        yield from _checks(found["certificate"])

    put(found, as_json, lines)
    if not found["ok"]:
        raise GateFailed(f"Dataset {name} is not what was frozen, or leaks: build it anew under another name.")


def diff(
    name: Name,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The later one.")],
    as_json: Json = False,
) -> None:
    """Show how a dataset differs from another: settings, pictures, sides, labels."""
    from app.jobs.science.datasets import diff_datasets

    found = diff_datasets(store(), current(), name, other)

    def lines() -> Iterator[str]:
        if found["same"]:
            yield f"{name} and {other} hold the same."
        for what, (before, after) in found["settings"].items():
            yield f"{what}: {before} → {after}"
        both = found["pictures"]
        yield f"pictures: {both['in_both']} in both, {both['only_first']} gone, {both['only_second']} new"
        yield f"on another side: {sum(found['moved'].values())}; relabelled: {found['relabelled']}"
        for what, examples in found["examples"].items():
            for one in examples[:5]:
                yield f"  {what}: {one}"

    put(found, as_json, lines)


def suspects(site: Site, as_json: Json = False) -> None:
    """Look for labels to doubt: the model, the same picture elsewhere, odd boxes, people who differ."""
    from app.jobs.science.suspects import find_suspects

    with progress(f"Labels of {site}") as say:
        found = find_suspects(store(), current(), site, progress=say)

    def lines() -> Iterator[str]:
        yield f"{found['labels']} labels of {site}; in doubt: {counted(found['counts'])}"
        yield from found["notes"]
        yield from table([[one["image"], one["why"], one["sentence"]] for one in found["suspects"][:50]],
                         ("image", "why", "what"))  # fmt: skip

    put(found, as_json, lines)


def _lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    for key in ("name", "hash", "seed", "split", "by", "kept_together", "filters", "left_out"):
        if key in manifest:
            yield f"{key}: {manifest[key]}"
    rows = manifest.get("composition")
    if rows:
        heads = ("class", "raw", "balanced", "train", "val", "test")
        yield from table([[name or "all", *(row[head] for head in heads[1:])] for name, row in rows.items()], heads)
    else:
        yield f"counts: {manifest.get('counts')}"
    yield from _checks(manifest["certificate"])


def _checks(certificate: Mapping[str, Any]) -> Iterator[str]:
    if "checks" not in certificate:
        yield f"certificate: {dict(certificate)}"
        return
    yield f"certificate: {certificate['result']}"
    for one in certificate["checks"]:
        yield f"  {one['result']:<20} {one['name']}: {one['sentence']}"
        for path in one.get("images", ())[:3]:
            yield f"  {'':<20} {path}"
