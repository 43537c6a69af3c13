"""On a real server: what is not yours cannot be reached, uploads need a sign-in, and a lost role stops the next act."""

import json
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect
from starlette.routing import Route

from app.navigation import PAGES
from app.web.routes import routes
from core.roles import PERMISSIONS, Actor, Role
from data.store import open_store
from tests.small_plant import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]
SLOW = 60_000


def asked(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and body of a plain request, without following anything."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args, **_more):
            return None

    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, method=method, headers=given)
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=60) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def token(server, who: str) -> str:
    return open_store(server.plant.url).people.sign_in(who, PASSWORD)


def come_in(browser, server, who: str):
    window = browser.new_context(viewport={"width": 1366, "height": 768})
    window.add_cookies([{"name": "holdpoint", "value": token(server, who), "url": server.url}])
    return window.new_page()


OURS = [route.path.replace("{image_id:int}", "1").replace("{kind}", "screen").replace("{job_id:int}", "1")
        for route in routes() if isinstance(route, Route)]  # fmt: skip
STREAMLITS = ["/", "/queue", "/_stcore/stream", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics",
              "/_stcore/upload_file/a/b", "/media/x.png", "/component/x/index.html", "/static/x.js",
              "/app/static/x"]  # fmt: skip


@pytest.mark.parametrize("path", sorted({*OURS, *STREAMLITS}))
def test_every_route_asks_for_the_host_and_no_answer_lacks_its_headers(server, path):
    cookie = f"holdpoint={token(server, 'Ada')}"
    assert asked(f"{server.url}{path}", Host="evil.example", Cookie=cookie)[0] == 403
    for method in ("POST", "PUT", "DELETE"):
        status, _ = asked(f"{server.url}{path}", method, b"x", Origin="https://evil.example", Cookie=cookie)
        assert status == 403, method
    request = urllib.request.Request(f"{server.url}{path}", headers={"Cookie": cookie})
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    assert "img-src 'self' data: blob:" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/_stcore/upload_file/a/b", "/media/x.png", "/img/1/screen", "/export/1", "/_stcore/metrics"]
)
def test_signed_out_nothing_of_the_plant_is_served_and_no_upload_taken(server, path):
    assert asked(f"{server.url}{path}")[0] == 401
    assert asked(f"{server.url}{path}", "PUT", b"x" * 1000)[0] == 401


def test_an_upload_needs_streamlits_own_cross_site_token_too(server):
    cookie = f"holdpoint={token(server, 'Ada')}"
    status, _ = asked(f"{server.url}/_stcore/upload_file/a/b", "PUT", b"x", Cookie=cookie, Origin=server.url)
    assert status == 403


WHO = {Role.INSPECTOR: "Ines", Role.QA_LEAD: "Quentin", Role.DATA_SCIENTIST: "Dora", Role.ADMIN: "Ada",
       Role.VIEWER: "Vera"}  # fmt: skip


@pytest.mark.parametrize("role", Role, ids=str)
def test_a_page_that_is_not_for_a_role_is_not_reached_by_its_address(browser, server, role):
    page = come_in(browser, server, WHO[role])
    others = [entry for entry in PAGES if entry.action not in PERMISSIONS[role]]
    for entry in others:
        page.goto(f"{server.url}/{entry.url}")
        said = page.get_by_role("alert").filter(has_text=f"The page {entry.title} is not for the role {role.spoken}")
        expect(said).to_be_visible(timeout=SLOW)
        expect(said).to_contain_text("ask an administrator for another role")
        expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0, timeout=SLOW)
        assert page.get_by_role("dialog").count() == 0, entry.path
        assert page.get_by_role("heading").count() == 0, entry.path
        drawn = page.get_by_test_id("stMain").locator("button, input, table, img, canvas, [data-testid=stDataFrame]")
        (menu,) = [one.inner_text() for one in drawn.all() if one.is_visible()]
        assert WHO[role] in menu, entry.path  # the person's own, and nothing else
    assert others
    page.context.close()


def test_signed_out_every_page_leads_to_the_sign_in(server):
    for entry in PAGES:
        status, _ = asked(f"{server.url}/{entry.url}", Accept="text/html")
        assert status == 303, entry.path


def test_a_role_taken_away_while_the_page_is_open_stops_the_next_act(browser, server):
    """Once with the session ended, as an administrator does it, and once with the role alone gone from the store."""
    boss = open_store(server.plant.url)
    page = come_in(browser, server, "Dora")
    page.goto(f"{server.url}/export")
    expect(page.get_by_role("button", name="Export", exact=True)).to_be_visible(timeout=SLOW)
    jobs = len(boss.jobs.recent())
    boss.acting_as(Actor("Ada")).people.set_role("Dora", Role.VIEWER)
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_text("signed out").first).to_be_visible(timeout=SLOW)
    assert len(boss.jobs.recent()) == jobs
    page.context.close()

    boss.people.set_role("Dora", Role.DATA_SCIENTIST)
    page = come_in(browser, server, "Dora")
    page.goto(f"{server.url}/export")
    button = page.get_by_role("button", name="Export", exact=True)
    expect(button).to_be_visible(timeout=SLOW)
    with boss.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE users SET role = 'viewer' WHERE name = 'Dora'")
    button.click()
    expect(button).to_have_count(0, timeout=SLOW)
    assert len(boss.jobs.recent()) == jobs
    page.context.close()


def test_what_happens_on_the_server_is_sealed_by_it(server, browser):
    store = open_store(server.plant.url)
    page = come_in(browser, server, "Ada")
    page.goto(f"{server.url}/audit")
    expect(page.get_by_role("button", name="Verify")).to_be_visible(timeout=SLOW)
    for _ in range(120):
        if store.seals.waiting()[0] == 0:
            break
        page.wait_for_timeout(500)
    head = store.seals.head()
    assert head is not None
    assert json.loads((server.plant.home / "audit" / "seen.json").read_text())["number"] <= head.number
    page.context.close()
