"""What several tests do by clicking, each the way a person would."""

import re

from playwright.sync_api import Page, expect

PATIENCE_MS = 60_000


def create_job(page: Page, **settings: str) -> str:
    """On the page of a new job: fill fields by their labels (`most_steps` is “Most steps”), and send it. Its id."""
    for name, value in settings.items():
        page.get_by_label(name.replace("_", " ").capitalize(), exact=True).filter(visible=True).fill(value)
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    page.get_by_role("button", name="Create job").click()
    page.wait_for_url("**/jobs/ftjob-*")
    return page.url.rpartition("/")[2]


def see_it_succeed(page: Page) -> None:
    """On the page of a job."""
    expect(page.locator("[data-job-status]")).to_have_text("Succeeded", timeout=PATIENCE_MS)


def ask(page: Page, message: str) -> None:
    """In a chat, until every answer is written."""
    box = page.get_by_label("Message", exact=True)
    box.fill(message)
    box.press("Enter")
    expect(page.locator(".bubble").last).to_have_text(message)
    expect(page.get_by_role("button", name="Send")).to_be_visible(timeout=PATIENCE_MS)


def label_ten_pairs(page: Page, prompts: str, models: tuple[str, str], goes_to: str) -> None:
    """Two models answer the prompts of a dataset; keys say which answer is better."""
    page.get_by_label("Pairs from").select_option(label=prompts)
    for name, model in zip(("Model A", "Model B"), models, strict=True):
        page.get_by_label(name, exact=True).select_option(model)
    page.get_by_label("Most tokens").fill("12")
    page.get_by_role("button", name="Start", exact=True).click()
    done, ready = page.locator("#labelled-count"), page.locator(".vote-bar button:not([disabled])")
    for number in range(40):
        expect(ready.first).to_be_visible(timeout=PATIENCE_MS)
        before = done.inner_text()
        if before.startswith("10 "):
            break
        assert page.locator(".answer-model").count() == 0, "nobody sees who wrote it"
        page.keyboard.press("12"[number % 2])
        refused = page.locator(".vote-note .error-text")
        expect(refused.or_(done.filter(has_not_text=re.compile(f"^{before}$")))).to_be_visible(timeout=PATIENCE_MS)
        if refused.is_visible():  # a model that has learned little says nothing at times, and the same twice
            page.keyboard.press("s")
    expect(page.locator(".label-tray")).to_contain_text(f"10 new labels for {goes_to}")


def publish(page: Page, version: str, rows: str) -> None:
    """Labels that wait on a page become the dataset's next version."""
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".label-tray")).to_contain_text(f"{version} has {rows}.", timeout=PATIENCE_MS)
