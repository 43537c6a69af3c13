"""Building a dataset: choose, keep together, divide, balance, certify, freeze."""

import gc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from app.jobs.intake.line import Progress, quiet
from app.jobs.science.datasets import evidence, features, looking, manifest, pseudo
from app.jobs.science.datasets.choosing import chosen, least_sure
from app.jobs.science.datasets.plan import Plan, plan_of
from app.settings import Settings
from core.errors import BadInput
from core.learn import splits
from core.learn.datasets import balance
from core.learn.datasets.certificate import Evidence, certify, to_json
from core.learn.datasets.cutting import cut_by_time
from core.learn.datasets.leakage import MOST_TOGETHER
from core.learn.datasets.opinions import Opinion
from core.learn.datasets.rows import TRAIN, rows_of
from core.learn.near_duplicates import Pairs, clusters
from core.plant import LabelledImage
from core.records import NO_DEFECT, ImageState
from core.taxonomy import DEFECTIVE

if TYPE_CHECKING:
    from data.store import Store


def build_dataset(
    store: "Store",
    settings: Settings,
    name: str,
    filters: Mapping[str, str] | None = None,
    split: Mapping[str, float] | str | None = None,
    seed: int = 0,
    *,
    progress: Progress = quiet,
    **more: Any,
) -> dict[str, Any]:
    """Freeze the labels that the filters choose under a name.

    Args:
        store: bound to whoever builds.
        settings: of the plant; the manifest lies in its datasets folder and in the store.
        name: letters, digits, dot, dash and underscore.
        filters: see app.jobs.science.datasets.choosing; a repeated value is divided by bars, as in site=Lyon|Graz.
        split: shares of train, val and test; without it, sides that an import listed are kept, and the rest is
            divided 70 : 15 : 15.
        seed: of everything that is chance.
        progress: told every few pictures.
        **more: by, keep, balance, quota, pseudo, pseudo_rule, least, agreement; see `plan_of`.

    Returns:
        The manifest. The same labels, name and seed give the same bytes.

    Raises:
        BadInput: for a name, filter or split that makes no sense, or when nothing is left to learn from.
        Conflict: where the name is taken by other labels: a dataset never changes.
    """
    manifest.check_name(name)
    plan = plan_of(filters, split, seed, **more)
    with _no_collecting():
        made = _Build(store, settings, name, plan, progress).made()
        manifest.keep(store, settings, made)
    if plan.pseudo is not None:
        pseudo.ask_people(store, made)
    progress(len(made["items"]), len(made["items"]), "frozen")
    return made


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Millions of records are made and none of them is a cycle: looking for cycles takes a third of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@dataclass
class _Build:
    """One dataset on its way."""

    store: "Store"
    settings: Settings
    name: str
    plan: Plan
    progress: Progress
    left_out: Counter[str] = field(default_factory=Counter)

    def made(self) -> dict[str, Any]:
        """The manifest, certified and hashed."""
        self.progress(0, 0, "reading labels")
        people, opinions = self._labelled()
        raw = _kinds_counted(people)
        everyone = people + self._guessed(people)
        seen = looking.look(self.settings, [one.image for one in everyone], self.progress)
        self.progress(0, len(everyone), "looking for near-duplicates")
        asked = features.recorded(self.store, self.name)
        near, seen_by = features.duplicates(self.store, self.settings, everyone, asked, self.progress)
        pairs = features.joined(looking.duplicates(seen, everyone), near)
        self.progress(0, len(everyone), "dividing")
        groups, ties = self._groups(everyone, pairs)
        sides, moved = self._sides(everyone[: len(people)], groups[: len(people)])
        kept = self._kept(everyone, groups, sides, len(people))
        items = [
            manifest.item_of(everyone[number], groups[number], sides.get(groups[number], TRAIN)) for number in kept
        ]
        self._weigh(items, kept, len(people))
        made: dict[str, Any] = {
            "format": manifest.VERSION,
            "name": self.name,
            "hash": "",
            "seed": self.plan.seed,
            "split": dict(self.plan.shares) if self.plan.shares is not None else "kept",
            "kept_together": list(ties),
            **({"seen_by": dict(seen_by)} if seen_by else {}),
            **self.plan.to_json(),
            "filters": dict(sorted(self.plan.filters.items())),
            "classes": self._classes({one.image.site for one in people}),
            "left_out": dict(sorted(self.left_out.items())),
            "certificate": {},
            "composition": _composition(raw, items),
            "counts": manifest.counts_of(items),
            "items": items,
        }
        if self.plan.pseudo is not None:
            made["pseudo"] = {**made["pseudo"], "audited": pseudo.audited(items, self.plan.pseudo, self.plan.seed)}
        left = [everyone[number] for number in kept]
        made["certificate"] = self._certificate(made, left, seen, kept, pairs, opinions, len(set(groups)), len(moved))
        made["hash"] = manifest.manifest_hash(made)
        return made

    def _labelled(self) -> tuple[list[LabelledImage], dict[int, list[Opinion]]]:
        """Usable pictures in the order of the manifest, and what people said of their parts."""
        sure = least_sure(self.plan.filters)
        found = [one for one in chosen(self.store, self.plan.filters) if one.image.width > 0]
        usable = [one for one in found if one.image.state is ImageState.OK]
        self.left_out.update(str(one.image.state) for one in found if one.image.state is not ImageState.OK)
        opinions = self.store.datasets.opinions({one.image.part_id for one in usable})
        if sure is not None:
            said = {opinion.review: opinion.sure for own in opinions.values() for opinion in own}
            certain = [one for one in usable if (said.get(one.label.review_id) or sure) >= sure]
            self._left("unsure annotator", len(usable) - len(certain))
            usable = certain
        usable.sort(key=lambda one: (one.image.site, one.image.path, one.image.sha256, one.image.id))
        flags = [() if one.image.quality is None else one.image.quality.flags for one in usable]
        over = balance.over_quota(flags, [_named(one) for one in usable], self.plan.quotas, self.plan.seed)
        self._left("over quota", len(over))
        usable = [one for number, one in enumerate(usable) if number not in over]
        if not usable:
            raise BadInput(
                f"No labelled picture is left for dataset {self.name}: loosen the filters, or import and review first."
            )
        return usable, opinions

    def _guessed(self, people: Sequence[LabelledImage]) -> list[LabelledImage]:
        if self.plan.pseudo is None:
            return []
        sites = sorted({one.image.site for one in people})
        found = list(pseudo.guessed(self.store, sites, self.plan.pseudo))
        return sorted(found, key=lambda one: (one.image.site, one.image.path, one.image.sha256, one.image.id))

    def _groups(self, everyone: Sequence[LabelledImage], pairs: Pairs) -> tuple[list[str], tuple[str, ...]]:
        """The group of each picture, and what was kept together."""
        cluster = clusters(len(everyone), pairs)
        alone = np.bincount(cluster, minlength=len(everyone))[cluster] == 1

        def groups(ties: Sequence[str]) -> list[str]:
            keys = []
            for number, one in enumerate(everyone):
                own = _keys(one)
                if "order" in ties and one.image.capture.order is not None:
                    own.append(f"order {one.image.site}/{one.image.capture.order}")
                if "near" in ties and not alone[number]:
                    own.append(f"near {_named(everyone[int(cluster[number])])}")
                keys.append(own)
            return splits.joined_groups(keys)

        if self.plan.keep is not None:
            return groups(self.plan.keep), self.plan.keep
        for ties in (("part", "order", "near"), ("part", "near"), ("part", "order")):
            found = groups(ties)
            if max(Counter(found).values()) <= MOST_TOGETHER * len(everyone):
                return found, ties
        return groups(("part",)), ("part",)

    def _sides(self, people: Sequence[LabelledImage], groups: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        """Side by group, and the groups that the source had torn apart."""
        plan = self.plan
        if plan.by == "time":
            times = [one.image.capture.taken_at for one in people]
            known = [time for time in times if time is not None]
            if len(known) < len(times):
                unknown = len(times) - len(known)
                raise BadInput(f"The time of {unknown:,} of {len(times):,} pictures is not known: divide by groups.")
            sides, across = cut_by_time(groups, known, plan.shares or splits.DEFAULT)
            self._left("across a cut in time", sum(group in set(across) for group in groups))
            return sides, []
        kept: dict[str, str] = {}
        moved: list[str] = []
        if plan.shares is None:
            kept, moved = splits.kept_sides(groups, [one.label.source.get("split") for one in people])
        rest = [number for number, group in enumerate(groups) if group not in kept]
        if rest:
            drawn = splits.split_groups(
                [groups[n] for n in rest], [_strata(people[n]) for n in rest], plan.shares or splits.DEFAULT, plan.seed
            )
            kept = {**kept, **drawn}
        return kept, moved

    def _kept(
        self, everyone: Sequence[LabelledImage], groups: Sequence[str], sides: Mapping[str, str], people: int
    ) -> list[int]:
        """Numbers of the pictures that stay: on a side, guesses in training only, good ones not beyond the balance."""
        names = [_named(one) for one in everyone]
        kept = [number for number in range(people) if groups[number] in sides]
        if self.plan.balance.good is not None:
            learned = [number for number in kept if sides[groups[number]] == TRAIN]
            spare = balance.spare_good(
                [everyone[number].label.defective for number in learned],
                [names[number] for number in learned],
                self.plan.balance.good,
                self.plan.seed,
            )
            out = {learned[number] for number in spare}
            self._left("good pictures beyond the balance", len(out))
            kept = [number for number in kept if number not in out]
        guesses = range(people, len(everyone))
        taken = [number for number in guesses if sides.get(groups[number], TRAIN) == TRAIN]
        if self.plan.by == "time":  # a guess about a later picture would tell training of the future
            later = [everyone[number].image.capture.taken_at for number in kept if sides[groups[number]] != TRAIN]
            first = min((at for at in later if at is not None), default=None)
            taken = [
                number
                for number in taken
                if first is None or ((at := everyone[number].image.capture.taken_at) is not None and at < first)
            ]
        self._left("guesses about parts of validation or test", len(guesses) - len(taken))
        order = {number: (everyone[number].image.site, names[number]) for number in (*kept, *taken)}
        return sorted(order, key=lambda number: order[number])

    def _weigh(self, items: list[dict[str, Any]], kept: Sequence[int], people: int) -> None:
        """Guesses weigh less than words; rare classes are shown more often; both in training only."""
        for item, number in zip(items, kept, strict=True):
            if number >= people and self.plan.pseudo is not None:
                item.update(split=TRAIN, pseudo=True, weight=self.plan.pseudo.weight)
        if self.plan.balance.rare is None:
            return
        learned = [item for item in items if item["split"] == TRAIN and not item["pseudo"]]
        kinds = [(*item["classes"], *item["unmapped"]) for item in learned]
        for item, often in zip(learned, balance.repeats(kinds, self.plan.balance.rare), strict=True):
            item["repeat"] = often

    def _certificate(
        self,
        made: Mapping[str, Any],
        left: Sequence[LabelledImage],
        seen: looking.Seen,
        kept: Sequence[int],
        pairs: Pairs,
        opinions: dict[int, list[Opinion]],
        groups: int,
        moved: int,
    ) -> dict[str, Any]:
        self.progress(0, len(left), "certifying")
        rows = rows_of(made["items"])
        place = {number: at for at, number in enumerate(kept)}
        near = [(place[a], place[b]) for a, b in pairs.tolist() if a in place and b in place]
        inside = np.array([number in place for number in seen.at.tolist()], bool)
        here = looking.Seen(
            np.array([place[number] for number in seen.at[inside].tolist()], np.int64), seen.signatures[inside]
        )
        asked = evidence.adversary(left, rows, here, self.plan.seed)
        checks = certify(
            rows,
            Evidence(
                classes=made["classes"],
                cut=self.plan.by == "time",
                pairs=near,
                unseen=len(left) - len(here.at),
                seen_by=sum(one.image.site in made.get("seen_by", {}) for one in left),
                looks=evidence.looks_of(self.store, left, opinions),
                limits=self.plan.limits,
                adversary=asked.scores,
                asked=asked.asked,
                told_by=asked.told_by,
                least=self.plan.least,
            ),
        )
        return {
            **to_json(checks),
            "groups": groups,
            "brought_together": moved,
            "near_duplicates": len(near),
            "groups_on_two_sides": 0,
            "files_on_two_sides": len(manifest.leaking(made["items"])),
        }

    def _classes(self, sites: set[str]) -> list[str]:
        """Of every site of the dataset, in their own order: the order of the class heads."""
        found: dict[str, None] = {}
        for site in sorted(sites):
            found.update(dict.fromkeys(self.store.taxonomies.of(site).ids))
        return list(found)

    def _left(self, why: str, number: int) -> None:
        if number:
            self.left_out[why] += number


def _named(one: LabelledImage) -> str:
    """Unique in the store, and the same on every machine that has the same pictures."""
    return f"{one.image.path} {one.image.sha256} {one.image.capture.source}"


def _keys(one: LabelledImage) -> list[str]:
    """What always ties a picture to others: its part, its source's group, its bytes."""
    site = one.image.site
    keys = [f"part {site}/{one.image.capture.part}", f"sha256 {one.image.sha256}"]
    group = one.label.source.get("group")
    return [*keys, f"group {site}/{group}"] if group else keys


def _kind(one: LabelledImage) -> tuple[str, ...]:
    label = one.label
    return ((*label.classes, *label.unmapped) or (DEFECTIVE,)) if label.defective else (NO_DEFECT,)


def _strata(one: LabelledImage) -> tuple[str, ...]:
    """What is to be divided evenly: good pictures, each class, the camera and the site."""
    site, camera = one.image.site, one.image.capture.camera
    return (f"site {site}", *((f"camera {site}/{camera}",) if camera else ()), *_kind(one))


def _kinds_counted(found: Sequence[LabelledImage]) -> Counter[str]:
    counts = Counter(name for one in found for name in _kind(one))
    counts[""] = len(found)
    return counts


def _composition(raw: Counter[str], items: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """By kind of picture, "" for all of them: from what there was to what is trained on and measured."""
    table = {name: balance.Composition(raw=number) for name, number in raw.items()}
    for item in items:
        kinds = ((*item["classes"], *item["unmapped"]) or (DEFECTIVE,)) if item["defective"] else (NO_DEFECT,)
        for name in ("", *kinds):
            row = table.setdefault(name, balance.Composition())
            if item["split"] == TRAIN:
                row.train += 1
                row.balanced += item["repeat"]
            elif item["split"] == "val":
                row.val += 1
            elif item["split"] == "test":
                row.test += 1
    return {name: asdict(table[name]) for name in sorted(table)}
