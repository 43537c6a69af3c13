"""Our own routes on the real server app: sign-in, pictures, exports."""

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import context
from app.web import routes as web
from app.web.guard import COOKIE, Guard
from core.records import Review, TaskKind, Verdict
from core.roles import Actor
from tests.small_plant import PASSWORD, make_plant, sign_in


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_plant(tmp_path_factory.mktemp("plant") / "home", demo=True)


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
    yield TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, client=("127.0.0.1", 5000))
    context._open.cache_clear()


def as_person(client, name):
    client.cookies.set(COOKIE, sign_in(context.settings().database_url, name))
    return client


def lyon_image():
    return next(one for one in context.plant().images.find(site="Lyon") if one.capture.view == "top")


def test_a_password_starts_a_session_in_a_cookie_that_scripts_cannot_read(client):
    answer = client.post("/sign-in?next=/queue", data={"name": "Ines", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/queue")
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert PASSWORD not in cookie


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_under_https_the_cookie_travels_no_other_way(client, scheme, secure):
    answer = client.post(f"{scheme}://127.0.0.1/sign-in", data={"name": "Ines", "password": PASSWORD})
    assert ("secure" in answer.headers["set-cookie"].lower()) is secure


def test_a_wrong_password_is_refused_without_saying_which_half_was_wrong(client):
    wrong = client.post("/sign-in", data={"name": "Ines", "password": "wrong wrong wrong wrong"})
    nobody = client.post("/sign-in", data={"name": "Nobody", "password": "wrong wrong wrong wrong"})
    assert (wrong.status_code, nobody.status_code) == (401, 401)
    assert "set-cookie" not in wrong.headers
    alert = lambda text: text.split('role="alert">')[1].split("<")[0]  # noqa: E731
    assert alert(wrong.text) == alert(nobody.text)


def test_a_huge_form_is_refused(client):
    assert client.post("/sign-in", data={"name": "x" * 20_000}).status_code == 413


def test_demo_people_are_buttons_on_loopback_only(client, monkeypatch):
    monkeypatch.setattr(web.st, "get_option", lambda name: "127.0.0.1")
    assert "Demo plant" in client.get("/sign-in").text
    assert client.post("/sign-in", data={"demo": "Ines"}).status_code == 303
    monkeypatch.setattr(web.st, "get_option", lambda name: "0.0.0.0")
    assert "Demo plant" not in client.get("/sign-in").text
    assert client.post("/sign-in", data={"demo": "Ines"}).status_code == 401


def test_signing_out_ends_the_session_in_the_store(client):
    as_person(client, "Ines")
    token = client.cookies[COOKIE]
    assert client.get(f"/img/{lyon_image().id}/thumb").status_code == 200
    client.post("/sign-out")
    client.cookies.clear()
    client.cookies.set(COOKIE, token)
    assert client.get(f"/img/{lyon_image().id}/thumb").status_code == 401


def test_a_picture_is_401_signed_out_200_signed_in_and_403_at_another_site(client):
    image = lyon_image()
    assert client.get(f"/img/{image.id}/screen").status_code == 401
    answer = as_person(client, "Ines").get(f"/img/{image.id}/screen")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"].startswith("private")
    assert as_person(client, "Tomas").get(f"/img/{image.id}/screen").status_code == 403


def test_maps_are_transparent_pictures(client):
    as_person(client, "Ines")
    for kind in ("heatmap", "where"):
        answer = client.get(f"/img/{lyon_image().id}/{kind}")
        assert answer.headers["content-type"] == "image/png"


def maps(client, image):
    return {client.get(f"/img/{image.id}/{kind}").status_code for kind in ("heatmap", "where")}


def answer_about(image, who, verdict=Verdict.PASS):
    """Answer what is open until that part has been answered, too."""
    mine = context.plant().acting_as(Actor(who))
    while (task := mine.queue.lease(site=image.site)) is not None:
        mine.reviews.add(task.id, task.revision, task.fence, Review(verdict, who))
        if task.part_id == image.part_id:
            return
    raise AssertionError(f"{who} was not given part {image.part_id}")


def test_a_map_typed_by_hand_is_refused_before_a_reviewers_own_first_look(client):
    image = lyon_image()
    context.plant().sites.set_blind(image.site, True)
    as_person(client, "Ines")
    assert maps(client, image) == {403}
    assert client.get(f"/img/{image.id}/screen").status_code == 200
    answer_about(image, "Ines")
    assert maps(client, image) == {200}
    context.plant().queue.send(image.part_id, TaskKind.AUDIT)  # asked again, she has seen it already
    assert maps(client, image) == {200}


def test_a_map_is_refused_while_a_second_look_or_an_audit_waits_and_shown_again_afterwards(client):
    image, store = lyon_image(), context.plant()
    as_person(client, "Ines")
    assert maps(client, image) == {200}
    other = next(one for one in store.images.find(site="Lyon", limit=50) if one.part_id != image.part_id)
    audit = store.queue.send(other.part_id, TaskKind.AUDIT)
    assert maps(client, image) == {403}
    store.queue.withdraw(audit.id, "not needed")
    assert maps(client, image) == {200}
    answer_about(image, "Quentin", Verdict.UNSURE)
    assert maps(client, image) == {403}
    answer_about(image, "Ines")
    assert maps(client, image) == {200}


@pytest.mark.parametrize("who", ["Dora", "Quentin"])
def test_who_also_reviews_sees_the_maps_of_a_part_as_soon_as_anybody_has_answered_it(client, who):
    image = lyon_image()
    context.plant().sites.set_blind(image.site, True)
    as_person(client, who)
    assert maps(client, image) == {403}
    answer_about(image, "Ines")
    assert maps(client, image) == {200}


@pytest.mark.parametrize("who", ["Ada", "Vera"])
def test_who_reviews_nothing_is_never_kept_from_a_map(client, who):
    image = lyon_image()
    context.plant().sites.set_blind(image.site, True)
    assert maps(as_person(client, who), image) == {200}


@pytest.mark.parametrize("path", ["/img/99999/screen", "/img/1/secret", "/img/1/..%2f..%2fholdpoint.sqlite3"])
def test_what_is_not_there_is_404(client, path):
    assert as_person(client, "Ines").get(path).status_code in (404, 400)


def test_a_changed_file_is_shown_as_changed_and_remembered(client, tmp_path):
    image = lyon_image()
    as_person(client, "Ines")
    original = Path(image.path).read_bytes()
    try:
        Path(image.path).write_bytes(original + b"x")
        answer = client.get(f"/img/{image.id}/screen")
        assert (answer.status_code, "Evidence changed" in answer.text) == (409, True)
        assert context.plant().images.get(image.id).state == "evidence changed"
    finally:
        Path(image.path).write_bytes(original)


def test_a_missing_file_says_so_even_where_a_copy_was_shown_before(client):
    image = lyon_image()
    as_person(client, "Ines")
    assert client.get(f"/img/{image.id}/thumb").status_code == 200
    path = Path(image.path)
    away = path.with_suffix(".away")
    path.rename(away)
    try:
        answer = client.get(f"/img/{image.id}/thumb")
        assert (answer.status_code, "File missing" in answer.text) == (409, True)
    finally:
        away.rename(path)


def test_an_export_is_only_for_who_may_export_and_only_from_its_folder(client, tmp_path):
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "a").mkdir()
    (exports / "a" / "labels.json").write_bytes(b"{}")
    store = context.plant()
    inside, outside = (store.jobs.submit("export", {}) for _ in range(2))
    for job_id, path in ((inside, exports / "a"), (outside, tmp_path / "holdpoint.sqlite3")):
        store.jobs.claim("w", kinds=["export"])
        store.jobs.finish(job_id, {"destination": str(path)})
    assert as_person(client, "Ines").get(f"/export/{inside}").status_code == 403
    as_person(client, "Dora")
    with zipfile.ZipFile(io.BytesIO(client.get(f"/export/{inside}").content)) as archive:
        assert archive.namelist() == ["labels.json"]
    assert client.get(f"/export/{outside}").status_code == 404
