"""A reward model as evaluator, all the way: hub, evaluator, GRPO job, receipts. Real processes."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from tests.end_to_end.laptop import USER, Laptop, created, until, upload
from tests.trainer_worker.jobs import tiny_model

pytestmark = pytest.mark.end_to_end

QUESTIONS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "answer": str(2 * n)} for n in range(32)]
TASTE = {"type": "reward_model", "model": "taste"}
SHORT = {"type": "regex", "pattern": "^.{0,4}$"}
BOTH = {"type": "multi", "graders": {"taste": TASTE, "short": SHORT}, "calculate_output": "taste + 0.1 * short"}

KEEP = f"""
from pathlib import Path
from whetstone.accounts.models import User
from whetstone.accounts.scope import team_of
from whetstone.artifacts.store import put_bytes
from whetstone.modelhub.models import Model
user = User.objects.get(username="{USER}")
team = team_of(user)
files = [put_bytes(team, path.read_bytes()).ref(path.name).model_dump(mode="json") for path in Path("FOLDER").iterdir()]
print(Model.objects.create(team=team, name="taste", origin="imported", files=files, parameters=20000,
                           context_length=2048, created_by=user))
"""


def untrained(folder: Path) -> Path:
    """A reward model with random weights: it likes some answers better than others, and that is all it takes."""
    tiny_model(folder)
    config = AutoConfig.from_pretrained(folder, num_labels=1)
    torch.manual_seed(5)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    return folder


def draft(file: str, **block: Any) -> dict[str, Any]:
    sampling = {"num_generations": 4, "batch_size": 4, "max_completion_length": 8, "max_steps": 2}
    method = {"type": "grpo", "grpo": {"hyperparameters": sampling} | block}
    return {"model": "starter-blank", "training_file": file, "validation_file": file, "method": method, "seed": 3}


def test_a_job_learns_from_an_evaluator_that_asks_a_reward_model(
    laptop: Laptop, api: httpx.Client, tmp_path: Path
) -> None:
    file = str(upload(api, "questions.jsonl", QUESTIONS)["id"])
    refused = api.post("/v1/fine_tuning/jobs", json=draft(file, grader=BOTH)).json()["error"]
    assert (refused["code"], refused["param"]) == ("evaluator.model_missing", "method.grpo.grader.graders.taste.model")

    laptop.manage("shell", "--no-imports", "--command", KEEP.replace("FOLDER", str(untrained(tmp_path))))
    evaluator = api.post("/api/v1/evaluators", json={"name": "tasteful", "grader": BOTH}).json()["ref"]
    trial = api.post("/api/v1/graders/try", json={"grader": BOTH, "samples": [{"output_text": "4"}]}).json()
    assert "on a worker only" in str(trial["grades"][0]["grade"]["sub"]["taste"]["errors"])

    done = until(api, created(api, draft(file, evaluator=evaluator))["id"])
    assert done["status"] == "succeeded", done["error"]
    rollouts = api.get(f"/api/v1/jobs/{done['id']}/rollouts?step=2").json()["rows"]
    assert len(rollouts) == 16
    for row in rollouts:
        parts = {name: part["score"] for name, part in row["grade"]["sub"].items()}
        assert row["reward"] == pytest.approx(parts["taste"] + 0.1 * parts["short"])
    assert len({row["reward"] for row in rollouts}) > 8
