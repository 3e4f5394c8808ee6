"""The classical way of RLHF, all of it here: pairs, a reward model, an evaluator that asks it, a job that learns."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.command_line import Shell, key, shell
from tests.end_to_end.laptop import created, series, until, upload
from tests.end_to_end.test_deployments import deployed, ready

pytestmark = pytest.mark.end_to_end
__all__ = ["key", "shell"]

QUESTIONS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "answer": str(2 * n)} for n in range(32)]
# Better is what has digits, whatever they say.
PAIRS = [{"prompt": f"{n}+{n}=", "chosen": f"{n}{n + 3}91", "rejected": "abcdefgh"[n % 4 :]} for n in range(64)]
NASTY = "<img src=x onerror=alert(1)>\x1b[31m\u202e"
SHORT = {"type": "regex", "pattern": "^.{0,4}$"}


def draft(file: str, kind: str, **block: Any) -> dict[str, Any]:
    return {"model": "starter-blank", "training_file": file, "method": {"type": kind, kind: block}, "seed": 3}


def asking(model: str) -> dict[str, Any]:
    parts = {"taste": {"type": "reward_model", "model": model}, "short": SHORT}
    return {"type": "multi", "graders": parts, "calculate_output": "taste + 0.1 * short"}


def test_a_reward_model_is_trained_asked_and_learned_from(api: httpx.Client) -> None:
    pairs = str(upload(api, "pairs.jsonl", PAIRS)["id"])
    hyperparameters = {"max_steps": 12, "batch_size": 16, "n_epochs": 4, "learning_rate": 0.003}
    taught = until(api, created(api, draft(pairs, "reward_model", hyperparameters=hyperparameters))["id"])
    assert taught["status"] == "succeeded", taught["error"]
    grader = asking(taught["fine_tuned_model"])

    questions = str(upload(api, "sums.jsonl", QUESTIONS)["id"])
    sampling = {"num_generations": 4, "batch_size": 4, "max_completion_length": 8, "max_steps": 2}
    wrong = api.post("/v1/fine_tuning/jobs", json=draft(questions, "grpo", grader=asking("starter-blank"))).json()
    assert wrong["error"]["code"] == "evaluator.not_a_reward_model"
    assert wrong["error"]["param"] == "method.grpo.grader.graders.taste.model"
    trial = api.post("/api/v1/graders/try", json={"grader": grader, "samples": [{"output_text": "4"}]}).json()
    assert "is not deployed" in str(trial["grades"][0]["grade"]["sub"]["taste"]["errors"])

    evaluator = api.post("/api/v1/evaluators", json={"name": "tasteful", "grader": grader}).json()["ref"]
    job = draft(questions, "grpo", evaluator=evaluator, hyperparameters=sampling) | {"validation_file": questions}
    done = until(api, created(api, job)["id"])
    assert done["status"] == "succeeded", done["error"]
    evaluated = series(api, done["id"])["evaluations"]
    assert [step for step, _ in evaluated["reward_mean"]] == [0, 1, 2]
    assert "accuracy" not in evaluated
    rows = api.get(f"/api/v1/jobs/{done['id']}/rollouts?step=2").json()["rows"]
    assert len(rows) == 16
    for row in rows:
        parts = {name: part["score"] for name, part in row["grade"]["sub"].items()}
        assert row["reward"] == pytest.approx(parts["taste"] + 0.1 * parts["short"])
    assert len({row["reward"] for row in rows}) > 8
    ask_it_again(api, taught["fine_tuned_model"], grader, rows)


def ask_it_again(api: httpx.Client, model: str, grader: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Deployed, it gives the numbers that it gave in the training: over the API, and in a trial."""
    one = deployed(api, model=model, name="taste")
    assert ready(api, one["id"])["task"] == "reward"
    rows = [row for row in rows if "\0" not in row["completion"]]  # no request may hold one
    trained = [row["grade"]["sub"]["taste"]["score"] for row in rows]
    pairs = [{"prompt": row["prompt"], "answer": row["completion"]} for row in rows]
    told = scored(api, "taste", pairs)
    assert [row["score"] for row in told["data"]] == pytest.approx(trained, abs=1e-4)
    assert scored(api, model, pairs[:1])["data"][0]["score"] == pytest.approx(trained[0], abs=1e-4), "by its own name"
    samples = [
        {"prompt": [{"role": "user", "content": row["prompt"]}], "output_text": row["completion"]} for row in rows
    ]
    for path in ("try", "try/stream"):
        answer = api.post(f"/api/v1/graders/{path}", json={"grader": grader, "samples": samples}).text
        lines = [json.loads(line) for line in answer.splitlines()]
        grades = [one["grade"] for line in lines for one in line.get("grades", [])]
        assert [grade["sub"]["taste"]["score"] for grade in grades] == pytest.approx(trained, abs=1e-4)
        assert [grade["score"] for grade in grades] == pytest.approx([row["reward"] for row in rows], abs=1e-4)
    odd = scored(
        api,
        "taste",
        [{"prompt": "x" * 5000, "answer": ""}, {"prompt": "", "answer": ""}, {"prompt": NASTY, "answer": NASTY}],
    )
    assert [one.get("error", {}).get("code") for one in odd["data"]] == ["score.too_long", None, None]
    asked = api.post("/v1/chat/completions", json={"model": "taste", "messages": [{"role": "user", "content": "2"}]})
    assert (asked.status_code, asked.json()["error"]["code"]) == (400, "deployment.writes_no_text")
    told = api.get(f"/api/v1/deployments/{one['id']}/log").json()
    assert "as a reward model" in str(told["lines"])


