"""The desk's own address on the real server app: who may post, what is taken, and what comes back for each act."""

import json
import shutil
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import context, desk
from app.web import answers
from app.web import routes as web
from app.web.guard import COOKIE, Guard
from core.errors import BadInput, Busy
from core.records import Verdict
from core.roles import Actor
from data.store import open_store
from tests.small_plant import SITE, make_plant, sign_in

HERE = "http://127.0.0.1"
ORIGIN = {"origin": HERE}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_plant(tmp_path_factory.mktemp("plant") / "home")


@pytest.fixture
def client(made, tmp_path, monkeypatch):
    for file in made.home.glob("holdpoint.sqlite3*"):
        shutil.copy(file, tmp_path / file.name)
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path))
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    app = Starlette(
        routes=web.routes(),
        middleware=[Middleware(Guard, signed_in=context.signed_in, allowed_hosts=lambda: ["127.0.0.1"])],
    )
    with TestClient(app, base_url=HERE, follow_redirects=False, client=("127.0.0.1", 5000)) as found:
        yield found
    context._open.cache_clear()


@pytest.fixture
def ines(client):
    client.cookies.set(COOKIE, sign_in(context.settings().database_url, "Ines"))
    return client


def store(name="Ines"):
    return open_store(context.settings().database_url, Actor(name))


def post(client, by="Ines", headers=ORIGIN, **said):
    return client.post("/desk/answers", json={"by": by, "site": SITE, **said}, headers=headers)


def act(task, verdict="PASS", **more):
    return {"act": str(uuid4()), "kind": "answer", "verdict": verdict, "seconds": 2.0,
            **{name: task[name] for name in ("task", "revision", "fence")}, **more}  # fmt: skip


def test_an_answer_is_stored_and_the_reply_brings_what_comes_next(ines):
    first = post(ines).json()["screen"]
    have = [f"{task['task']}.{task['revision']}" for task in first["tasks"]]
    reply = post(ines, acts=[act(first["tasks"][0], "FAIL")], have=have).json()
    assert [one["outcome"] for one in reply["results"]] == ["stored"]
    assert reply["screen"]["counts"]["done"] == 1
    assert reply["screen"]["tasks"][0]["task"] == first["tasks"][1]["task"]
    assert len(reply["screen"]["items"]) == 1
    [said] = [one for one in store().reviews.of_part(first["items"][0]["part_id"]) if one.by == "Ines"]
    assert said.verdict is Verdict.FAIL


def test_whether_the_heatmap_was_seen_is_kept_with_the_answer(ines):
    first = post(ines).json()["screen"]
    acts = [act(first["tasks"][0], heatmap=True), act(first["tasks"][1], heatmap=False), act(first["tasks"][2])]
    reply = post(ines, acts=acts).json()
    assert [one["outcome"] for one in reply["results"]] == ["stored"] * 3
    parts = {item["task"]: item["part_id"] for item in first["items"]}
    noted = [[one.source for one in store().reviews.of_part(parts[task["task"]]) if one.by == "Ines"][-1]
             for task in first["tasks"][:3] if task["task"] in parts]  # fmt: skip
    assert noted == [{"heatmap": True}, {"heatmap": False}, {}][: len(noted)]
    assert len(noted) >= 2
    assert post(ines, acts=[act(first["tasks"][3], heatmap="yes")]).status_code == 400


def test_an_act_sent_again_after_a_lost_reply_is_stored_once(ines):
    first = post(ines).json()["screen"]
    again = act(first["tasks"][0])
    replies = [post(ines, acts=[again]).json()["results"][0]["outcome"] for _ in range(3)]
    assert replies == ["stored"] * 3
    assert store().queue.counts(SITE).done_today == 1


def test_several_acts_each_have_their_own_outcome_and_a_refused_one_says_why(ines):
    first = post(ines).json()["screen"]
    stale = act(first["tasks"][0]) | {"fence": 77}
    reply = post(ines, acts=[stale, act(first["tasks"][1])]).json()
    assert [one["outcome"] for one in reply["results"]] == ["refused", "stored"]
    assert "nothing was saved" in reply["results"][0]["why"]
    assert reply["results"][0]["item"]["part"] == first["items"][0]["part"]


