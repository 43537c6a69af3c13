import tomllib
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import theme
from app.web.guard import COOKIE, MUST_HOLD, Guard, check_config, host_allowed, is_open, same_origin
from app.web.sign_in import on_loopback, page, safe_next
from app.web.uploads import UploadBudget
from core.errors import BadInput
from core.roles import Role

CONFIG = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())


async def _hello(_request):
    return PlainTextResponse("hello")


async def _talk(socket: WebSocket):
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


@pytest.fixture
def client():
    app = Starlette(
        routes=[
            Route("/", _hello),
            Route("/sign-in", _hello, methods=["GET", "POST"]),
            Route("/_stcore/upload_file/x/y", _hello, methods=["PUT"]),
            WebSocketRoute("/_stcore/stream", _talk),
        ],
        middleware=[Middleware(Guard, signed_in=lambda t: t == "good", allowed_hosts=lambda: ["testserver"])],
    )
    return TestClient(app, follow_redirects=False)


def signed_in(client):
    client.cookies.set(COOKIE, "good")
    return client


def test_another_host_name_is_refused_even_with_a_session(client):
    answer = signed_in(client).get("/", headers={"host": "evil.example"})
    assert answer.status_code == 403


def test_a_form_from_another_site_is_refused_even_on_the_sign_in_page(client):
    assert client.post("/sign-in", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post("/sign-in", headers={"origin": "http://testserver"}).status_code == 200


def test_signed_out_a_page_leads_to_the_sign_in_and_comes_back_afterwards(client):
    for path in ("/", "/queue"):
        answer = client.get(path, headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")
    assert client.get("/").headers["location"] == "/sign-in?next=/"  # a probe names no type it accepts


def test_signed_out_nothing_but_the_sign_in_is_served(client):
    assert client.get("/queue").status_code == 401
    assert client.get("/sign-in").status_code == 200


def test_uploads_are_refused_before_sign_in(client):
    assert client.put("/_stcore/upload_file/x/y", content=b"x").status_code == 401
    assert signed_in(client).put("/_stcore/upload_file/x/y", content=b"x").status_code == 200


def test_an_upload_says_its_size_and_one_persons_have_a_limit_together():
    now = [0.0]
    budget = UploadBudget(most_bytes=10, window_s=60, clock=lambda: now[0])
    app = Starlette(
        routes=[Route("/_stcore/upload_file/x/y", _hello, methods=["PUT"])],
        middleware=[Middleware(Guard, signed_in=bool, allowed_hosts=lambda: ["testserver"], may_upload=budget.take)],
    )
    client = TestClient(app)
    path = "/_stcore/upload_file/x/y"

    def put(who, content):
        return client.put(path, content=content, headers={"cookie": f"{COOKIE}={who}"}).status_code

    assert put("ana", iter([b"no length"])) == 411
    assert [put("ana", b"123456"), put("ana", b"123456"), put("ben", b"123456")] == [200, 429, 200]
    now[0] = 61
    assert put("ana", b"123456") == 200


def test_no_script_runs_for_who_is_not_signed_in(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
        pass
    with signed_in(client).websocket_connect("/_stcore/stream") as socket:
        assert socket.receive_text() == "hello"


def test_a_page_of_another_site_cannot_open_the_stream(client):
    with (
        pytest.raises(WebSocketDisconnect),
        signed_in(client).websocket_connect("/_stcore/stream", headers={"origin": "https://evil.example"}),
    ):
        pass


def test_a_wrong_token_is_no_session(client):
    client.cookies.set(COOKIE, "bad")
    assert client.get("/queue").status_code == 401


def test_every_answer_carries_the_security_headers(client):
    for answer in (client.get("/"), client.get("/sign-in"), signed_in(client).get("/")):
        policy = answer.headers["content-security-policy"]
        assert "img-src 'self' data: blob:" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost:8501", True),
        ("127.0.0.1", True),
        ("[::1]:8501", True),
        ("LOCALHOST.", True),
        ("localhost.evil.example", False),
        ("evil.example", False),
        ("", False),
        ("[", False),
        ("user@localhost", True),
    ],
)
def test_hosts_are_taken_from_the_list(host, allowed):
    assert host_allowed(host, CONFIG["server"]["allowedHosts"]) is allowed


def test_a_wildcard_covers_names_below_it_only():
    assert host_allowed("a.plant.example", ["*.plant.example"])
    assert not host_allowed("plant.example", ["*.plant.example"])
    assert not host_allowed("evilplant.example", ["*.plant.example"])


def test_an_origin_must_be_this_very_server():
    assert same_origin("http://localhost:8501", "localhost:8501")
    assert not same_origin("http://localhost:9999", "localhost:8501")
    assert not same_origin("null", "localhost:8501")


def test_only_the_sign_in_and_the_program_itself_are_open():
    assert is_open("/sign-in")
    assert is_open("/static/js/index.js")
    for path in (
        "/",
        "/queue",
        "/img/1/full",
        "/media/x",
        "/_stcore/stream",
        "/sign-in/x",
        "/export/1",
        "/_stcore/metrics",
    ):
        assert not is_open(path)


def test_the_shipped_configuration_holds_every_protection():
    def option(name):
        section, key = name.split(".")
        return CONFIG.get(section, {}).get(key)

    check_config(option)
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert "trustedUserHeaders" not in CONFIG["server"]
    assert set(CONFIG["server"]["allowedHosts"]) == {"localhost", "127.0.0.1", "::1"}


@pytest.mark.parametrize("name", MUST_HOLD)
def test_the_server_refuses_to_start_with_a_protection_off(name):
    values = {**MUST_HOLD, "server.allowedHosts": ["localhost"], "server.trustedUserHeaders": {}}
    check_config(values.get)
    with pytest.raises(BadInput, match=name):
        check_config({**values, name: "something else"}.get)


def test_the_server_refuses_to_start_with_no_host_list_or_with_trusted_headers():
    values = {**MUST_HOLD, "server.allowedHosts": ["localhost"]}
    with pytest.raises(BadInput, match="allowedHosts"):
        check_config({**values, "server.allowedHosts": []}.get)
    with pytest.raises(BadInput, match="trustedUserHeaders"):
        check_config({**values, "server.trustedUserHeaders": {"email": "x-user"}}.get)


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("/queue", "/queue"),
        ("/", "/"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/queue?site=Lyon", "/queue"),
    ],
)
def test_after_sign_in_one_never_lands_elsewhere(target, allowed):
    assert safe_next(target) == allowed


