import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import app.jobs.intake.line as line_module
from app import api
from app.api.guard import token
from app.api.service import Ask, Service
from app.settings import Settings
from core.errors import BadInput, ModelError
from data.store import Store

Draw = Callable[..., list[Path]]
KEYS = {
    "image_id", "prediction", "defects", "overall_confidence", "inference_time_ms", "recommended_action",
    "model_version", "camera_id", "timestamp", "decision", "reasons", "policy_version", "coordinates",
}  # fmt: skip


@pytest.fixture
def client(line_ready: Store, current: Settings) -> Iterator[TestClient]:
    with TestClient(api.make_app(current, line_ready, "tiny"), base_url="http://localhost") as opened:
        opened.headers["Authorization"] = f"Bearer {token(current)}"
        yield opened


def post(client: TestClient, file: Path, key: str | None = None, **fields: str) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(api.PATH, files={"image": (file.name, file.read_bytes())}, data=fields, headers=headers)


def test_a_picture_at_a_site_is_filed_and_decided(client: TestClient, line_ready: Store, pictures: Draw):
    (file,) = pictures("a.png")
    answered = post(client, file, site="lyon", camera_id="cam 3", part="7781", view="top", order="55")
    assert answered.status_code == 200
    document = answered.json()
    assert document.keys() == KEYS
    assert (document["decision"], document["camera_id"], document["policy_version"]) == ("PASS", "cam 3", 1)
    image = line_ready.images.get(int(document["image_id"]))
    assert (image.capture.part, image.capture.view, image.capture.order) == ("7781", "top", "55")
    assert Path(image.path).read_bytes() == file.read_bytes()
    assert Path(image.path).name == f"{image.sha256}.png"


def test_without_a_site_nothing_is_stored_and_everything_is_held(client: TestClient, line_ready: Store, pictures: Draw):
    document = post(client, pictures("a.png")[0]).json()
    assert document["prediction"] is not None
    assert document["decision"] == "HOLD"
    assert line_ready.images.count() == 0


def test_the_same_key_files_once_and_answers_the_same_image(client: TestClient, line_ready: Store, pictures: Draw):
    (file,) = pictures("a.png")
    first = post(client, file, "k1", site="lyon").json()
    second = post(client, file, "k1", site="lyon").json()
    assert first == second
    assert line_ready.images.count() == 1


def test_a_key_for_another_picture_is_refused(client: TestClient, pictures: Draw):
    first, second = pictures("a.png", "b.png")
    post(client, first, "k1", site="lyon")
    answered = post(client, second, "k1", site="lyon")
    assert answered.status_code == 409
    assert "k1" in answered.json()["detail"]


def test_the_same_bytes_without_a_key_are_a_frozen_camera(client: TestClient, pictures: Draw):
    (file,) = pictures("a.png")
    assert post(client, file, site="lyon").json()["decision"] == "PASS"
    again = post(client, file, site="lyon").json()
    assert (again["decision"], again["reasons"][0]["code"]) == ("HOLD", "same picture")


def test_requests_at_the_same_time_are_each_answered_about_their_own_picture(
    client: TestClient, line_ready: Store, pictures: Draw
):
    files = pictures(*(f"{number}.png" for number in range(6)))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda file: post(client, file, file.name, site="lyon").json(), files))
    assert len({one["image_id"] for one in answers}) == 6
    for file, one in zip(files, answers, strict=True):
        assert line_ready.images.get(int(one["image_id"])).capture.source == f"request:{file.name}"


def test_a_broken_picture_at_a_site_holds_its_part(client: TestClient, pictures: Draw):
    (file,) = pictures("a.jpg")
    file.write_bytes(file.read_bytes()[:400])
    answered = post(client, file, site="lyon", part="9")
    assert answered.status_code == 200
    assert (answered.json()["decision"], answered.json()["recommended_action"]) == ("HOLD", "second_scan")


