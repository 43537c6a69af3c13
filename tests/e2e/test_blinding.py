"""Before a first answer nothing tells one kind of task from another: not the page, not what reaches it unseen."""

import json
import re
from collections import defaultdict
from difflib import unified_diff

import pytest
from playwright.sync_api import Page, Response, WebSocket, expect

from core.records import Review, TaskKind, Verdict
from core.roles import Actor
from data.store import open_store
from tests.e2e.at_desk import SLOW, come_in, desk, gone, ready, saved
from tests.e2e.house import House
from tests.small_plant import SITE, make_plant

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
OF_EACH_KIND = 2


@pytest.fixture
def house(tmp_path):
    with House(make_plant(tmp_path / "home", parts=OF_EACH_KIND * len(TaskKind) + 1, demo=True)) as running:
        yield running


class Overheard:
    """All that reaches a browser about the desk: the component's data, the replies to its posts, and every picture.

    Attributes:
        items: what was told of a part before its first answer, by task.
        pictures: addresses asked for, by image; an address goes without what names the image.
        rest: everything else that the server pushed, as text.
    """

    def __init__(self, page: Page) -> None:
        self.items: dict[int, list[dict]] = defaultdict(list)
        self.pictures: dict[int, list[str]] = defaultdict(list)
        self.rest: list[str] = []
        page.on("websocket", self._listen)
        page.on("response", self._reply)
        page.on("request", lambda one: self._picture(one.url))

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._pushed)

    def _pushed(self, payload: str | bytes) -> None:
        text = payload if isinstance(payload, str) else payload.decode("utf-8", "ignore")
        for found in re.finditer(r'\{"screen":', text):
            self._screen(json.JSONDecoder().raw_decode(text, found.start())[0]["screen"])
        self.rest.append(text)

    def _reply(self, response: Response) -> None:
        if "/desk/answers" in response.url and response.ok:
            self._screen(response.json()["screen"])

    def _screen(self, screen: dict | None) -> None:
        for item in screen["items"] if screen else []:
            self.items[item["task"]].append(item)

    def _picture(self, url: str) -> None:
        found = re.search(r"/img/(\d+)(.*)", url)
        if found:
            self.pictures[int(found[1])].append(re.sub(r"v=[0-9a-f]{12}", "v=0", found[2]))


def ask_for_every_kind(house: House) -> dict[int, TaskKind]:
    """Two tasks of each kind about parts of one view, by id.

    The site neither wants a first look nor audits by its policy: that second looks and audits wait has to be enough.
    One audit stays in other hands, so that this does not end before the last answer.
    """
    quentin = house.store("Quentin")
    plant = quentin.acting_as(Actor("tests", system=True))
    kinds = [kind for kind in TaskKind for _ in range(OF_EACH_KIND) if kind is not TaskKind.TRIAGE]
    while kinds:  # what he leaves stays a triage
        task = quentin.queue.lease(kinds=[TaskKind.TRIAGE], site=SITE)
        alone = len(plant.images.of_part(task.part_id)) > 1  # the only part of two views, and the most urgent one
        kind = TaskKind.AUDIT if alone else kinds.pop()
        verdict = Verdict.FAIL if len(kinds) % 2 else Verdict.PASS
        if kind is TaskKind.SECOND_LOOK:
            verdict = Verdict.UNSURE
        quentin.reviews.add(task.id, task.revision, task.fence, Review(verdict, "Quentin", note="seen before"))
        if kind is not TaskKind.SECOND_LOOK:
            plant.queue.send(task.part_id, kind)
        if alone:
            held = house.store("Dora").queue.lease(seconds=8 * 3600, kinds=[TaskKind.AUDIT])
            assert held.part_id == task.part_id
    return {task.id: task.kind for task in house.store("Ines").queue.next(50)}


NAMES = (  # of this very part, task, picture or moment
    (r'"(part|part_id|task|revision|fence|id|taken)": ("[^"]*"|\d+)', r'"\1": 0'),
    (r'\["(part|taken)", "[^"]*"\]', r'["\1", 0]'),
    (r'data-(item|ready)="[^"]*"', r'data-\1=""'),
    (r"/img/\d+", "/img/0"),
    (r"v=[0-9a-f]{12}", "v=0"),
    (r"P-\d+", "P"),
    (r"\d\d \w{3} \d{4}, \d\d:\d\d:\d\d", "then"),
)


def alike(text: str) -> str:
    """What reached the browser about a part, without what names this very part."""
    for pattern, put in NAMES:
        text = re.sub(pattern, put, text)
    return text


