"""One platform on one machine for all tests that only look at it, and a browser to look with."""

from collections.abc import Iterator

import httpx
import openai
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.end_to_end.laptop import PASSWORD, USER, Laptop, prepared

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with prepared(tmp_path_factory.mktemp("laptop")) as started:
        yield started


@pytest.fixture(scope="session")
def api(laptop: Laptop) -> Iterator[httpx.Client]:
    with laptop.api() as client:
        yield client


@pytest.fixture(scope="session")
def client(laptop: Laptop, api: httpx.Client) -> Iterator[openai.OpenAI]:
    """OpenAI's own. It asks again while a model is being loaded."""
    key = api.headers["Authorization"].removeprefix("Bearer ")
    with openai.OpenAI(base_url=f"{laptop.url}/v1", api_key=key, max_retries=8) as started:
        yield started


@pytest.fixture(scope="module")  # while it is open, asyncio takes its thread for one with a loop, and Django refuses it
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, laptop: Laptop) -> Iterator[Page]:
    """A fresh visitor who has logged in. A page that throws, or breaks its own CSP, fails the test."""
    context = browser.new_context(base_url=laptop.url, viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"{error}\n{error.stack}"))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    log_in(page)
    yield page
    context.close()
    assert not complaints


def log_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("User name").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
