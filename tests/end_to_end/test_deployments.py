"""Deployments on a running platform: adapters over one base, a host that is stopped, tests of speed, and the pages."""

import os
import signal
import time
from typing import Any

import httpx
import openai
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.laptop import Laptop, created, until, upload
from tests.end_to_end.test_chat import HELLO, SUMS

pytestmark = pytest.mark.end_to_end
NO_END: dict[str, Any] = {"logit_bias": {"257": -100}}


def trained(api: httpx.Client, base: str, kind: str, suffix: str) -> str:
    file = upload(api, "sums.jsonl", SUMS)["id"]
    method = {"type": kind, kind: {"hyperparameters": {"max_steps": 4, "batch_size": 8, "learning_rate": 0.01}}}
    job = created(api, {"model": base, "training_file": file, "method": method, "suffix": suffix, "seed": 1})
    done = until(api, job["id"])
    assert done["status"] == "succeeded", done["error"]
    return str(done["fine_tuned_model"])


@pytest.fixture(scope="module")
def base(api: httpx.Client) -> str:
    return trained(api, "starter-blank", "full", "base")


def deployed(api: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = api.post("/api/v1/deployments", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ready(api: httpx.Client, deployment: str, patience_s: float = 60) -> dict[str, Any]:
    give_up = time.monotonic() + patience_s
    while True:
        now: dict[str, Any] = api.get(f"/api/v1/deployments/{deployment}").json()
        if now["status"] == "ready":
            return now
        assert time.monotonic() < give_up, now
        time.sleep(0.1)


def test_an_adapter_over_a_shared_base_writes_as_the_model_it_was_merged_into(
    client: openai.OpenAI, api: httpx.Client, base: str
) -> None:
    lora = trained(api, base, "lora", "adapter")
    names = {"bare": base, "over": lora}
    for name, model in names.items():
        ready(api, deployed(api, model=model, name=name)["id"])
    assert deployed(api, model=lora, name="merged", shares_base=False)["base"] is None

    def probabilities(name: str) -> list[float]:
        answer = client.chat.completions.create(
            model=name, messages=HELLO, max_tokens=8, seed=1, logprobs=True, top_logprobs=0, **NO_END
        )
        told = answer.choices[0].logprobs
        assert told is not None
        return [one.logprob for one in told.content or ()]

    over = probabilities("over")
    assert over == pytest.approx(probabilities("merged"), abs=1e-3)
    assert over != pytest.approx(probabilities("bare"), abs=1e-3)
    log = "".join(api.get(f"/api/v1/deployments/{one}/log").text for one in ids(api, "bare", "over"))
    assert log.count("loads ") == 1, "the base was loaded once"


def ids(api: httpx.Client, *names: str) -> list[str]:
    rows = {row["name"]: row["id"] for row in api.get("/api/v1/deployments").json()["data"]}
    return [rows[name] for name in names]


def test_a_host_that_is_told_to_stop_writes_its_stream_to_the_end_and_the_next_one_goes_on(
    laptop: Laptop, client: openai.OpenAI, api: httpx.Client, base: str
) -> None:
    ready(api, deployed(api, model=base, name="steady", idle_minutes=None)["id"])
    stream = client.chat.completions.create(model="steady", messages=HELLO, max_tokens=1500, stream=True, **NO_END)
    finishes, pids = [], laptop.processes("trainer_worker.serve")
    for number, chunk in enumerate(stream):
        if number == 5:
            os.kill(pids[0], signal.SIGTERM)
        finishes += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
    assert finishes == ["length"]
    answer = client.chat.completions.create(model="steady", messages=HELLO, max_tokens=2)
    assert answer.choices[0].finish_reason in ("length", "stop")
    assert laptop.processes("trainer_worker.serve") != pids
    (one,) = ids(api, "steady")
    assert ready(api, one)["stats"]["tokens"] >= 1500, "what the first host counted is not forgotten"


def test_a_serving_test_is_carried_out_while_nobody_looks(api: httpx.Client, base: str) -> None:
    one = deployed(api, model=base, name="measured")
    path = f"/api/v1/deployments/{one['id']}/serving-tests"
    test = api.post(path, json={"levels": [1, 4], "requests_each": 2, "answer_tokens": 8}).json()
    give_up = time.monotonic() + 60
    while test["state"] in ("queued", "running"):
        assert time.monotonic() < give_up, test
        time.sleep(0.2)
        test = api.get(f"/api/v1/deployments/serving-tests/{test['id']}").json()
    assert test["state"] == "succeeded", test
    assert [(level["at_once"], level["requests"], level["errors"]) for level in test["levels"]] == [
        (1, 2, 0),
        (4, 8, 0),
    ]
    assert all(level["first_token_p50_ms"] > 0 for level in test["levels"])


def test_a_model_is_deployed_by_one_click_and_steered(page: Page, api: httpx.Client, base: str) -> None:
    pk = next(line for line in page.goto("/models").text().split('href="') if base in line).split('"')[0]  # type: ignore[union-attr]  # it answered
    page.goto(pk)
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("heading", name=base)).to_be_visible()
    expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=90_000)
    expect(page.locator("#snippet-curl")).to_contain_text(f'"model": "{base}"')
    page.get_by_text("Python", exact=True).click()
    expect(page.locator("#snippet-python")).to_contain_text("base_url=")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=90_000)
    page.goto("/deployments")
    expect(page.get_by_role("link", name=base, exact=True)).to_be_visible()
