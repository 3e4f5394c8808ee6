"""The main way by clicking alone, in a real Chromium: log in, bring data, build a reward, train, watch it learn."""

import json
import tarfile
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.compose import ROOT
from tests.end_to_end.laptop import Laptop, created, upload

pytestmark = pytest.mark.end_to_end

GSM8K = ROOT.parent / "shared" / "data" / "gsm8k" / "train.jsonl"
ROWS = [{"question": f"{n}+{n}=", "solution": f"Twice {n}.\n#### {2 * n}"} for n in range(48)]
PATIENCE_MS = 60_000


def bring_data(page: Page, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    page.get_by_role("link", name="Datasets").first.click()
    page.get_by_role("link", name="Upload").first.click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_label("Part of the column question").select_option("prompt")
    page.get_by_label("Part of the column solution").select_option("reference")
    page.get_by_label("Keep only the text of solution after").fill("####")
    page.get_by_role("button", name="Save mapping").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{name}@2")


def build_reward(page: Page, name: str) -> None:
    """Two graders and a formula: a random model's answers differ in the second."""
    page.goto("/build/evaluator")
    page.locator(".kind-card[data-kind=number]").click()
    page.get_by_role("button", name="Add another grader").click()
    page.get_by_text("Add a grader").first.click()
    page.locator(".adder .kind-card[data-kind=text_similarity]").click()
    part = page.locator("article.grader article.grader").last
    part.get_by_label("Name in the formula").fill("alike")
    part.get_by_label("Name in the formula").press("Tab")
    part = page.locator("article.grader article.grader").last
    part.get_by_label("Compared with").fill("abcdefghijklmnop")
    page.get_by_role("button", name="Formula").click()
    page.get_by_label("Formula", exact=True).fill("number + alike")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    shown = page.locator(".cm-content").inner_text()
    assert '"calculate_output": "number + alike"' in shown
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/evaluators/{name}")


def fill_job(page: Page, dataset: str, evaluator: str) -> None:
    page.goto("/jobs/new")
    button = page.locator("job-preview button.primary, job-preview button.block").first
    expect(button).to_contain_text("Choose a model")
    page.get_by_label("Model", exact=True).select_option("starter-blank")
    expect(button).to_contain_text("Choose a dataset")
    for label in ("Dataset", "Held-out dataset"):
        field = page.get_by_label(label, exact=True)
        field.select_option(field.locator("option", has_text=dataset).first.get_attribute("value") or "")
    reward = page.get_by_label("Reward", exact=True)
    reward.select_option(reward.locator("option", has_text=evaluator).first.get_attribute("value") or "")
    for label, value in (("Most steps", "12"), ("Batch size", "4"), ("Completions per prompt", "4")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Longest completion", exact=True).fill("8")
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    assert '"num_generations": 4' in page.locator(".cm-content").first.inner_text()


def test_a_person_trains_a_model_by_clicking_alone(page: Page, tmp_path: Path) -> None:
    bring_data(page, tmp_path, "doubles")
    build_reward(page, "closeness")
    fill_job(page, "doubles@2", "closeness")
    page.get_by_role("button", name="Create job").click()
    page.wait_for_url("**/jobs/ftjob-*")
    status = page.locator("[data-job-status]")
    expect(status).to_have_text("Succeeded", timeout=PATIENCE_MS)
    expect(page.locator("job-charts canvas").first).to_be_visible()
    expect(page.get_by_text("Held-out reward").first).to_be_visible()
    expect(page.locator("rollout-table tbody tr").first).to_be_visible()
    page.locator("rollout-table tbody tr").first.click()
    expect(page.get_by_text("calculate_output").or_(page.get_by_text("alike")).first).to_be_visible()
    page.get_by_role("button", name="Try it in the builder").click()
    page.wait_for_url("**/build/evaluator?job=ftjob-*")
    expect(page.locator(".own-mark .score")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("closeness")
    page.get_by_label("Try it on").select_option(value=f"job:{page.url.partition('job=')[2]}")
    page.get_by_role("button", name="Score up to 1,000 rows").click()
    expect(page.locator(".summary-card")).to_contain_text("Correlation")
    expect(page.locator(".trial-row .score").first).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Keep as a model").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(":ckpt-step-")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    with tarfile.open(download.value.path()) as archive:
        assert {"model.safetensors", "config.json", "README.md", "SHA256SUMS"} <= set(archive.getnames())


def test_the_curve_moves_without_a_reload(page: Page, api: httpx.Client) -> None:
    questions = [{"messages": [{"role": "user", "content": row["question"]}]} for row in ROWS]
    file = upload(api, "live.jsonl", questions)["id"]
    grader = {"type": "text_similarity", "evaluation_metric": "fuzzy_match", "reference": "abcdefgh"}
    sampling = {"num_generations": 4, "batch_size": 4, "max_completion_length": 8, "max_steps": 40, "n_epochs": 10}
    method = {"type": "grpo", "grpo": {"grader": grader, "hyperparameters": sampling}}
    job = created(api, {"model": "starter-blank", "training_file": file, "method": method})
    page.goto(f"/jobs/{job['id']}")
    reward = page.locator("job-live")
    page.evaluate("() => { window.wasNeverReloaded = true }")
    expect(page.locator("[data-job-status]")).to_have_text("Running", timeout=PATIENCE_MS)
    expect(page.locator("job-charts canvas").first).to_be_visible(timeout=PATIENCE_MS)
    first = reward.inner_text()
    expect(page.locator("[data-job-status]")).to_have_text("Succeeded", timeout=PATIENCE_MS)
    assert reward.inner_text() != first
    assert page.evaluate("() => window.wasNeverReloaded")


@pytest.mark.skipif(not GSM8K.exists(), reason="GSM8K is not at hand on this machine")
def test_real_questions_go_in_through_the_page_and_are_trained_on(page: Page, api: httpx.Client) -> None:
    page.goto("/datasets/new")
    page.locator("input[type=file]").set_input_files(GSM8K)
    page.get_by_label("Part of the column question").select_option("prompt")
    page.get_by_label("Part of the column answer").select_option("reference")
    page.get_by_label("Keep only the text of answer after").fill("####")
    expect(page.get_by_text("Mapping ready")).to_be_visible()
    uploaded = page.url
    page.get_by_role("button", name="Save mapping").click()
    page.wait_for_url(lambda url: url != uploaded)
    expect(page.get_by_text("7,473").first).to_be_visible()
    mapped = page.url.rpartition("/")[2]
    number = {"type": "number", "name": "correct"}
    spread = {"type": "text_similarity", "evaluation_metric": "fuzzy_match", "reference": "{{ item.question }}"}
    grader = {"type": "multi", "graders": {"correct": number, "spread": spread}, "calculate_output": "correct + spread"}
    sampling = {"num_generations": 4, "batch_size": 4, "max_completion_length": 16, "max_steps": 3}
    method = {"type": "grpo", "grpo": {"grader": grader, "hyperparameters": sampling}}
    job = created(api, {"model": "starter-blank", "training_file": mapped, "method": method})
    page.goto(f"/jobs/{job['id']}")
    expect(page.locator("[data-job-status]")).to_have_text("Succeeded", timeout=PATIENCE_MS)


PAIRS = [{"prompt": f"{n}+{n}=", "chosen": str(2 * n), "rejected": str(2 * n + 1)} for n in range(60)]


def test_pairs_are_read_split_and_offered_to_the_methods_they_serve(page: Page, api: httpx.Client) -> None:
    pairs = upload(api, "pairs.jsonl", PAIRS)["id"]
    upload(api, "questions-only.jsonl", [{"prompt": row["prompt"]} for row in PAIRS])
    page.goto(f"/datasets/{pairs}")
    expect(page.locator(".reading .pair").first).to_contain_text("Chosen")
    page.get_by_label("How much is held out").fill("12")
    page.get_by_label("Unit").select_option("rows")
    page.get_by_role("button", name="Split").click()
    expect(page.get_by_text("48 rows to train on, 12 held out")).to_be_visible()
    page.get_by_role("link", name="Train on it").click()
    page.get_by_label("Model", exact=True).select_option("starter-blank")
    page.locator("label[for=method-dpo]").click()
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    refused = page.get_by_label("Dataset", exact=True).locator("option", has_text="questions-only@1")
    expect(refused).to_be_disabled()
    page.get_by_text("Not for DPO").click()
    expect(page.locator(".refused")).to_contain_text("It holds no pairs.")
    assert '"validation_file"' in page.locator(".cm-content").first.inner_text()


def test_a_preset_an_adapter_and_a_reward_follow_the_method(page: Page, api: httpx.Client) -> None:
    file = upload(api, "presets.jsonl", PAIRS)["id"]
    page.goto(f"/jobs/new?model=starter-blank&dataset={file}")
    page.locator("label[for=method-ppo]").click()
    page.get_by_label("Preset", exact=True).select_option("ppo_max")
    expect(page.get_by_label("KL penalty (beta)", exact=True)).to_have_attribute("placeholder", "0.05")
    page.get_by_role("switch", name="LoRA adapter").click()
    page.get_by_label("Rank", exact=True).fill("4")
    expect(page.locator("#create-job")).to_have_text("Choose an evaluator")
    page.locator("label[for=method-reward_model]").click()
    expect(page.locator("[aria-labelledby=part-evaluator]")).to_be_hidden()
    expect(page.get_by_label("Rank", exact=True)).to_have_value("4")
    expect(page.locator("#create-job")).to_have_text("Create job")
    page.locator("label[for=method-full]").click()
    expect(page.get_by_role("switch", name="LoRA adapter")).to_have_count(0)
    expect(page.get_by_label("Evaluator", exact=True)).to_be_visible()
    expect(page.locator("#create-job")).to_have_text("Create job")


def test_a_broken_file_is_answered_with_its_line(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"question": "a"}\n{"question": oops}\n')
    page.goto("/datasets/new")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("alert")).to_contain_text("Line 2")
    page.goto("/datasets")
    expect(page.locator("main")).not_to_contain_text("broken")


def test_a_failed_job_shows_its_fault_and_the_next_step(page: Page, api: httpx.Client) -> None:
    rows = [{"messages": [{"role": "user", "content": row["question"]}], "answer": "none"} for row in ROWS]
    file = upload(api, "unscorable.jsonl", rows)["id"]
    method = {
        "type": "grpo",
        "grpo": {
            "grader": {"type": "number", "reference": "{{ item.answer }}"},
            "hyperparameters": {"max_steps": 2, "batch_size": 2, "num_generations": 2, "max_completion_length": 4},
        },
    }
    job = created(api, {"model": "starter-blank", "training_file": file, "method": method})
    page.goto(f"/jobs/{job['id']}")
    expect(page.get_by_role("alert")).to_contain_text("could not score a single answer", timeout=PATIENCE_MS)
    expect(page.get_by_role("alert")).to_contain_text("try it on one of these answers")


def test_the_page_speaks_chinese(page: Page) -> None:
    page.get_by_label("Language").select_option("zh-hans")
    expect(page.get_by_role("link", name="数据集").first).to_be_visible()
    page.goto("/jobs/new")
    expect(page.get_by_text("新建任务").first).to_be_visible()


def test_nobody_sees_a_page_without_logging_in(browser: Browser, laptop: Laptop) -> None:
    with browser.new_context(base_url=laptop.url) as context:
        page = context.new_page()
        for path in ("/", "/jobs", "/jobs/new", "/datasets", "/evaluators", "/models", "/workers", "/settings"):
            page.goto(path)
            assert "/login" in page.url, path
