"""The classical way of RLHF, all of it here: pairs, a reward model, an evaluator that asks it, a job that learns."""

from typing import Any

import httpx
import pytest

from tests.end_to_end.laptop import created, series, until, upload

pytestmark = pytest.mark.end_to_end

QUESTIONS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "answer": str(2 * n)} for n in range(32)]
# Better is what has digits, whatever they say.
PAIRS = [{"prompt": f"{n}+{n}=", "chosen": f"{n}{n + 3}91", "rejected": "abcdefgh"[n % 4 :]} for n in range(64)]
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
    assert "on a worker only" in str(trial["grades"][0]["grade"]["sub"]["taste"]["errors"])

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
