"""Learning from comparisons through the API: a DoRA adapter, judged by an evaluator on prompts that hold no answers."""

from typing import Any

import httpx
import pytest

from tests.end_to_end.laptop import created, series, until, upload

pytestmark = pytest.mark.end_to_end

PROMPTS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "answer": str(2 * n)} for n in range(8)]
PAIRS = [{"prompt": f"{n}+{n}=", "chosen": str(2 * n), "rejected": str(2 * n + 1)} for n in range(32)]
VERDICTS = [{"prompt": f"{n}+{n}=", "completion": str(2 * n + n % 2), "label": n % 2 == 0} for n in range(32)]
GRADER = {"type": "number", "reference": "{{ item.answer }}"}
SHORT = {"max_steps": 2, "batch_size": 4, "learning_rate": 0.001, "eval_interval": 2}


@pytest.mark.parametrize(("kind", "rows"), [("dpo", PAIRS), ("kto", VERDICTS)])
def test_a_dora_adapter_learns_and_is_judged_on_prompts_alone(
    api: httpx.Client, kind: str, rows: list[dict[str, Any]]
) -> None:
    training, prompts = (upload(api, f"{kind}-{n}.jsonl", one)["id"] for n, one in enumerate((rows, PROMPTS)))
    block: dict[str, Any] = {"hyperparameters": SHORT, "lora": {"rank": 4, "use_dora": True}}
    draft = {"model": "starter-blank", "training_file": training, "validation_file": prompts}

    refused = api.post("/v1/fine_tuning/jobs", json=draft | {"method": {"type": kind, kind: block}}).json()["error"]
    assert (refused["code"], refused["param"]) == ("dataset.ungraded_prompts", "validation_file")

    graded = {"type": kind, kind: block | {"grader": GRADER}}
    done = until(api, created(api, draft | {"method": graded})["id"])
    assert done["status"] == "succeeded", done["error"]
    evaluated = series(api, done["id"])["evaluations"]
    assert set(evaluated) > {"accuracy", "reward_mean", "length_mean"}
    assert [step for step, _ in evaluated["reward_mean"]] == [0, 2]
    assert "rewards/margins" in series(api, done["id"])["points"]
