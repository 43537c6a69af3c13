"""Commands about notes: import, label, functions, rules, differences, checks."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import progress, put, table
from app.cli.shared import Json, Site, store
from core.errors import BadInput


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Notes and logs: import, labelling functions, versions, checks.", no_args_is_help=True)
    group.command("import")(import_)
    group.command("label")(label)
    group.command("functions")(functions)
    group.command("rules")(rules)
    group.command("diff")(diff)
    group.command("emerging")(emerging)
    group.command("check")(check)
    cli.add_typer(group, name="notes")


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=".jsonl or .csv with text, cleared, at, id; or .txt.")],
    site: Site,
    cleared: Annotated[
        bool, typer.Option("--cleared", help="The file is cleared; a row that says it is not stays out.")
    ] = False,
    region: Annotated[
        str | None, typer.Option("--region", help="Country of telephone numbers without +, such as FR.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read notes: what is not cleared is only counted; what is kept loses everything personal before it is stored."""
    from app.jobs.words.notes import import_notes, label_notes

    plant = store()
    with progress(f"Reading {file.name}") as say:
        done = import_notes(plant, file.name, file.read_bytes(), site, cleared=cleared, region=region, progress=say)
    with progress("Labelling") as say:
        made = label_notes(plant, site, progress=say)
    put({**done, "label": made}, as_json, lambda: [
        f"{done['read']} rows: {done['new']} new notes, {done['known']} known, {done['uncleared']} not cleared"
        f"{_reasons('refused', done['refused'])}.",
        f"Covered{_reasons('', done['covered']) or ' nothing'}.",
        *_told(made),
    ])  # fmt: skip


def label(
    site: Site,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="All anew, with weights from every check there is by now.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Label what is new; everything, as a further version, where rules or functions have changed."""
    from app.jobs.words.notes import label_notes

    with progress("Labelling") as say:
        made = label_notes(store(), site, fresh=fresh, progress=say)
    put(made, as_json, lambda: _told(made))


def functions(site: Site, as_json: Json = False) -> None:
    """How each labelling function gets on: coverage, overlaps, conflicts, accuracy on the labelled part, weight."""
    from app.jobs.words.notes import function_table
    from core.learn.metrics.proportions import proportion_interval

    version = store().notes.shown(site)
    if version is None:
        raise BadInput(f"No notes of {site} were labelled yet: import some with `holdpoint notes import`.")
    kinds = {name: (kind, says) for name, kind, says in version.document["functions"]}
    found = function_table(version)
    document = [
        {"name": one.name, "kind": kinds[one.name][0], "says": kinds[one.name][1], "notes": one.texts,
         "words": one.words, "overlaps": one.overlaps, "conflicts": one.conflicts, "right": one.record.right,
         "said": one.record.said, "interval": proportion_interval(one.record.right, one.record.said),
         "weight": [round(value, 3) for value in one.weight]}
        for one in found
    ]  # fmt: skip
    rows = [[one.name, kinds[one.name][0], one.texts, one.words, one.overlaps, one.conflicts,
             f"{one.record.right}/{one.record.said}", f"{one.weight[0]:.1f}–{one.weight[1]:.1f}"]
            for one in found]  # fmt: skip
    heads = ["function", "goes by", "notes", "words", "overlaps", "conflicts", "right/said", "weight"]
    put(document, as_json, lambda: table(rows, heads))


def rules(
    site: Site,
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="LABEL=WORD", help="A word of the site's own.")
    ] = None,
    off: Annotated[list[str] | None, typer.Option("--off", metavar="FUNCTION", help="Does not vote any more.")] = None,
    on: Annotated[list[str] | None, typer.Option("--on", metavar="FUNCTION", help="Votes again.")] = None,
    combine: Annotated[
        str | None, typer.Option("--combine", help="weighted vote, Dawid-Skene or majority vote.")
    ] = None,
    limit: Annotated[float | None, typer.Option("--limit", help="Probability that a label needs.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence.")] = "",
    as_json: Json = False,
) -> None:
    """Show the rules, or change them; `holdpoint notes label` then labels everything anew."""
    from app.jobs.words.notes import voters
    from core.words.labelling.registry import LabelRules, rules_document, rules_of, with_entry

    plant = store()
    kept = plant.notes.rules(site)
    made = kept.rules
    for one in add or ():
        name, sign, word = one.partition("=")
        if not sign:
            raise BadInput(f"--add {one} is no LABEL=WORD.")
        made = with_entry(made, name.strip(), word)
    known = {one.name for one in voters(LabelRules(made.entries))}
    for one in (*(off or ()), *(on or ())):
        if one not in known:
            raise BadInput(f"There is no function '{one}': `holdpoint notes functions` lists them.")
    silent = (set(made.off) | set(off or ())) - set(on or ())
    document = {**rules_document(made), "off": sorted(silent), "limit": limit if limit is not None else made.limit,
                "combine": combine or made.combine}  # fmt: skip
    number = kept.number
    if document != rules_document(kept.rules):
        number = plant.notes.set_rules(site, rules_of(document), reason, seen=kept.number).number
    put({"number": number, **document}, as_json, lambda: [
        f"Rules {number} of {site}: votes joined by {document['combine']}, a label needs {document['limit']:.2f}.",
        *(f"own {name}: {', '.join(words)}" for name, words in document["entries"].items()),
        *([f"silent: {', '.join(document['off'])}"] if document["off"] else []),
    ])  # fmt: skip


