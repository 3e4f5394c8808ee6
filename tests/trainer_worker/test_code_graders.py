"""Evaluators that run code, in a job of a real worker."""

import io
import itertools
import json
from pathlib import Path

import pyarrow.parquet as pq

from graders import parse
from tests.trainer_worker.jobs import grpo, make_spec
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished
from trainer_worker.worker import Worker
from whetstone.starter import data

EVEN = (
    "def grade(sample, item):\n    print(item['answer'])\n    return len(sample['output_text']) % 3 + len(item) * 0.5"
)
BROKEN = "def grade(sample, item):\n    return item['no such column']"


def queue(side: OtherSide, tiny: Path, source: str) -> None:
    held_out = list(itertools.islice(data.problems("validation"), 4))
    grader = parse({"type": "python", "source": source})
    side.queue(make_spec(side, tiny, grpo(max_steps=2), held_out=held_out, grader=grader))


def test_a_job_learns_from_a_python_grader(side: OtherSide, worker: Worker, tiny: Path) -> None:
    queue(side, tiny, EVEN)
    worker.wake()
    finished(side)
    parts = [pq.read_table(io.BytesIO(side.blobs[event.file.sha256])) for event in side.events("rollouts")]
    for row in (row for part in parts for row in part.to_pylist()):
        receipt = json.loads(row["grade"])
        assert row["reward"] == len(row["completion"]) % 3 + len(json.loads(row["item"])) * 0.5
        assert receipt["errors"] == {}
        assert receipt["evidence"]["printed"].strip() == json.loads(row["item"])["answer"]
    assert "reward_mean" in side.events("evaluation")[-1].values


def test_a_function_that_always_fails_stops_the_job_with_its_traceback(
    side: OtherSide, worker: Worker, tiny: Path
) -> None:
    queue(side, tiny, BROKEN)
    worker.wake()
    fault = side.wait_for_end().fault
    assert fault.code == "grader.always_fails"
    assert "KeyError: 'no such column'" in fault.message
