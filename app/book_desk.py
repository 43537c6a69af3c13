"""What the Defect book does: read its pages, find pictures for them, put them there and take them off."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app import context, desk
from app.state import FormState, told
from core.defect_book import BookPage, Box, ExampleKind, checked_text, to_json, with_margin
from core.errors import BadInput, HoldpointError
from core.records import NO_DEFECT, Image, ImageState, Region
from core.taxonomy import MAX_BYTES, Taxonomy

FOUND = 12  # pictures offered at once
LOOKED_AT = 3000  # labels at most that are gone through for one search


@dataclass
class BookState(FormState):
    """Defect book page.

    Attributes:
        chosen: the picture that is to be put on the page.
        skip: pictures of the search that were gone past.
    """

    chosen: int | None = None
    skip: int = 0


@dataclass(frozen=True)
class Candidate:
    """A picture that could go on a page, with what is drawn on it."""

    image: Image
    regions: tuple[Region, ...]
    says: str


def pages(site: str) -> list[BookPage]:
    """The book of a site, as this person may see it."""
    return context.store().book.pages(site)


def images_of(page: BookPage) -> dict[int, Image]:
    """The pictures of a page."""
    return context.store().images.many({one.image_id for one in page.examples})


def crop_of(image: Image, box: Box | None, width: int) -> str:
    """Address of the part of a picture that an example is about, with what lies around it."""
    if box is None:
        return f"/img/{image.id}/screen?v={image.sha256[:12]}"
    x, y, wide, high = with_margin(box, (image.width, image.height))
    return f"/img/{image.id}?v={image.sha256[:12]}&box={x},{y},{wide},{high}&width={width}"


def search(site: str, labelled: str | None, words: str, skip: int) -> list[Candidate]:
    """Pictures to choose from: one that is named by its number or part, else those with a label.

    Args:
        site: of the book.
        labelled: a class, NO_DEFECT, or None for any label.
        words: the number of a picture, or the name of a part; empty for a search by label.
        skip: so many that were shown before.
    """
    store = context.store()
    if words.strip():
        found = _named(site, words.strip())
    else:
        found = list(islice(_labelled(site, labelled), skip, skip + FOUND))
    usable = [one for one in found if one.state is ImageState.OK and one.width]
    hidden = desk.still_blind(store, usable)
    shown = [one for one in usable if one.id not in hidden]
    labels = store.labels.many([one.id for one in shown])
    drawn = {number: label.regions for number, label in labels.items() if label.regions}
    said = store.images.predictions([one.id for one in shown if one.id not in drawn])
    return [
        Candidate(
            one,
            drawn[one.id] if one.id in drawn else said[one.id].regions if one.id in said else (),
            _says(labels.get(one.id)),
        )
        for one in shown
    ]


def _named(site: str, words: str) -> list[Image]:
    store = context.store()
    if words.isdecimal() and len(words) < 16 and (one := store.images.many([int(words)]).get(int(words))):
        return [one] if one.site == site else []
    part = store.parts.find(site, words)
    return [] if part is None else store.images.of_part(part.id)


def _labelled(site: str, labelled: str | None) -> Iterator[Image]:
    class_id = None if labelled in (None, NO_DEFECT) else labelled
    for one in islice(context.store().labels.find(site, class_id=class_id), LOOKED_AT):
        if labelled != NO_DEFECT or not one.label.defective:
            yield one.image


def _says(label: Any) -> str:
    if label is None:
        return "no label"
    return ", ".join((*label.classes, *label.unmapped)) or ("defective" if label.defective else "good")


def write(view: BookState, site: str, class_id: str, text: str) -> None:
    """Keep the text of a page."""
    with told(view):
        context.store().book.write(site, class_id, text, context.now())
        view.message = f"The page of {class_id} is written."


def add(
    view: BookState, site: str, class_id: str, image_id: int, kind: ExampleKind, caption: str, box: Box | None,
    really: str | None,
) -> None:  # fmt: skip
    """Put a picture on a page."""
    with told(view):
        context.store().book.add(site, class_id, image_id, kind, caption, box, really, context.now())
        view.chosen, view.message = None, f"Picture {image_id} is in the book."


def change(view: BookState, example_id: int, caption: str, kind: ExampleKind, really: str | None) -> None:
    """Say something else about an example."""
    with told(view):
        context.store().book.change(example_id, caption, kind, really, context.now())


def move(view: BookState, example_id: int, steps: int) -> None:
    """Show an example earlier or later."""
    with told(view):
        context.store().book.move(example_id, steps, context.now())


def remove(view: BookState, example_id: int) -> None:
    """Take an example off its page."""
    with told(view):
        context.store().book.remove(example_id, context.now())
        view.message = "Taken off the page; its story stays in the audit trail."


def exported(taxonomy: Taxonomy, found: Sequence[BookPage]) -> str:
    """Taxonomy and book as one JSON document; pictures are named by the hash of their bytes."""
    every = context.store().images.many({one.image_id for page in found for one in page.examples})
    hashes = {number: image.sha256 for number, image in every.items()}
    told = [to_json(page, hashes) for page in found if page.text or page.examples]
    return json.dumps({**taxonomy.to_json(), "book": told}, indent=2, ensure_ascii=False)


def take_in(view: BookState, site: str, data: bytes) -> None:
    """Add the pages of a document to a site's book: texts where it has none, and pictures that lie here, too."""
    with told(view):
        store, now = context.store(), context.now()
        entries = _entries(data)
        known = {page.class_id: page for page in store.book.pages(site) if page.known}
        mine = [one for one in entries if one["class"] in known]
        here = store.book.with_hashes(site, [str(one["sha256"]) for page in mine for one in page["examples"]])
        written = added = absent = refused = 0
        for page in mine:
            class_id = str(page["class"])
            if page["text"] and not known[class_id].text:
                store.book.write(site, class_id, checked_text(str(page["text"])), now)
                written += 1
            for one in page["examples"]:
                if one["sha256"] not in here:
                    absent += 1
                    continue
                try:
                    store.book.add(site, class_id, here[one["sha256"]], ExampleKind(one["kind"]), str(one["caption"]),
                                   one["box"], one["really"], now)  # fmt: skip
                    added += 1
                except HoldpointError:
                    refused += 1  # there already, or not to be shown now
        view.message = (
            f"{written} pages written, {added} pictures added; {absent} are not at {site}, {refused} were there "
            f"already or are being asked about, {len(entries) - len(mine)} pages are of classes that {site} has not."
        )


def _entries(data: bytes) -> list[dict[str, Any]]:
    """The pages of a document.

    Raises:
        BadInput: it is no such document.
    """
    if len(data) > MAX_BYTES:
        raise BadInput(f"A book of {len(data):,} bytes, at most {MAX_BYTES:,}: was the right file given?")
    try:
        document = json.loads(data)
        found = document["book"]
        kinds = [ExampleKind(one["kind"]) for page in found for one in page["examples"]]
        shapes = [(page["class"], page["text"], one["sha256"], one["caption"], one["box"], one["really"])
                  for page in found for one in page["examples"]]  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(f"This is no taxonomy with a book ({error}): export one and change that.") from error
    if len(kinds) != len(shapes) or not all(_is_example(one) for page in found for one in page["examples"]):
        raise BadInput("An example in this book is not whole: export one and change that.")
    return [{"class": str(page["class"]), "text": str(page["text"]), "examples": page["examples"]} for page in found]


def _is_example(one: Mapping[str, Any]) -> bool:
    box = one["box"]
    numbers = box is None or (
        isinstance(box, list) and len(box) == 4 and all(type(value) in (int, float) for value in box)
    )
    return numbers and isinstance(one["sha256"], str) and (one["really"] is None or isinstance(one["really"], str))