def diff(
    site: Site,
    before: Annotated[int, typer.Argument(help="A version of the labels.")],
    after: Annotated[int, typer.Argument(help="Another one.")],
    as_json: Json = False,
) -> None:
    """What another version of the labels changed: spans added, removed and changed, by label."""
    from dataclasses import asdict

    from app.jobs.words.notes import compare

    found = compare(store(), site, before, after)
    rows = [[name, one.added, one.removed, one.changed] for name, one in found.by_label.items()]
    put(asdict(found), as_json, lambda: [
        f"{found.differing} of {found.notes} notes differ.", *table(rows, ["label", "added", "removed", "changed"]),
    ])  # fmt: skip


def emerging(site: Site, as_json: Json = False) -> None:
    """Words that have come up lately and that no list knows."""
    from dataclasses import asdict

    from app.jobs.words.notes import emerging_names

    found = emerging_names(store(), site)
    rows = [[one.word, one.now, one.before, f"{one.surprise:.1f}", one.near, one.contexts[0]] for one in found]
    heads = ["word", "now", "before", "surprise", "among", "for example"]
    put([asdict(one) for one in found], as_json, lambda: table(rows, heads))


def check(site: Site, as_json: Json = False) -> None:
    """How good the labels are on notes that were drawn at random and checked by hand, with a 95% interval."""
    from app.jobs.words.notes import accuracy

    found = accuracy(store(), site)
    document = {"right": found.right, "checked": found.checked, "interval": found.interval,
                "labels": {name: {"right": right, "given": given, "true": true}
                           for name, (right, given, true) in found.labels.items()}}  # fmt: skip
    put(document, as_json, lambda: [_accuracy(found.right, found.checked, found.interval)])


def _accuracy(right: int, checked: int, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "Nobody has checked a note of the measuring half yet: the page of notes draws some."
    return f"{right} of {checked} checked notes are labelled right ({interval[0]:.2f}–{interval[1]:.2f})."


def _told(made: dict[str, Any]) -> list[str]:
    aside = _reasons("; set aside", made["aside"])
    waits = _reasons("; a person has to say", made["waiting"])
    return [f"Version {made['version']}: {made['labelled']} of {made['notes']} notes labelled{aside}{waits}.",
            *(f"{name}: {one['added']} added, {one['removed']} removed, {one['changed']} changed"
              for name, one in made["changed"].items())]  # fmt: skip


def _reasons(what: str, counts: dict[str, int]) -> str:
    return f"{what}: {', '.join(f'{n} {name}' for name, n in counts.items())}" if counts else ""