def test_undo_brings_the_part_back_with_what_its_next_answer_needs(ines):
    first = post(ines).json()["screen"]
    task = first["tasks"][0]
    undo = {"act": str(uuid4()), "kind": "undo", "task": task["task"], "revision": task["revision"] + 1}
    reply = post(ines, acts=[act(task), undo]).json()
    back = reply["results"][1]["item"]
    assert (back["task"], back["revision"]) == (task["task"], task["revision"] + 2)
    assert post(ines, acts=[act(back, "REWORK")]).json()["results"][0]["outcome"] == "stored"


def test_a_blind_part_opens_with_the_reply_to_its_first_answer(ines):
    context.plant().sites.set_blind(SITE, True)
    first = post(ines).json()["screen"]
    assert first["items"][0]["seen"] is None
    reply = post(ines, acts=[act(first["tasks"][0], first=True)]).json()
    assert reply["results"][0]["item"]["seen"]["reasons"]
    assert all(item["seen"] is None for item in reply["screen"]["items"])


def test_a_refused_first_answer_does_not_open_the_part(ines):
    context.plant().sites.set_blind(SITE, True)
    first = post(ines).json()["screen"]
    reply = post(ines, acts=[act(first["tasks"][0], first=True) | {"fence": 77}]).json()
    assert reply["results"][0]["item"]["seen"] is None


def test_leaving_gives_back_what_was_only_ahead(ines):
    post(ines)
    assert store("Quentin").queue.counts(SITE).ahead == desk.AHEAD
    assert post(ines, leave=True).json()["screen"] is None
    assert store("Quentin").queue.counts(SITE).ahead == 0


def test_a_narrowed_desk_gets_only_what_it_asked_for(ines):
    told = post(ines, narrow={"since": "2020-01-01T00:00:00+00:00", "class_id": "CRACK"}).json()["screen"]
    assert told["narrow"] == {"class_id": "CRACK", "since": "2020-01-01T00:00:00+00:00"}
    assert told["tasks"]
    assert post(ines, narrow={"line": "nowhere"}).json()["screen"]["tasks"] == []
    assert post(ines, narrow={"until": "2020-01-01T00:00:00+00:00"}).json()["screen"]["counts"]["caught_up"]


def test_where_the_first_look_is_ones_own_the_queue_is_not_narrowed_by_what_the_model_saw(ines):
    context.plant().sites.set_blind(SITE, True)
    told = post(ines, narrow={"class_id": "CRACK"}).json()
    assert told["screen"] is None
    assert "first look is your own" in told["why"]
    assert post(ines, narrow={"since": "2020-01-01T00:00:00+00:00"}).json()["screen"]["tasks"]


@pytest.mark.parametrize(
    "narrow",
    [{"line": 3}, {"line": "x" * 101}, {"shift": "B"}, [], "line A", {"since": "yesterday"}, {"since": "2026-01-01"}],
    ids=str,
)
def test_a_wish_that_no_desk_would_send_is_refused(ines, narrow):
    assert post(ines, narrow=narrow).status_code == 400


def test_looking_back_brings_the_last_answer_and_then_says_that_there_is_no_more(ines):
    first = post(ines).json()["screen"]
    post(ines, acts=[act(first["tasks"][0], "REWORK")])
    assert ines.get("/desk/back?skip=0").json()["verdict"] == "REWORK"
    assert ines.get("/desk/back?skip=1").status_code == 404
    assert ines.get("/desk/back?skip=20").status_code == 400
    assert ines.get("/desk/back?skip=x").status_code == 400


