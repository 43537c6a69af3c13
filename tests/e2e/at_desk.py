"""A person at the queue's desk in a browser: coming in, pressing keys, and waiting for what they bring."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.house import House

SLOW = 60_000  # milliseconds; the machine that runs this may be busy


def come_in(page: Page, house: House, name: str = "Ines") -> None:
    page.goto(f"{house.url}/queue")
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    ready(page)


def desk(page: Page) -> Locator:
    return page.locator(".desk-root")


def ready(page: Page) -> str:
    """A picture is on the screen and has been for a moment: what is pressed now counts for it."""
    expect(desk(page)).to_have_attribute("data-ready", re.compile(r"^\d+\.\d+$"), timeout=SLOW)
    return desk(page).get_attribute("data-ready")


def gone(page: Page, item: str) -> None:
    expect(desk(page)).not_to_have_attribute("data-item", item, timeout=SLOW)


def press(page: Page, key: str) -> str:
    """Press a key about the part on the screen and see the next one come."""
    item = ready(page)
    page.keyboard.press(key)
    gone(page, item)
    return item


def saved(page: Page) -> None:
    expect(page.get_by_text("all saved")).to_be_visible(timeout=SLOW)


def part_on_screen(page: Page) -> str:
    return page.locator(".facts td").first.inner_text()