def test_a_model_that_fails_is_answered_with_hold(client: TestClient, pictures: Draw, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise ModelError("no memory left on the card")

    monkeypatch.setattr(line_module, "open_model", fail)
    answered = post(client, pictures("a.png")[0], site="lyon")
    assert (answered.status_code, answered.json()["decision"]) == (200, "HOLD")
    assert answered.json()["reasons"][0]["code"] == "model error"


def test_no_answer_in_time_is_hold(
    client: TestClient, pictures: Draw, monkeypatch: pytest.MonkeyPatch, current: Settings
):
    monkeypatch.setattr(Service, "submit", lambda self, ask: ask.done)  # nobody ever answers
    object.__setattr__(current, "serve_seconds", 0.05)
    answered = post(client, pictures("a.png")[0], site="lyon")
    assert (answered.status_code, answered.json()["decision"]) == (200, "HOLD")
    assert answered.json()["reasons"][0]["code"] == "timeout"


def test_a_bug_is_an_error_that_still_says_hold(
    line_ready: Store, current: Settings, pictures: Draw, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Service, "_document", lambda *_: {}[0])
    app = api.make_app(current, line_ready)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {token(current)}"
        answered = post(client, pictures("a.png")[0], site="lyon")
    assert answered.status_code == 500
    assert answered.json()["decision"] == "HOLD"


@pytest.mark.parametrize(
    ("fields", "status", "word"),
    [
        ({"site": "nowhere"}, 404, "nowhere"),
        ({"site": "x" * 200}, 422, "site"),
        ({"site": "lyon", "part": "p" * 300}, 422, "part"),
    ],
)
def test_bad_input_is_one_clear_sentence(
    client: TestClient, pictures: Draw, fields: dict[str, str], status: int, word: str
):
    answered = post(client, pictures("a.png")[0], **fields)
    assert answered.status_code == status
    assert word in answered.json()["detail"]
    assert "\n" not in answered.json()["detail"]


def test_a_request_without_a_picture_is_refused(client: TestClient):
    answered = client.post(api.PATH, data={"site": "lyon"})
    assert answered.status_code == 422
    assert "image" in answered.json()["detail"]


def test_an_unreadable_picture_without_a_site_is_refused(client: TestClient, pictures: Draw):
    (file,) = pictures("a.png")
    file.write_bytes(b"no picture at all")
    assert post(client, file).status_code == 422


@pytest.mark.parametrize("given", [None, "Bearer ", "Bearer wrong", "Basic abc"])
def test_without_the_token_nothing_is_read(line_ready: Store, current: Settings, pictures: Draw, given: str | None):
    with TestClient(api.make_app(current, line_ready), base_url="http://localhost") as client:
        if given is not None:
            client.headers["Authorization"] = given
        assert post(client, pictures("a.png")[0], site="lyon").status_code == 401
    assert line_ready.images.count() == 0


def test_the_token_is_made_once_and_only_its_owner_reads_it(current: Settings):
    first = token(current)
    assert len(first) >= 32
    assert token(current) == first
    path = current.secrets / "api-token"
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("changeme")
    with pytest.raises(BadInput, match="shorter"):
        token(current)


def test_a_foreign_host_is_refused(client: TestClient):
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/healthz").json() == {"status": "ok"}


def test_too_large_a_body_is_refused_whether_or_not_it_says_so(
    line_ready: Store, pictures: Draw, monkeypatch: pytest.MonkeyPatch, current: Settings
):
    monkeypatch.setenv("HOLDPOINT_UPLOAD_BYTES", "2000")
    small = Settings()
    with TestClient(api.make_app(small, line_ready), base_url="http://localhost") as client:
        client.headers["Authorization"] = f"Bearer {token(small)}"
        body = b"x" * 200_000
        assert client.post(api.PATH, content=body).status_code == 413
        assert client.post(api.PATH, content=iter([body[:50_000]] * 4)).status_code == 413


def test_when_all_places_are_taken_the_next_is_told_when_to_come_back(
    pictures: Draw, monkeypatch: pytest.MonkeyPatch, line_ready: Store, current: Settings
):
    monkeypatch.setenv("HOLDPOINT_SERVE_WAITING", "1")
    settings = Settings()
    inside, hold = threading.Event(), threading.Event()
    real = Service.submit

    def slow(self: Service, ask: Ask) -> Any:
        inside.set()
        threading.Thread(target=lambda: (hold.wait(30), real(self, ask))).start()
        return ask.done

    monkeypatch.setattr(Service, "submit", slow)
    (file,) = pictures("a.png")
    app = api.make_app(settings, line_ready)
    with TestClient(app, base_url="http://localhost") as busy, ThreadPoolExecutor(1) as pool:
        busy.headers["Authorization"] = f"Bearer {token(settings)}"
        first = pool.submit(post, busy, file, site="lyon")
        assert inside.wait(30)
        answered = post(busy, file, site="lyon")
        hold.set()
        assert first.result().status_code == 200
    assert answered.status_code == 429
    assert int(answered.headers["Retry-After"]) >= 1


def test_every_field_and_the_key_are_documented_without_any_outside_address(client: TestClient):
    schema = client.get("/openapi.json").json()
    call = schema["paths"][api.PATH]["post"]
    assert [one["name"] for one in call["parameters"]] == ["Idempotency-Key"]
    assert "filed twice" in call["parameters"][0]["description"]
    assert schema["components"]["schemas"]["Answer"]["properties"].keys() == KEYS
    page = client.get("/docs").text
    for word in ("image", "site", "camera_id", "part_type", "Idempotency-Key", "429"):
        assert word in page
    assert "http://" not in page
    assert "https://" not in page
