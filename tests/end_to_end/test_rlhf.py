"""RLHF clicked through: pairs, a reward model, its evaluator, PPO, a comparison, each filled in from the one before."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.end_to_end.laptop import upload, young_starter
from tests.end_to_end.steps import PATIENCE_MS, create_job, see_it_succeed
from whetstone.starter import data

pytestmark = pytest.mark.end_to_end


def pairs_of(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Sums with a carry: the answer that minds it is better than the one that forgets it."""
    for row in rows:
        question = row["messages"][0]["content"]
        a, b = map(int, question.split("+"))
        if a % 10 + b % 10 > 9:
            chosen, rejected = (data.worked_out(a, b, carries=carries) for carries in (True, False))
            yield {"prompt": question, "chosen": chosen, "rejected": rejected}


PAIRS = list(islice(pairs_of(data.problems("train")), 48))


def step(page: Page, title: str) -> Locator:
    return page.locator(".way-step").filter(has=page.get_by_role("heading", name=title))


def test_the_whole_way_is_clicked_through(page: Page, api: httpx.Client) -> None:
    base, pairs = young_starter(api), upload(api, "carried-or-not.jsonl", PAIRS)["id"]
    split(page, pairs)
    choose(page, base)
    teach(page)
    learn(page, base)
    compare(page, base)


def split(page: Page, pairs: str) -> None:
    page.goto(f"/datasets/{pairs}")
    page.get_by_label("How much is held out").fill("8")
    page.get_by_label("Unit").select_option("rows")
    page.get_by_role("button", name="Split").click()
    expect(page.get_by_text("40 rows to train on, 8 held out")).to_be_visible()


def choose(page: Page, base: str) -> None:
    page.get_by_role("link", name="Jobs", exact=True).click()
    page.get_by_role("link", name="RLHF, step by step").click()
    page.get_by_label("Model", exact=True).select_option(base)
    page.get_by_label("Pairs", exact=True).select_option(label="carried-or-not-train@1 · 40 rows")
    page.get_by_role("button", name="Show the way").click()
    expect(step(page, "Preference data")).to_contain_text("Held out")
    expect(step(page, "PPO")).to_contain_text("Later")


def teach(page: Page) -> None:
    step(page, "Reward model").get_by_role("link", name="Fill in the job").click()
    create_job(page, most_steps="4", batch_size="8", learning_rate="0.003")
    see_it_succeed(page)
    page.get_by_role("link", name="Go on with RLHF").click()
    expect(step(page, "Reward model")).to_contain_text("Held-out right pairs")
    step(page, "Evaluator").get_by_role("button", name="Make the evaluator").click()
    expect(step(page, "Evaluator")).to_contain_text("taste-")


def learn(page: Page, base: str) -> None:
    way = page.url
    step(page, "PPO").get_by_role("link", name="Fill in the job").click()
    expect(page.get_by_label("Model", exact=True)).to_have_value(base)
    create_job(page, most_steps="2", batch_size="4", longest_completion="8")
    see_it_succeed(page)
    page.goto(way)


def compare(page: Page, base: str) -> None:
    way = page.url
    step(page, "Comparison").get_by_role("link", name="Evaluate against the base").click()
    expect(page.get_by_label("Compare with")).to_have_value(base)
    page.get_by_label("Longest answer").fill("8")
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    page.get_by_role("button", name="Evaluate both").click()
    page.wait_for_url("**/evaluations/compare?*")
    page.goto(way)
    expect(page.locator(".way-step.is-done")).to_have_count(5, timeout=PATIENCE_MS)
    step(page, "Comparison").get_by_role("link").click()
    expect(page.locator("#verdict-word")).to_have_text(re.compile("SHIP|CAN'T TELL"))
