"""Coming in by the company's own sign-in, against a real provider on this machine."""

import shutil
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import context
from app.settings import Settings
from app.web import oidc
from app.web import routes as web
from app.web.guard import COOKIE, Guard
from core.errors import BadInput, NotAllowed
from core.roles import Role
from tests.small_plant import make_plant

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
PEOPLE = [
    User(sub="u-1", claims={"email": "Ana@plant.example", "email_verified": True}),
    User(sub="u-2", claims={"email": "ana@plant.example", "email_verified": False}),
    User(sub="u-3", claims={"email": "eve@plant.example", "email_verified": True}),
    User(sub="ana@plant.example", claims={}),
]


@pytest.fixture(scope="module")
def provider():
    with run_server_in_thread(user_claims=PEOPLE) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_plant(tmp_path_factory.mktemp("plant") / "home", parts=1)


@pytest.fixture
def client(made, provider, tmp_path, monkeypatch):
    for file in made.home.glob("holdpoint.sqlite3*"):
        shutil.copy(file, tmp_path / file.name)
    monkeypatch.setenv("HOLDPOINT_HOME", str(tmp_path))
    monkeypatch.delenv("HOLDPOINT_DATABASE_URL", raising=False)
    monkeypatch.setenv("HOLDPOINT_OIDC_ISSUER", provider)
    monkeypatch.setenv("HOLDPOINT_OIDC_CLIENT_ID", "holdpoint")
    monkeypatch.setenv("HOLDPOINT_OIDC_CLIENT_SECRET", "not so secret here")
    monkeypatch.setenv("HOLDPOINT_OIDC_NAME", "Plant & Sons")
    app = Starlette(
        routes=web.routes(),
        middleware=[Middleware(Guard, signed_in=context.signed_in, allowed_hosts=lambda: ["127.0.0.1"])],
    )
    yield TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, client=("127.0.0.1", 5000))
    context._open.cache_clear()


def there_and_back(client: TestClient, who: str, next_path: str = "/queue") -> httpx.Response:
    """Follow the browser to the provider, say who one is, and come back."""
    sent = client.get(f"/sign-in/company?next={next_path}")
    assert sent.status_code == 303, sent.text
    answer = httpx.post(sent.headers["location"], data={"sub": who})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    assert back.path == "/sign-in/company/back"
    return client.get(f"{back.path}?{back.query}")


def alert(answer: httpx.Response) -> str:
    return answer.text.split('role="alert">')[1].split("<")[0]


def account(identity: str | None = "ana@plant.example") -> None:
    context.plant().people.add("Ana", None, Role.INSPECTOR, ["Lyon"], identity=identity)


def test_somebody_with_an_account_comes_in_to_the_page_they_asked_for(client):
    account()
    answer = there_and_back(client, "u-1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/queue")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{COOKIE}="))
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    person = context.plant().people.who(client.cookies[COOKIE])
    assert (person.name, person.role, person.sites) == ("Ana", Role.INSPECTOR, ("Lyon",))
    assert context.plant().audit.recent(1)[0].reason == "company sign-in"


def test_who_has_no_account_here_is_told_so_and_none_is_made(client):
    answer = there_and_back(client, "u-3")
    assert answer.status_code == 401
    assert "no open account for you" in alert(answer)
    assert COOKIE not in client.cookies
    assert "eve" not in " ".join(one.name for one in context.plant().people.all()).lower()


def test_an_address_that_the_company_has_not_verified_opens_nothing(client):
    account()
    assert there_and_back(client, "u-2").status_code == 401


def test_a_subject_that_looks_like_an_address_is_not_taken_for_one(client):
    account()
    assert there_and_back(client, "ana@plant.example").status_code == 401


def test_an_address_given_to_somebody_else_later_does_not_open_the_account(client):
    account()
    assert there_and_back(client, "u-1").status_code == 303
    people = context.plant().people
    with pytest.raises(NotAllowed, match="no open account"):
        people.sign_in_company("https://elsewhere.example", "u-9", "ana@plant.example")
    people.set_identity("Ana", "ana@plant.example")  # an administrator has looked into it
    assert people.sign_in_company("https://elsewhere.example", "u-9", "ana@plant.example")


def test_a_disabled_account_stays_closed_and_signing_out_ends_the_session(client):
    account("u-1")
    assert there_and_back(client, "u-1").status_code == 303
    token = client.cookies[COOKIE]
    client.post("/sign-out")
    assert context.plant().people.who(token) is None
    context.plant().people.disable("Ana")
    assert there_and_back(client, "u-1").status_code == 401


def test_an_answer_that_nobody_asked_for_is_refused(client):
    account()
    sent = client.get("/sign-in/company")
    answer = httpx.post(sent.headers["location"], data={"sub": "u-1"})
    back = urlsplit(answer.headers["location"])
    stranger = TestClient(client.app, base_url="http://127.0.0.1", follow_redirects=False)
    assert "began elsewhere" in alert(stranger.get(f"{back.path}?{back.query}"))  # somebody else's browser
    wrong = parse_qs(back.query)["code"][0]
    assert client.get(f"{back.path}?code={wrong}&state=made-up").status_code == 401
    assert client.get(f"{back.path}?{back.query}").status_code == 401  # the number is spent


def test_an_answer_that_came_too_late_is_refused(client, monkeypatch):
    account()
    monkeypatch.setattr(oidc, "PATIENCE_S", -1)
    assert "too long" in alert(there_and_back(client, "u-1"))


def test_a_provider_that_cannot_be_reached_is_a_sentence(client, monkeypatch):
    monkeypatch.setenv("HOLDPOINT_OIDC_ISSUER", "http://localhost:9")
    answer = client.get("/sign-in/company")
    assert (answer.status_code, "cannot be reached" in alert(answer)) == (502, True)


def test_a_provider_that_calls_itself_otherwise_is_not_believed(client, provider, monkeypatch):
    monkeypatch.setenv("HOLDPOINT_OIDC_ISSUER", provider.replace("localhost", "127.0.0.1") + "/x")
    assert client.get("/sign-in/company").status_code == 502


def test_one_never_lands_elsewhere_afterwards(client):
    account()
    assert there_and_back(client, "u-1", "https://evil.example/").headers["location"] == "/"


def test_the_page_offers_it_by_name_only_where_it_is_set(client, monkeypatch):
    assert "Sign in with Plant &amp; Sons" in client.get("/sign-in").text
    monkeypatch.setenv("HOLDPOINT_OIDC_ISSUER", "")
    assert "/sign-in/company" not in client.get("/sign-in").text
    assert client.get("/sign-in/company").status_code == 404


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"oidc_issuer": "https://id.example"}, "HOLDPOINT_OIDC_CLIENT_ID"),
        ({"oidc_issuer": "https://id.example", "oidc_client_id": "x"}, "HOLDPOINT_OIDC_CLIENT_SECRET"),
        ({"oidc_issuer": "http://id.example", "oidc_client_id": "x", "oidc_client_secret": SecretStr("y")}, "https"),
    ],
)
def test_the_server_refuses_to_start_with_half_a_configuration(values, told):
    oidc.check(Settings())
    with pytest.raises(BadInput, match=told):
        oidc.check(Settings(**values))


def test_the_secret_is_never_shown():
    assert "hush" not in repr(Settings(oidc_client_secret=SecretStr("hush")))
