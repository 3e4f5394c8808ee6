"""Is the trained model better than its base? Clicked through in a real browser, and asked again from a shell."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.command_line import Shell, key, shell
from tests.end_to_end.laptop import created, until, upload
from tests.end_to_end.test_laptop import LENIENT

__all__ = ["key", "shell"]
pytestmark = pytest.mark.end_to_end

PATIENCE_MS = 120_000
ALPHABET = "abcdefghijkl"


def rows(first: int, count: int, answered: bool) -> list[dict[str, object]]:
    answer = [{"role": "assistant", "content": ALPHABET}] if answered else []
    return [
        {"messages": [{"role": "user", "content": f"{n}, say the alphabet"}, *answer]}
        for n in range(first, first + count)
    ]


def test_a_trained_model_is_evaluated_against_its_base_and_may_ship(
    page: Page, api: httpx.Client, shell: Shell
) -> None:
    learned = upload(api, "alphabet.jsonl", rows(0, 64, answered=True))["id"]
    asked = upload(api, "asked.jsonl", rows(56, 40, answered=False))["id"]
    api.post("/api/v1/evaluators", json={"name": "letters", "grader": LENIENT}).raise_for_status()
    numbers = {"n_epochs": 6, "batch_size": 16, "learning_rate": 0.003}
    method = {"type": "full", "full": {"hyperparameters": numbers}}
    draft = {"model": "starter-blank", "training_file": learned, "method": method, "seed": 1}
    job = created(api, draft)
    done = until(api, job["id"])
    assert done["status"] == "succeeded", done["error"]

    page.goto(f"/jobs/{job['id']}")
    page.get_by_role("link", name="Evaluate against the base").click()
    expect(page.get_by_label("Compare with")).to_have_value("starter-blank")
    page.get_by_label("Dataset", exact=True).select_option(asked)
    expect(page.get_by_role("button", name="Choose an evaluator")).to_be_disabled()
    page.get_by_label("Evaluator", exact=True).select_option("letters@1")
    page.get_by_label("Longest answer").fill("16")
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    page.get_by_role("button", name="Evaluate both").click()

    expect(page.get_by_role("heading", name="SHIP", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("8 of 40 rows were trained on.")).to_be_visible()
    expect(page.locator(".win-legend .win")).to_contain_text("better")
    page.locator("#improved summary").first.click()
    expect(page.locator("#improved").get_by_text("say the alphabet").first).to_be_visible()
    page.get_by_label("Mean score at least").fill("0.999")
    page.get_by_role("button", name="Judge by these").click()
    expect(page.get_by_role("heading", name="DON'T SHIP")).to_be_visible()
    page.get_by_role("link", name=done["fine_tuned_model"]).click()
    page.get_by_label("Order").select_option("best")
    page.locator("#answers summary").first.click()
    expect(page.locator("#answers").get_by_role("heading", name="Receipt").first).to_be_visible()

    words = ["--model", done["fine_tuned_model"], "--baseline", "starter-blank", "--dataset", asked]
    words += ["--evaluator", "letters", "--longest", "16"]
    card = shell.json("evaluate", *words)
    assert (card["verdict"], card["compared"], card["candidate"]["overlap"]["rows"]) == ("ship", 40, 8)
    assert "was carried out before" in shell.told
    assert shell.run("evaluate", *words).startswith("SHIP")
    assert "DON'T SHIP" in shell.run("evaluate", *words, "--require", "mean > 0.999", code=1)