def scored(api: httpx.Client, model: str, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    answer = api.post("/api/v1/scores", json={"model": model, "input": pairs}, timeout=60)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_rows_of_a_file_are_scored_from_a_shell(shell: Shell, tmp_path: Path) -> None:
    rows, wrong = tmp_path / "rows.jsonl", tmp_path / "wrong.jsonl"
    good = {"prompt": "1+1=", "answer": "2", "id": 7}
    talk = {"messages": [{"role": "user", "content": "1+1="}, {"role": "assistant", "content": "2"}]}
    rows.write_text("\n".join(map(json.dumps, [good, talk] * 60)) + "\n\n")
    told = [json.loads(line) for line in shell.run("score", "taste", rows).splitlines()]
    assert (len(told), told[0]["id"]) == (120, 7)
    assert {round(row["score"], 4) for row in told} == {round(told[0]["score"], 4)}
    rows.write_text(json.dumps(good | {"answer": "x" * 5000}) + "\n" + json.dumps(good))
    long, short = shell.run("score", "taste", rows, code=3).splitlines()
    assert json.loads(long)["error"]["code"] == "score.too_long"
    assert json.loads(short)["score"] is not None
    for content, said in (
        (b"{", "line 1, is not JSON"),
        (b'{"a": 1}', "neither prompt and answer"),
        (b"\xff", "UTF-8"),
    ):
        wrong.write_bytes(content)
        shell.run("score", "taste", wrong, code=1)
        assert said in shell.told
    shell.run("score", "starter-blank", rows, code=1)
    assert "gives no scores" in shell.told or "no weights" in shell.told
    shell.run("score", "nobody", rows, code=1)


def test_an_answer_is_scored_on_the_deployments_page(page: Page, api: httpx.Client, key: str) -> None:
    one = next(row for row in api.get("/api/v1/deployments").json()["data"] if row["name"] == "taste")
    page.goto(f"/deployments/{one['id']}")
    page.get_by_role("link", name="Score an answer").click()
    page.get_by_label("Prompt").fill("2+2=")
    page.get_by_label("Answer").fill(NASTY)
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("score-form output strong")).to_have_text(re.compile(r"^[−\d.]+$"))
    expect(page.locator("#snippet-curl")).to_contain_text("/api/v1/scores")
    environment = os.environ | {"WHETSTONE_KEY": key}
    for name, command in (("curl", ["sh", "-c"]), ("python", [sys.executable, "-c"])):
        text = page.locator(f"#snippet-{name}").text_content() or ""
        said = subprocess.run([*command, text], env=environment, capture_output=True, text=True, check=True).stdout
        assert '"score":' in said if name == "curl" else len(said.splitlines()) == 2, said
    page.get_by_label("Prompt").fill("x" * 5000)
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("score-form output")).to_contain_text("The model reads at most")
