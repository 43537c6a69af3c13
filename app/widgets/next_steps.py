"""What the front page proposes: the few things that this person can usefully do now."""

from dataclasses import dataclass

from app import context
from app.widgets.text import count, plain
from core.roles import Action


@dataclass(frozen=True)
class Step:
    """One proposal.

    Attributes:
        page: where its button leads.
        first: the one to do now.
    """

    icon: str
    what: str
    why: str
    act: str
    page: str
    first: bool = False


def next_steps() -> list[Step]:
    """The steps of this person's role that have something to do, the most useful first."""
    store = context.store()
    sites = [site.name for site in store.sites.all()]
    steps: list[Step] = []
    if context.may(Action.REVIEW):
        counts = store.queue.counts(None)
        if counts.waiting:
            steps.append(
                Step("rule", f"{count(counts.waiting, 'part')} held for a person", "The most urgent comes first.",
                     "Open the queue", "inspector/queue", first=True)
            )  # fmt: skip
        else:
            steps.append(
                Step("task_alt", "The queue is empty", f"You answered {counts.done_today:,} today. Try a picture of "
                     "your own meanwhile.", "Inspect a picture", "inspector/inspect")
            )  # fmt: skip
    if context.may(Action.TAXONOMY):
        names = sum(len(store.taxonomies.unmapped(site)) for site in sites)
        if names:
            steps.append(
                Step("account_tree", f"{count(names, 'name')} without a class", "They count as defective, but in no "
                     "class, until somebody maps them.", "Map names", "science/taxonomy")
            )  # fmt: skip
    if context.may(Action.RESTORE):
        broken = sum(store.quarantine.counts().values())
        if broken:
            steps.append(
                Step("report", f"{count(broken, 'file')} in quarantine", "Each with its reason, and a way back.",
                     "Look at them", "admin/quarantine")
            )  # fmt: skip
    if context.may(Action.POLICY):
        without = [site for site in sites if store.policies.in_force(site) is None]
        if without:
            steps.append(
                Step("tune", f"No policy at {plain(', '.join(without[:3]))}", "Without one, nothing passes by itself.",
                     "Propose thresholds", "quality/policy")
            )  # fmt: skip
    if context.may(Action.IMPORT) and not sites:
        steps.append(
            Step(
                "upload", "No pictures yet", "Import labelled ones to train on.", "Import", "science/import", first=True
            )
        )
    if context.may(Action.EXPORT):
        steps.append(
            Step("download", "Export what was corrected", "Labels with their provenance, in six formats.", "Export",
                 "science/export")
        )  # fmt: skip
    if not steps:
        steps.append(
            Step("monitoring", "See how the models do", "Each version with what it was measured to do.", "Open models",
                 "science/models")
        )  # fmt: skip
    return steps
