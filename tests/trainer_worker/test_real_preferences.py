"""Answers of four real models to grade-school problems, right and wrong, through all methods that compare.

The file is not part of the project: without it these tests are left out.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from contracts.method import CanonicalMethod
from scripts.compose import ROOT
from tests.trainer_worker.jobs import dpo, kto, make_spec, reward_model
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished
from trainer_worker.worker import Worker

FILE = Path("shared/data/gsm8k/model-solutions.jsonl")
FOUND = next((folder / FILE for folder in ROOT.parents if (folder / FILE).exists()), None)
MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
PACE = {"max_steps": 4, "batch_size": 16, "micro_batch_size": 8, "max_length": 600, "eval_interval": 2}

pytestmark = pytest.mark.skipif(FOUND is None, reason=f"LEFT OUT: {FILE} is not beside the project")


def solutions(count: int) -> list[dict[str, Any]]:
    assert FOUND is not None
    return [json.loads(line) for line in FOUND.read_text().splitlines()[:count]]


def pairs(count: int) -> list[dict[str, Any]]:
    """The first right and the first wrong answer to a question, where it has both."""
    found = []
    for row in solutions(count):
        right, wrong = ([row[m]["solution"] for m in MODELS if row[m]["is_correct"] is kind] for kind in (True, False))
        if right and wrong:
            found.append({"prompt": row["question"], "chosen": right[0], "rejected": wrong[0]})
    return found


def labelled(count: int) -> list[dict[str, Any]]:
    return [
        {"prompt": row["question"], "completion": row[model]["solution"], "label": row[model]["is_correct"]}
        for row in solutions(count)
        for model in MODELS
    ]


@pytest.mark.parametrize("method", [dpo(**PACE), kto(**PACE), reward_model(**PACE)], ids=lambda method: method.type)
def test_real_preferences_are_learned_from(
    side: OtherSide, worker: Worker, tiny: Path, method: CanonicalMethod
) -> None:
    rows = labelled(60) if method.type == "kto" else pairs(200)
    side.queue(make_spec(side, tiny, method, rows=rows[:-16], held_out=rows[-16:]))
    worker.wake()
    end = finished(side)
    assert end.step == 4
    assert [event.step for event in side.events("evaluation")] == [0, 2, 4]
    counted = re.search(r"training data: (\d+) rows read, (\d+) cut to the longest length, (\d+) left out", side.log)
    assert counted is not None
    read, cut, left_out = map(int, counted.groups())
    assert read == len(rows) - 16
    assert 0 < cut < read
    assert left_out <= cut
