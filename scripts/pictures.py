"""The pictures of the README, from a running demo: `python -m scripts.pictures http://127.0.0.1:8000 PASSWORD`."""

import sys

from playwright.sync_api import Page, sync_playwright

from scripts import machine
from scripts.compose import ROOT

IMAGES = ROOT / "docs" / "images"
TEMPLATE = "Think, then answer"
"""A reward that begins with answers of its own: right, half right and wrong."""


def main(url: str, password: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=machine.chromium(), args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(base_url=url, locale="en-GB", color_scheme="light")
        context.add_cookies([{"name": "theme", "value": "light", "url": url}])
        page = context.new_page()
        log_in(page, password)
        take_job(page)
        take_builder(page)
        browser.close()


def log_in(page: Page, password: str) -> None:
    page.goto("/")
    page.get_by_label("User name").fill("demo")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def take_job(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto("/jobs")
    page.get_by_role("link", name="arithmetic", exact=True).last.click()
    page.locator("job-charts canvas").nth(5).wait_for()
    take(page, "job")


def take_builder(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 980})
    page.goto("/build/evaluator")
    page.get_by_role("button", name=TEMPLATE).click()
    page.get_by_role("textbox", name="Name", exact=True).fill("think-then-answer")
    page.locator(".own-sample summary").nth(3).click()
    page.get_by_text("Valid", exact=True).wait_for()
    take(page, "builder")


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png")
    print(IMAGES / f"{name}.png")


if __name__ == "__main__":
    main(*sys.argv[1:3])