SHOWN = """root => {
  const copy = root.cloneNode(true);
  // The slides of parts that are yet to come are looked at by themselves; the shift's figures and the question
  // about the last answer are not about this part.
  for (const one of copy.querySelectorAll(".waiting, .status, .why")) one.remove();
  for (const one of copy.querySelectorAll("*")) { // in which order attributes came is no news either
    const all = [...one.attributes].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const attribute of all) one.removeAttributeNode(attribute);
    for (const attribute of all) one.setAttributeNode(attribute);
  }
  return [document.title, location.pathname, copy.innerHTML].join("\\n");
}"""
SLIDES_AHEAD = "root => [...root.querySelectorAll('.world.waiting')].map((one) => one.outerHTML)"


def test_no_kind_of_task_can_be_told_from_another_before_its_first_answer(window, house):
    kinds = ask_for_every_kind(house)
    images = {task: house.store().images.of_part(house.store().queue.task(task).part_id)[0].id for task in kinds}
    heard = Overheard(window)
    come_in(window, house)
    pushed = "".join(heard.rest)
    for word in ("small-1", "import:test", "Quentin", "seen before", "second_look"):
        assert word not in pushed
    shown, ahead, asked = (defaultdict(set) for _ in range(3))
    yet_to_come = dict(kinds)
    while yet_to_come:
        item = ready(window)
        task = int(item.partition(".")[0])
        shown[kinds[task]].add(alike(desk(window).evaluate(SHOWN)))
        asked[kinds[task]].add(tuple(sorted(set(heard.pictures[images[task]]))))
        del yet_to_come[task]
        for slide in desk(window).evaluate(SLIDES_AHEAD):
            of = int(re.search(r"/img/(\d+)", slide)[1])
            for other, kind in yet_to_come.items():
                if images[other] == of:
                    ahead[kind].add(alike(slide))
        window.keyboard.press("s")
        expect(window.get_by_text("You said Fail")).to_be_visible(timeout=SLOW)
        window.keyboard.press("Enter")
        gone(window, item)
    told = defaultdict(set)
    for task, kind in kinds.items():
        told[kind] |= {alike(json.dumps(item, sort_keys=True)) for item in heard.items[task]}
    for what in (shown, ahead, asked, told):
        assert what.keys() == set(TaskKind)
        one, *others = map(str, set().union(*what.values()))
        assert not others, "\n".join(
            unified_diff(one.replace(">", ">\n").split("\n"), others[0].replace(">", ">\n").split("\n"))
        )
    assert set().union(*asked.values()) == {("/screen?v=0",)}


def test_a_blind_look_shows_the_model_only_after_the_answer_which_can_then_be_changed(window, house):
    store = open_store(house.plant.url)
    store.sites.set_blind(SITE, True)
    asked: list[str] = []
    replies: list[str] = []
    window.on("request", lambda request: asked.append(request.url))
    window.on("response", lambda one: "/desk/answers" in one.url and one.ok and replies.append(one.text()))
    try:
        come_in(window, house, "Quentin")
        before = house.answers("Quentin")
        ready(window)
        shown = desk(window).evaluate("root => root.innerHTML")
        for word in ("small-1", "Held because", "score .", "No policy", "/heatmap", "/where", "Crack"):
            assert word not in shown
        assert not [url for url in asked if "heatmap" in url or "where" in url.split("?")[0]]
        assert not [reply for reply in replies if "small-1" in reply]

        item = ready(window)
        window.keyboard.press("s")
        expect(window.get_by_text("You said Fail")).to_be_visible(timeout=SLOW)
        expect(window.get_by_text("Held because")).to_be_visible(timeout=SLOW)
        assert desk(window).get_attribute("data-item") == item
        window.keyboard.press("Enter")
        gone(window, item)
        expect(window.get_by_text("Held because")).to_have_count(0)

        item = ready(window)
        window.keyboard.press("s")
        expect(window.get_by_text("You said Fail")).to_be_visible(timeout=SLOW)
        assert ready(window) == item
        window.keyboard.press("w")
        gone(window, item)
        saved(window)
        new = {part: said for part, said in house.answers("Quentin").items() if part not in before}
        assert sorted(map(str, [verdict for said in new.values() for verdict in said])) == ["FAIL", "REWORK"]
        [changed] = [part for part, said in new.items() if said == [Verdict.REWORK]]
        told = [
            one.verdict for one in house.store("Quentin").reviews.of_part(changed, undone=True) if one.by == "Quentin"
        ]
        assert told == [Verdict.FAIL, Verdict.REWORK]
    finally:
        store.sites.set_blind(SITE, False)
        store.close()
