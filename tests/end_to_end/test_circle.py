"""The whole circle by clicking: a job, a deployment, a chat, labels, their dataset's next version, a job on that.

docs/guides/circle.md is its table of contents.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice

import httpx
import openai
import pytest
from playwright.sync_api import Page, expect

from scripts import machine
from tests.end_to_end.laptop import Laptop, prepared, upload, young_starter
from tests.end_to_end.steps import PATIENCE_MS, ask, create_job, label_ten_pairs, publish, see_it_succeed
from whetstone.starter import data

pytestmark = pytest.mark.end_to_end
CARRIED = list(data.demonstrations(160, seed=1, forgetful=0))
PROBLEMS = list(islice(data.problems("validation"), 40))


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def laptop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A platform of this test's own, on either database."""
    with ExitStack() as stack:
        url = None
        if request.param == "PostgreSQL":
            server = machine.postgres() or pytest.skip("LEFT OUT: no PostgreSQL lets databases be made here")
            url = stack.enter_context(machine.fresh_database(server))
        yield stack.enter_context(prepared(tmp_path_factory.mktemp("circle"), url))


@pytest.fixture(scope="module")
def api(laptop: Laptop) -> Iterator[httpx.Client]:
    with laptop.api() as client:
        yield client


@pytest.fixture(scope="module")
def base(api: httpx.Client) -> str:
    return young_starter(api)


def test_a_model_is_trained_put_to_work_and_taught_by_what_people_say_of_it(
    page: Page, laptop: Laptop, api: httpx.Client, base: str
) -> None:
    trained = train(page, api, base)
    deploy(page, trained)
    answer_a_client(laptop, trained, key_made_by_clicking(page))
    chat_side_by_side(page, trained, base)
    label(page, api, trained, base)
    better = train_on_the_labels(page, api, trained)
    merge_the_adapter(page)
    see_the_circle(page, base, trained, better)


def train(page: Page, api: httpx.Client, base: str) -> str:
    upload(api, "carried.jsonl", CARRIED)
    page.goto("/models")
    page.get_by_role("link", name=base, exact=True).click()
    page.get_by_role("link", name="Train from it").click()
    page.locator("label[for=method-full]").click()
    page.get_by_label("Dataset", exact=True).select_option(label="carried@1")
    job = create_job(page, name="carries", batch_size="16", learning_rate="0.001", epochs="1")
    see_it_succeed(page)
    return str(api.get(f"/v1/fine_tuning/jobs/{job}").json()["fine_tuned_model"])


def deploy(page: Page, model: str) -> None:
    """From the page of the job."""
    page.locator(".verdict").get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("heading", name=model, level=1)).to_be_visible()
    expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_text("Python", exact=True).click()
    expect(page.locator("#snippet-python")).to_contain_text(f'model="{model}"')


def key_made_by_clicking(page: Page) -> str:
    page.get_by_role("link", name="Make one").click()
    page.get_by_label("What is it for?").fill("a pipeline")
    page.get_by_role("button", name="Make a key").click()
    return page.locator("#made-key").inner_text()


def answer_a_client(laptop: Laptop, model: str, key: str) -> None:
    """The official one, with and without a stream: the same seed, the same words."""
    with openai.OpenAI(base_url=f"{laptop.url}/v1", api_key=key) as client:
        assert model in [one.id for one in client.models.list()]

        def answer() -> str:
            done = client.chat.completions.create(model=model, messages=asked, max_tokens=24, seed=7)
            return done.choices[0].message.content or ""

        def streamed() -> str:
            stream = client.chat.completions.create(model=model, messages=asked, max_tokens=24, seed=7, stream=True)
            return "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)

        asked: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "12+34"}]
        assert answer() == streamed() != ""


def chat_side_by_side(page: Page, trained: str, base: str) -> None:
    """And one vote there, published: the dataset's first version."""
    page.get_by_role("link", name="Deployments").click()
    page.get_by_role("link", name=trained, exact=True).click()
    page.get_by_role("link", name="Chat", exact=True).last.click()
    page.get_by_role("button", name="Compare with another").click()
    page.get_by_label("Model B").select_option(base)
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Most tokens").fill("24")
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Settings").click()
    ask(page, "12+34")
    answers = page.locator(".chat-turn").last.locator(".chat-answer")
    expect(answers).to_have_count(2)
    assert [trained in answers.nth(0).inner_text(), base in answers.nth(1).inner_text()] == [True, True]
    page.keyboard.press("Alt+1")
    expect(page.get_by_role("button", name="A is better")).to_have_attribute("aria-pressed", "true")
    publish(page, "chat-preferences@1", "1 row")


def label(page: Page, api: httpx.Client, trained: str, base: str) -> None:
    upload(api, "problems.jsonl", PROBLEMS)
    page.get_by_role("link", name="Labelling").click()
    label_ten_pairs(page, "problems@1", (trained, base), "chat-preferences")
    publish(page, "chat-preferences@2", "11 rows")


def train_on_the_labels(page: Page, api: httpx.Client, trained: str) -> str:
    """With a LoRA adapter, so that there is something to merge."""
    page.get_by_role("link", name="Train on it").click()
    page.locator("label[for=method-dpo]").click()
    page.get_by_label("Model", exact=True).select_option(trained)
    page.get_by_role("switch", name="LoRA adapter").click()
    job = create_job(page, name="preferred", most_steps="2", batch_size="4")
    see_it_succeed(page)
    return str(api.get(f"/v1/fine_tuning/jobs/{job}").json()["fine_tuned_model"])


def merge_the_adapter(page: Page) -> None:
    """The job's model has it merged in already; its checkpoint, kept as a model, is the adapter alone."""
    page.get_by_role("button", name="Keep as a model").first.click()
    adapter = page.url
    page.get_by_role("button", name="Merge into a model").click()
    page.locator("#merges").get_by_role("link").click(timeout=PATIENCE_MS)
    expect(page.get_by_text("This is an adapter.")).to_be_hidden()
    assert page.url != adapter


def see_the_circle(page: Page, base: str, trained: str, better: str) -> None:
    """From what came out at last, back to where it began."""
    facts = page.locator(".facts").first
    for name in (trained, base, "chat-preferences@2"):
        expect(facts.get_by_role("link", name=name, exact=True)).to_be_visible()
    facts.get_by_role("link", name=trained, exact=True).click()
    came_of_it = page.locator(".section").filter(has=page.get_by_role("heading", name="What came of it"))
    for name in ("preferred", better, trained):
        expect(came_of_it).to_contain_text(name)
