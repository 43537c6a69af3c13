"""Notes: what was filed, the rules that label them, versions of the labels, people's words and checks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from core.errors import BadInput, Conflict, NotFound
from core.roles import Action
from core.words.labelling.changes import overlaid
from core.words.labelling.registry import LABELS, LabelRules, rules_document
from core.words.text import OUTSIDE, Sentence, Span
from core.words.votes import Labelled
from data.store.base import Rights, SubStore, site_row
from data.store.rows import chunks, insert_many
from data.store.trail.audit import entry, record
from data.store.words.notes_rows import (
    Checked,
    KeptRules,
    NewNote,
    NoteImport,
    NoteSeen,
    Version,
    kept_rules,
    labels_document,
    labels_of,
    last_checks,
    learns,
    overrides_of,
    rules_in_force,
    seen,
    shown_version,
    spans_document,
    spans_of,
    version_of,
    with_labels,
)
from data.tables import note_checks, note_imports, note_labels, note_overrides, note_rules, note_versions, notes

MOST_OF_A_PAGE = 500


class Notes(SubStore):
    """Everything but a version's progress only grows; a person's word beats every rule."""

    # --- what comes in ---

    def file(
        self, site: str, source: str, found: Sequence[NewNote], counts: Mapping[str, Any], now: datetime | None = None
    ) -> NoteImport:
        """Store cleared, de-identified notes of one file; those that came before are known.

        Args:
            site: whose.
            source: the file's name, for people.
            found: what may be stored.
            counts: what else was in the file, such as how much was not cleared.
            now: aware UTC.
        """
        when = self.now(now)
        with self.writing(Action.IMPORT) as (connection, rights):
            row = self._site(connection, rights, site, Action.IMPORT)
            self.database.one_at_a_time(connection, "notes", row.id)
            by_mark = {one.fingerprint: one for one in found}
            there = set[str]()
            for some in chunks(by_mark):
                query = sa.select(notes.c.fingerprint).where(notes.c.site_id == row.id, notes.c.fingerprint.in_(some))
                there |= set(connection.scalars(query))
            fresh = [one for mark, one in by_mark.items() if mark not in there]
            told = {**counts, "new": len(fresh), "known": len(found) - len(fresh),
                    "labelled": sum(one.truth is not None for one in fresh)}  # fmt: skip
            values = {"site_id": row.id, "source": source[:200], "by": self.actor.name, "document": told,
                      "imported_at": when}  # fmt: skip
            (import_id,) = insert_many(connection, note_imports, [values])
            ids = insert_many(connection, notes, [
                {"site_id": row.id, "import_id": import_id, "fingerprint": one.fingerprint, "text": one.text,
                 "said_at": one.said_at, "covered": dict(one.covered), "draw": self.database.draw()}
                for one in fresh
            ])  # fmt: skip
            insert_many(connection, note_checks, [
                {"note_id": note_id, "version_id": None, "document": {"truth": spans_document(one.truth)},
                 "by_hand": False, "by": self.actor.name, "checked_at": when}
                for note_id, one in zip(ids, fresh, strict=True) if one.truth is not None
            ])  # fmt: skip
            record(connection, entry(when, self.actor.name, "notes imported", f"import {import_id}", site_id=row.id,
                                     new=told))  # fmt: skip
            return NoteImport(import_id, source, self.actor.name, told, when)

    def imports(self, site: str, limit: int = 50) -> list[NoteImport]:
        """What was read, newest first."""
        with self.seeing() as (connection, rights):
            row = self._site(connection, rights, site)
            query = sa.select(note_imports).where(note_imports.c.site_id == row.id)
            query = query.order_by(note_imports.c.id.desc()).limit(limit)
            return [NoteImport(one.id, one.source, one.by, one.document, one.imported_at)
                    for one in connection.execute(query)]  # fmt: skip

    # --- rules ---

    def rules(self, site: str) -> KeptRules:
        """The rules that count."""
        with self.seeing() as (connection, rights):
            return rules_in_force(connection, self._site(connection, rights, site).id)

    def rules_history(self, site: str) -> list[KeptRules]:
        """Every change of the rules, newest first."""
        with self.seeing() as (connection, rights):
            row = self._site(connection, rights, site)
            query = sa.select(note_rules).where(note_rules.c.site_id == row.id).order_by(note_rules.c.number.desc())
            return [kept_rules(one) for one in connection.execute(query)]

    def set_rules(
        self, site: str, rules: LabelRules, reason: str, *, seen: int | None = None, now: datetime | None = None
    ) -> KeptRules:
        """Say by what rules notes are labelled from the next run on.

        Args:
            site: whose.
            rules: in full.
            reason: in a sentence.
            seen: number of the rules that these were made from; None does not ask.
            now: aware UTC.

        Raises:
            BadInput: without a reason.
            Conflict: somebody has set others since.
        """
        if not reason.strip():
            raise BadInput("A change of the rules needs a reason: say in a sentence why.")
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row = self._site(connection, rights, site, Action.TAXONOMY)
            self.database.one_at_a_time(connection, "note rules", row.id)
            before = rules_in_force(connection, row.id)
            if seen is not None and seen != before.number:
                raise Conflict("Somebody has changed the rules since you began: look at them, then change them again.")
            made = KeptRules(before.number + 1, rules, self.actor.name, reason.strip()[:500], when)
            values = {"site_id": row.id, "number": made.number, "document": rules_document(rules), "by": made.by,
                      "reason": made.reason, "set_at": when}  # fmt: skip
            connection.execute(sa.insert(note_rules).values(values))
            old = rules_document(before.rules)
            record(connection, entry(when, made.by, "note rules set", f"rules {made.number}", site_id=row.id,
                                     old=old, new=values["document"], reason=made.reason))  # fmt: skip
            return made

    # --- versions ---

    def versions(self, site: str) -> list[Version]:
        """Every run of the rules, newest first."""
        with self.seeing() as (connection, rights):
            row = self._site(connection, rights, site)
            query = sa.select(note_versions).where(note_versions.c.site_id == row.id)
            return [version_of(one) for one in connection.execute(query.order_by(note_versions.c.number.desc()))]

    def shown(self, site: str) -> Version | None:
        """The version whose labels count: the newest that is whole, or the first one while it runs."""
        with self.seeing() as (connection, rights):
            return shown_version(connection, self._site(connection, rights, site).id)

    def begin_version(
        self, site: str, rules: int, fingerprint: str, document: Mapping[str, Any], now: datetime | None = None
    ) -> Version:
        """A new run of the rules, with nothing labelled yet."""
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            row = self._site(connection, rights, site, Action.TAXONOMY)
            self.database.one_at_a_time(connection, "note versions", row.id)
            last = sa.select(sa.func.coalesce(sa.func.max(note_versions.c.number), 0))
            number = int(connection.scalar(last.where(note_versions.c.site_id == row.id)) or 0) + 1
            values = {"site_id": row.id, "number": number, "rules": rules, "fingerprint": fingerprint,
                      "document": dict(document), "tally": {}, "upto": 0, "by": self.actor.name, "begun_at": when,
                      "finished_at": None}  # fmt: skip
            (version_id,) = insert_many(connection, note_versions, [values])
            record(connection, entry(when, self.actor.name, "notes labelled anew", f"version {number}",
                                     site_id=row.id, new={"rules": rules, "fingerprint": fingerprint}))  # fmt: skip
            return Version(version_id, number, rules, fingerprint, document, {}, 0, self.actor.name, when, None)

    def unlabelled(self, version_id: int, limit: int = 200) -> list[tuple[int, str]]:
        """The next notes that a version has not labelled: number and text, the oldest first."""
        with self.seeing() as (connection, rights):
            version = self._version(connection, rights, version_id)
            query = sa.select(notes.c.id, notes.c.text).where(
                notes.c.site_id == version.site_id, notes.c.id > version.upto
            )
            return [(row.id, row.text) for row in connection.execute(query.order_by(notes.c.id).limit(limit))]

    def keep_labels(
        self, version_id: int, made: Sequence[tuple[int, Labelled, str | None]], tally: Mapping[str, Any],
        now: datetime | None = None, *, whole: bool = False,
    ) -> None:  # fmt: skip
        """Store what a version made of the next notes; all of them and how far it is in one transaction.

        Args:
            version_id: of the run.
            made: note, labels, and why it is set aside, in the notes' order.
            tally: what was counted so far, these included.
            now: aware UTC.
            whole: nothing is left to label.

        Raises:
            Conflict: another run has come further.
        """
        when = self.now(now)
        with self.writing(Action.TAXONOMY) as (connection, rights):
            version = self._version(connection, rights, version_id, Action.TAXONOMY, lock=True)
            if made and made[0][0] <= version.upto:
                raise Conflict("Another run labels these notes, too, and has come further: leave it to that one.")
            connection.execute(
                sa.update(note_versions).where(note_versions.c.id == version_id).values(
                    tally=dict(tally), upto=made[-1][0] if made else version.upto,
                    finished_at=when if whole else version.finished_at,
                )
            )  # fmt: skip
            insert_many(connection, note_labels, [
                {"version_id": version_id, "note_id": note_id, "document": labels_document(labels), "aside": aside,
                 "waiting": 0 if aside else len(labels.waiting)}
                for note_id, labels, aside in made
            ])  # fmt: skip
            if whole and version.finished_at is None:
                record(connection, entry(when, self.actor.name, "notes labelled", f"version {version.number}",
                                         site_id=version.site_id, new=dict(tally.get("counts", {}))))  # fmt: skip

    def labels_in(self, site: str, number: int) -> dict[int, tuple[Span, ...]]:
        """What a version gave each note, without what people said since."""
        with self.seeing() as (connection, rights):
            row = self._site(connection, rights, site)
            query = (
                sa.select(note_labels.c.note_id, note_labels.c.document, note_labels.c.aside)
                .join(note_versions, note_versions.c.id == note_labels.c.version_id)
                .where(note_versions.c.site_id == row.id, note_versions.c.number == number)
            )
            return {one.note_id: () if one.aside else labels_of(one.document).spans
                    for one in connection.execute(query)}  # fmt: skip

    # --- notes ---

    def find(
        self, site: str, *, waiting: bool = False, aside: bool | None = None, before: int | None = None,
        limit: int = 100,
    ) -> list[NoteSeen]:  # fmt: skip
        """Notes with the labels that count, newest first.

        Args:
            site: whose.
            waiting: only those with a stretch that nobody has answered yet.
            aside: only those that are set aside, or only the others; None is all.
            before: a note's number, for the next page.
            limit: of the list.
        """
        with self.seeing() as (connection, rights):
            row = self._site(connection, rights, site)
            version = shown_version(connection, row.id)
            query = with_labels(None if version is None else version.id).where(notes.c.site_id == row.id)
            if waiting:
                query = query.where(note_labels.c.waiting > 0)
            if aside is not None:
                query = query.where(note_labels.c.aside.is_not(None) if aside else note_labels.c.aside.is_(None))
            found: list[NoteSeen] = []
            last = before
            while len(found) < limit:  # those whose stretches were all answered since are passed over
                more = query if last is None else query.where(notes.c.id < last)
                rows = connection.execute(more.order_by(notes.c.id.desc()).limit(MOST_OF_A_PAGE)).all()
                some = seen(connection, rows)
                found += [one for one in some if not waiting or one.counts.waiting]
                if len(rows) < MOST_OF_A_PAGE:
                    break
                last = rows[-1].id
            return found[:limit]

    def get(self, note_id: int) -> NoteSeen:
        """One note.

        Raises:
            NotFound: there is none of that number.
        """
        with self.seeing() as (connection, rights):
            site_id = self._site_of(connection, rights, note_id, Action.SEE)
            version = shown_version(connection, site_id)
            query = with_labels(None if version is None else version.id).where(notes.c.id == note_id)
            return seen(connection, connection.execute(query).all())[0]

    def counts(self, site: str) -> dict[str, Any]:
        """{notes, labelled, aside: {reason: n}, waiting} under the version that counts; waiting counts notes."""
        with self.seeing() as (connection, rights):
            row = self._site(connection, rights, site)
            total = connection.scalar(sa.select(sa.func.count()).select_from(notes).where(notes.c.site_id == row.id))
            version = shown_version(connection, row.id)
            mine = note_labels.c.version_id == (0 if version is None else version.id)
            query = sa.select(note_labels.c.aside, sa.func.count().label("n")).where(mine).group_by(note_labels.c.aside)
            by_reason = {one.aside: one.n for one in connection.execute(query)}
            waits = connection.execute(
                sa.select(note_labels.c.note_id, note_labels.c.document).where(mine, note_labels.c.waiting > 0)
            ).all()
            said = overrides_of(connection, [one.note_id for one in waits])
            waiting = sum(bool(overlaid(labels_of(one.document), said.get(one.note_id, ())).waiting) for one in waits)
            return {"notes": int(total or 0), "labelled": by_reason.pop(None, 0), "aside": by_reason,
                    "waiting": waiting}  # fmt: skip

    # --- people's words ---

    def override(self, note_id: int, begins: int, ends: int, label: str, now: datetime | None = None) -> int:
        """A person's word on a stretch of a note; it beats every rule, and every earlier word on the same stretch.

        Args:
            note_id: of the note.
            begins: of the stretch, in characters.
            ends: after its last character.
            label: one of the labels, or O for none.
            now: aware UTC.

        Returns:
            The word's number among those on this note.

        Raises:
            BadInput: no such label, or a stretch outside the text.
        """
        if label not in (*LABELS, OUTSIDE):
            raise BadInput(f"There is no label {label}: the labels are {', '.join(LABELS)}, and {OUTSIDE} for none.")
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            site_id = self._site_of(connection, rights, note_id, Action.REVIEW, lock=True)
            text = str(connection.scalar(sa.select(notes.c.text).where(notes.c.id == note_id)))
            if not 0 <= begins < ends <= len(text):
                raise BadInput(f"The stretch {begins}–{ends} does not lie in a note of {len(text)} characters.")
            last = sa.select(sa.func.coalesce(sa.func.max(note_overrides.c.number), 0))
            number = int(connection.scalar(last.where(note_overrides.c.note_id == note_id)) or 0) + 1
            connection.execute(sa.insert(note_overrides).values(
                note_id=note_id, number=number, begins=begins, ends=ends, label=label, by=self.actor.name, made_at=when
            ))  # fmt: skip
            said = {"begins": begins, "ends": ends, "label": label}
            record(connection, entry(when, self.actor.name, "note labelled by hand", f"note {note_id}",
                                     site_id=site_id, new=said))  # fmt: skip
            return number

    def to_check(self, site: str, limit: int = 1) -> list[NoteSeen]:
        """Notes to be checked by hand, in the order that chance has given them, the same until they are answered."""
        with self.seeing() as (connection, rights):
            row = self._site(connection, rights, site)
            version = shown_version(connection, row.id)
            if version is None:
                return []
            checked = sa.select(note_checks.c.note_id)
            query = with_labels(version.id).where(
                notes.c.site_id == row.id, note_labels.c.aside.is_(None), note_labels.c.id.is_not(None),
                notes.c.id.not_in(checked),
            )  # fmt: skip
            return seen(connection, connection.execute(query.order_by(notes.c.draw).limit(limit)).all())

    def check(self, note_id: int, truth: Sequence[Span], now: datetime | None = None) -> None:
        """Say what all the true labels of a note are.

        Raises:
            BadInput: labels outside the text or over each other, or an unknown one.
        """
        unknown = {one.label for one in truth} - set(LABELS)
        if unknown:
            raise BadInput(f"There is no label {min(unknown)}: the labels are {', '.join(LABELS)}.")
        when = self.now(now)
        with self.writing(Action.REVIEW) as (connection, rights):
            site_id = self._site_of(connection, rights, note_id, Action.REVIEW, lock=True)
            text = str(connection.scalar(sa.select(notes.c.text).where(notes.c.id == note_id)))
            spans = Sentence(str(note_id), text, (), tuple(sorted(truth))).spans
            version = shown_version(connection, site_id)
            connection.execute(sa.insert(note_checks).values(
                note_id=note_id, version_id=None if version is None else version.id,
                document={"truth": spans_document(spans)}, by_hand=True, by=self.actor.name, checked_at=when,
            ))  # fmt: skip
            record(connection, entry(when, self.actor.name, "note checked", f"note {note_id}", site_id=site_id,
                                     new={"labels": len(spans)}))  # fmt: skip

    def checks(self, site: str) -> list[Checked]:
        """The true labels that are known, beside what the version that counts made of these notes."""
        with self.seeing() as (connection, rights):
            row = self._site(connection, rights, site)
            version = shown_version(connection, row.id)
            mine = (note_labels.c.note_id == notes.c.id) & (
                note_labels.c.version_id == (0 if version is None else version.id)
            )
            query = (
                sa.select(notes.c.id, notes.c.text, notes.c.draw, note_checks.c.document.label("truth"),
                          note_checks.c.by_hand, note_labels.c.document, note_labels.c.aside)
                .join(note_checks, note_checks.c.note_id == notes.c.id)
                .outerjoin(note_labels, mine)
                .where(notes.c.site_id == row.id, note_checks.c.id.in_(last_checks()))
                .order_by(notes.c.id)
            )  # fmt: skip
            return [
                Checked(one.id, one.text, spans_of(one.truth["truth"]),
                        None if one.document is None else Labelled() if one.aside else labels_of(one.document),
                        one.by_hand, learns(one.draw))
                for one in connection.execute(query)
            ]  # fmt: skip

    # --- what these share ---

    def _site(self, connection: Connection, rights: Rights, site: str, action: Action = Action.SEE) -> Any:
        row: Any = site_row(connection, site)
        rights.need(action, row.id)
        return row

    def _site_of(self, connection: Connection, rights: Rights, note_id: int, action: Action, lock: bool = False) -> int:
        query = sa.select(notes.c.site_id).where(notes.c.id == note_id)
        site_id = connection.scalar(query.with_for_update() if lock else query)
        if site_id is None:
            raise NotFound(f"There is no note {note_id}.")
        rights.need(action, site_id)
        return int(site_id)

    def _version(
        self, connection: Connection, rights: Rights, version_id: int, action: Action = Action.SEE, lock: bool = False
    ) -> Row[Any]:
        query = sa.select(note_versions).where(note_versions.c.id == version_id)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise NotFound(f"There is no version {version_id} of the labels of notes.")
        rights.need(action, row.site_id)
        return row