def test_a_busy_store_makes_the_browser_send_again_and_loses_nothing(ines, monkeypatch):
    first = post(ines).json()["screen"]

    def busy(*_):
        raise Busy("The store is busy.")

    with monkeypatch.context() as patched:
        patched.setattr(desk, "answer", busy)
        assert post(ines, acts=[act(first["tasks"][0])]).status_code == 503
    assert store().queue.counts(SITE).done_today == 0


def test_the_desk_is_closed_to_who_is_not_signed_in(client):
    assert post(client).status_code == 401
    assert client.get("/desk/back").status_code == 401


@pytest.mark.parametrize("origin", [{}, {"origin": "http://evil.example"}, {"origin": "null"}])
def test_another_site_cannot_post_answers(ines, origin):
    assert post(ines, headers=origin).status_code == 403


def test_a_form_cannot_post_answers(ines):
    sent = ines.post(
        "/desk/answers", content=json.dumps({"by": "Ines"}), headers=ORIGIN | {"content-type": "text/plain"}
    )
    assert sent.status_code == 415


def test_answers_of_somebody_else_are_not_taken_in_this_persons_name(ines):
    assert post(ines, by="Quentin").status_code == 409


def test_a_role_that_does_not_review_gets_each_act_refused(client):
    client.cookies.set(COOKIE, sign_in(context.settings().database_url, "Ada"))
    task = {"task": 1, "revision": 0, "fence": 1}
    reply = post(client, by="Ada", acts=[act(task)]).json()
    assert reply["results"][0]["outcome"] == "refused"
    assert reply["screen"] is None
    assert "may not" in reply["why"]


def test_another_sites_part_is_refused_and_not_shown(client):
    client.cookies.set(COOKIE, sign_in(context.settings().database_url, "Tomas"))
    task = store("Ines").queue.lease(site=SITE)
    reply = client.post(
        "/desk/answers", headers=ORIGIN,
        json={"by": "Tomas", "acts": [act({"task": task.id, "revision": 0, "fence": task.fence})]},
    ).json()  # fmt: skip
    assert reply["results"][0] == {
        "act": reply["results"][0]["act"], "task": task.id, "outcome": "refused", "item": None,
        "why": "Tomas was not given this site: ask an administrator.",
    }  # fmt: skip


def test_too_large_a_body_is_refused(ines):
    assert post(ines, acts=[act({"task": 1, "revision": 0, "fence": 1}, note="x" * 40_000)]).status_code == 413


GOOD = {"task": 1, "revision": 0, "fence": 1}


@pytest.mark.parametrize(
    "said",
    [
        {"more": 1},
        {"have": ["1.0"] * 65},
        {"have": ["<script>"]},
        {"site": 3},
        {"showing": True},
        {"active": "yes"},
        {"acts": {}},
        {"acts": [act(GOOD)] * 9},
        {"acts": [act(GOOD, kind="delete")]},
        {"acts": [act(GOOD, "MAYBE")]},
        {"acts": [act(GOOD, url="http://elsewhere")]},
        {"acts": [act(GOOD, note="x" * 501)]},
        {"acts": [act(GOOD, note="\ud800")]},
        {"acts": [act(GOOD, reasons=["my own words"])]},
        {"acts": [act(GOOD, reasons=[["Other"]])]},
        {"acts": [act(GOOD) | {"act": "../../etc"}]},
        {"acts": [act(GOOD) | {"task": -1}]},
        {"acts": [act(GOOD) | {"task": 2**60}]},
        {"acts": [act(GOOD) | {"fence": "1"}]},
        {"acts": [act(GOOD) | {"seconds": -1}]},
        {"acts": [act(GOOD) | {"seconds": "3"}]},
        {"acts": ["answer"]},
    ],
)
def test_what_no_desk_would_send_is_refused_whole(ines, said):
    body = json.dumps({"by": "Ines", "acts": [], **said})
    sent = ines.post("/desk/answers", content=body, headers=ORIGIN | {"content-type": "application/json"})
    assert sent.status_code == 400
    assert store().queue.counts(SITE).done_today == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"by": NaN}', b"\xff\xfe", b"[" * 30_000])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(BadInput):
        answers.read(body)