@pytest.mark.parametrize(
    ("client_address", "bound_to", "offered"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "localhost", True),
        ("127.0.0.1", None, False),
        ("127.0.0.1", "0.0.0.0", False),
        ("10.0.0.5", "127.0.0.1", False),
        (None, "127.0.0.1", False),
    ],
)
def test_demo_people_come_in_only_on_loopback(client_address, bound_to, offered):
    assert on_loopback(client_address, bound_to) is offered


def test_names_on_the_sign_in_page_are_text():
    html = page(demo_people=[("<script>x</script>", Role.INSPECTOR)], next_path="/", message="<b>no</b>")
    assert "<script>x" not in html
    assert "<b>no</b>" not in html


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_text_colour_stands_out_from_its_ground(name):
    colours = CONFIG["theme"][name]
    for ground in (colours["backgroundColor"], colours["secondaryBackgroundColor"]):
        assert theme.contrast(colours["textColor"], ground) >= 7
        for key in colours:
            if key.endswith("TextColor") or key == "linkColor":
                assert theme.contrast(colours[key], ground) >= 4.5, key
        assert theme.contrast(colours["primaryColor"], ground) >= 3
    assert theme.contrast("#ffffff", colours["primaryColor"]) >= 4.5


def test_the_two_overlays_and_all_classes_have_colours_of_their_own():
    assert len(set(theme.CLASS_COLOURS)) == len(theme.CLASS_COLOURS)
    assert not set(theme.HEATMAP_RAMP) & set(theme.WHERE_RAMP)
