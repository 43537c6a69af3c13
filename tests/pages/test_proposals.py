"""Proposed classes on the taxonomy page: pictures, a name or a no."""

import pytest

from core.learn.novelty.records import ProposalState, Suggested
from core.plant import Arrival
from core.records import Capture, Prediction, Quality
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE

PATH = "science/taxonomy"


@pytest.fixture
def held(plant):
    store = open_store(plant.url, Actor("tests", system=True))
    yield store
    store.close()


@pytest.fixture
def proposed(held):
    """Four parts that resembled nothing good, three of them proposed as a class."""
    quality = Quality(50, 0.5, 0.2, 0, 0)
    arrivals = [
        Arrival(Capture(f"n{number}.png", f"N-{number}"), f"/gone/n{number}.png", f"{number:064x}", 640, 480, quality,
                Prediction("net", 0.1, {}, novelty=2.0))
        for number in range(4)
    ]  # fmt: skip
    filed = held.arrivals.file(SITE, arrivals)
    ids, parts = [one.image_id for one in filed], [one.part_id for one in filed]
    (made,) = held.proposals.propose(SITE, "net", [Suggested(tuple(ids[:3]), tuple(parts[:3]), 0.61)])
    return made


@pytest.fixture
def panel(app):
    """The page's part with the proposals, as one person sees it."""

    def open_panel(who):
        page = app(who, PATH)
        return page.segmented_control(key="taxonomy.step").set_value("proposals").run()

    return open_panel


def told(page) -> str:
    return " ".join(str(one.value) for one in (*page.markdown, *page.caption, *page.success, *page.error, *page.info))


def button(page, key):
    return next(one for one in page.button if one.key == key)


def test_where_nothing_was_novel_the_panel_says_how_that_begins(panel):
    page = panel("Dora")
    assert not page.exception
    assert "No part has been held as novel here" in told(page)


def test_a_proposal_is_shown_with_its_pictures_and_becomes_a_class(panel, proposed, held):
    page = panel("Dora")
    assert not page.exception
    assert "3 parts that look alike" in told(page)
    assert "4 parts held as novel" in told(page)
    for field, text in (("id", "DENT"), ("label", "Dent"), ("why", "round, no edge")):
        page.text_input(key=f"proposals.{proposed.id}.{field}").set_value(text)
    button(page, f"proposals.{proposed.id}.accept").click().run()
    assert not page.exception
    assert "DENT is a class now" in told(page)
    assert held.taxonomies.of(SITE).get("DENT").label == "Dent"
    assert held.proposals.all(SITE)[0].state is ProposalState.ACCEPTED


def test_a_name_that_is_taken_is_refused_in_words(panel, proposed, held):
    page = panel("Dora")
    for field, text in (("id", "CRACK"), ("why", "looks so")):
        page.text_input(key=f"proposals.{proposed.id}.{field}").set_value(text)
    button(page, f"proposals.{proposed.id}.accept").click().run()
    assert "means CRACK already" in told(page)
    assert held.proposals.all(SITE)[0].state is ProposalState.OPEN


def test_declining_takes_a_reason_and_is_kept(panel, proposed, held):
    page = panel("Quentin")
    button(page, f"proposals.{proposed.id}.decline").click().run()
    assert "needs a reason" in told(page)
    page.text_input(key=f"proposals.{proposed.id}.why").set_value("oil, not a defect")
    button(page, f"proposals.{proposed.id}.decline").click().run()
    assert held.proposals.all(SITE)[0].state is ProposalState.DECLINED
    assert "1 proposal answered" in " ".join(one.label for one in page.expander)


def test_only_who_builds_datasets_may_have_the_worker_look(panel, proposed, held):
    keys = [one.key for one in panel("Quentin").button]
    assert f"proposals.look.{SITE}" not in keys
    look = button(panel("Dora"), f"proposals.look.{SITE}")
    assert look.disabled  # nobody has answered yet
