"""Answers of people who had, or had not, the heatmap on their screen."""

from typing import Any

import sqlalchemy as sa

from core.learn.showing import Answered
from core.records import Outcome, Verdict
from core.roles import Action
from data.store.base import SubStore, site_row
from data.tables import decisions, reviews

MOST = 20_000  # answers, the latest ones
_UNDO = reviews.alias("undo")


class Explained(SubStore):
    """What the desk notes with each answer, read back."""

    def answers(self, site: str, model: str) -> list[Answered]:
        """Standing answers to parts that a model had scored, of which the desk noted whether its heatmap was seen."""
        with self.seeing() as (connection, rights):
            row: Any = site_row(connection, site)
            rights.need(Action.SEE, row.id)
            query = (
                sa.select(reviews.c.source, reviews.c.verdict, reviews.c.seconds, decisions.c.leaning)
                .join(decisions, decisions.c.id == reviews.c.decision_id)
                .where(reviews.c.site_id == row.id, reviews.c.model == model, reviews.c.undoes.is_(None))
                .where(reviews.c.verdict != str(Verdict.UNSURE), decisions.c.leaning.is_not(None))
                .where(~sa.exists().where(_UNDO.c.undoes == reviews.c.id))
                .order_by(reviews.c.id.desc())
                .limit(MOST)
            )
            return [
                Answered(bool(one.source["heatmap"]), Verdict(one.verdict).defective is True,
                         one.leaning == str(Outcome.FAIL), one.seconds)
                for one in connection.execute(query)
                if isinstance(one.source, dict) and one.source.get("heatmap") is not None
            ]  # fmt: skip
