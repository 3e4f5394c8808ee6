"""Import, train, evaluate against the base: clicked through in a real browser, and asked again from a shell."""

import httpx
import pytest
from playwright.sync_api import Page, expect
from transformers import AutoConfig, AutoModelForCausalLM

from tests.end_to_end.command_line import Shell, key, shell
from tests.end_to_end.laptop import Laptop, until, upload
from tests.end_to_end.steps import create_job
from tests.end_to_end.test_laptop import LENIENT
from whetstone.starter import model

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


def import_model(page: Page, laptop: Laptop) -> None:
    """A model with random weights, from a folder of the server, by clicking."""
    folder = laptop.home / "brought" / "newborn"
    model.build(folder)
    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    page.goto("/models")
    page.get_by_role("link", name="Import a model").first.click()
    page.get_by_role("textbox", name="Folder").fill(str(folder))
    page.locator("section[aria-labelledby=from-folder]").get_by_role("button", name="Import").click()
    page.get_by_role("link", name="newborn", exact=True).first.click(timeout=PATIENCE_MS)
    expect(page.get_by_text(f"folder:{folder}")).to_be_visible()


def train(page: Page, dataset: str) -> str:
    """From the page of the model. Returns the job's id."""
    page.get_by_role("link", name="Train from it").click()
    page.locator("label[for=method-full]").click()
    page.get_by_label("Dataset", exact=True).select_option(dataset)
    return create_job(page, epochs="6", batch_size="16", learning_rate="0.003")


def test_an_imported_model_is_trained_and_evaluated_against_its_base(
    page: Page, laptop: Laptop, api: httpx.Client, shell: Shell
) -> None:
    learned = upload(api, "alphabet.jsonl", rows(0, 64, answered=True))["id"]
    asked = upload(api, "asked.jsonl", rows(56, 40, answered=False))["id"]
    api.post("/api/v1/evaluators", json={"name": "as in the alphabet", "grader": LENIENT}).raise_for_status()
    import_model(page, laptop)
    job = train(page, learned)
    done = until(api, job)
    assert done["status"] == "succeeded", done["error"]

    page.goto(f"/jobs/{job}")
    page.get_by_role("link", name="Evaluate against the base").click()
    expect(page.get_by_label("Compare with")).to_have_value("newborn")
    page.get_by_label("Dataset", exact=True).select_option(asked)
    expect(page.get_by_role("button", name="Choose an evaluator")).to_be_disabled()
    page.get_by_label("Evaluator", exact=True).select_option("as in the alphabet@1")
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

    words = ["--model", done["fine_tuned_model"], "--baseline", "newborn", "--dataset", asked]
    words += ["--evaluator", "as in the alphabet", "--longest", "16"]
    card = shell.json("evaluate", *words)
    assert (card["verdict"], card["compared"], card["candidate"]["overlap"]["rows"]) == ("ship", 40, 8)
    assert "was carried out before" in shell.told
    assert shell.run("evaluate", *words).startswith("SHIP")
    assert "DON'T SHIP" in shell.run("evaluate", *words, "--require", "mean > 0.999", code=1)
