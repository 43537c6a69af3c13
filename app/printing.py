"""What the page of printed labels asks for and what its buttons do."""

from dataclasses import dataclass

from app import context
from app.jobs.words.prints import read_catalogue
from app.state import FormState, told
from core.errors import BadInput
from core.words.print_check import PrintRules


@dataclass
class PrintsState(FormState):
    """Printed labels page."""


def save_rules(view: PrintsState, site: str, part_type: str, rules: PrintRules | None, reason: str, seen: int) -> None:
    """Set what is asked of a part type's labels."""
    with told(view):
        kept = context.store().prints.set_rules(site, part_type, rules, reason, seen=seen, now=context.now())
        asked = "nothing is asked any more" if kept.rules is None else f"asked is {kept.rules.said()}"
        view.message = f"Labels of {part_type}: {asked}. It counts for parts that come in from now on."


def save_catalogue(view: PrintsState, site: str, content: bytes) -> None:
    """Put the items of a file in place of a site's catalogue."""
    with told(view):
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadInput("This file is not UTF-8 text: save the table as CSV (UTF-8) and take that.") from error
        made = context.store().prints.set_catalogue(site, read_catalogue(text), now=context.now())
        view.message = f"The catalogue has {made:,} items now."


def say(view: PrintsState, reading_id: int, right: bool, language: str) -> None:
    """A person's word on a reading."""
    with told(view):
        context.store().prints.say_right(reading_id, right, language, now=context.now())
