"""Evaluations by a real worker: every row answered and scored once, however often the process is killed."""

import itertools
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from contracts.evaluation import EvaluationSettings, EvaluationSpec, resolve
from contracts.event import AnswersScored, Evaluated, ResumePoint
from contracts.job import ModelRef
from graders import parse
from tests.trainer_worker.jobs import DIGITS, PARAMETERS, dataset, make_spec, reward_model
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished, rollouts
from tests.trainer_worker.test_orders import training
from tests.trainer_worker.test_resume import await_step, begin
from trainer_worker.launching import LauncherProcess
from trainer_worker.settings import Settings
from trainer_worker.worker import Worker
from whetstone.starter import data

WARM = EvaluationSettings(samples=2, batch_size=2, max_completion_length=12, seed=5)


def problems(count: int) -> list[dict[str, Any]]:
    return list(itertools.islice(data.problems("train"), count))


def make_evaluation(
    side: OtherSide,
    tiny: Path,
    settings: EvaluationSettings = WARM,
    rows: list[dict[str, Any]] | None = None,
    grader: object = DIGITS,
) -> EvaluationSpec:
    rows = problems(40) if rows is None else rows
    return EvaluationSpec(
        job="eval-1",
        model=ModelRef(name="tiny", files=side.store_folder(tiny), parameters=PARAMETERS),
        dataset=dataset(side, rows),
        grader=parse(grader),
        evaluator="digits@1",
        answering=resolve(settings, rows=len(rows), parameters=PARAMETERS, context=2048),
    )


def run(side: OtherSide, worker: Worker, spec: EvaluationSpec, resume: int = 0) -> list[AnswersScored]:
    side.reports.clear()
    side.order = "go_on"
    point = ResumePoint(step=resume, files=()) if resume else None
    side.queue(spec, attempt=2 if resume else 1, resume=point)
    worker.wake()
    assert isinstance(side.wait_for_end(), Evaluated), side.log
    found: list[AnswersScored] = side.events("scores")
    return found


def test_every_row_is_answered_and_scored_with_its_receipt(side: OtherSide, worker: Worker, tiny: Path) -> None:
    told = run(side, worker, make_evaluation(side, tiny))
    assert [one.step for one in told] == [*range(1, 21)]
    rows = [row for one in told for row in one.rows]
    assert sorted(rows) == sorted([*range(40)] * 2)

    stored = rollouts(side)
    assert [row["row"] for row in stored] == rows
    assert [row["reward"] for row in stored] == [score for one in told for score in one.scores]
    assert [row["tokens"] for row in stored] == [count for one in told for count in one.tokens]
    assert all(row["advantage"] is None and row["grade"] for row in stored)
    assert {"reward_mean", "tokens_per_s", "length_mean", "answers"} <= set(side.events("metrics")[0].values)
    assert side.events("evaluated")[0].peak_memory > 0


def test_a_killed_evaluation_goes_on_and_answers_as_one_that_was_left_alone(
    side: OtherSide, worker: Worker, launcher: LauncherProcess, settings: Settings, tiny: Path
) -> None:
    spec = make_evaluation(side, tiny)
    undisturbed = [(one.step, one.rows, one.scores, one.tokens) for one in run(side, worker, spec)]

    begin(side, worker, spec)
    await_step(settings.scratch / "jobs" / spec.job / "1" / "spool.jsonl", 7)
    os.kill(training(launcher), signal.SIGKILL)
    side.wait_for_end()
    before = [(one.step, one.rows, one.scores, one.tokens) for one in side.events("scores")]
    assert len(before) + 1 >= 7
    assert len(before) < 20

    after = run(side, worker, spec, resume=before[-1][0])
    assert before + [(one.step, one.rows, one.scores, one.tokens) for one in after] == undisturbed


def test_a_pause_keeps_what_was_answered(side: OtherSide, worker: Worker, settings: Settings, tiny: Path) -> None:
    spec = make_evaluation(side, tiny)
    begin(side, worker, spec)
    await_step(settings.scratch / "jobs" / spec.job / "1" / "spool.jsonl", 3)
    side.order = "pause"
    stopped = side.wait_for_end()
    assert stopped.type == "stopped"
    assert 3 <= stopped.step < 20
    assert len(rollouts(side)) == 4 * stopped.step


def test_rows_that_cannot_be_asked_are_counted(side: OtherSide, worker: Worker, tiny: Path) -> None:
    rows = problems(6)
    rows[1] = rows[1] | {"messages": [{"role": "user", "content": "9" * 4000}]}
    rows[4] = rows[4] | {"messages": [{"role": "user", "content": "  "}]}
    told = run(side, worker, make_evaluation(side, tiny, EvaluationSettings(batch_size=4, limit=5), rows))
    assert {number: why for one in told for number, why in one.skipped.items()} == {1: "too_long", 4: "empty"}
    assert sorted(row for one in told for row in one.rows) == [0, 2, 3]


@pytest.mark.parametrize(
    ("grader", "rows", "code"),
    [
        (DIGITS, [{"messages": [{"role": "user", "content": "9" * 4000}]}] * 3, "evaluation.nothing_to_ask"),
        (DIGITS, [{"messages": [{"role": "tool_of_nobody", "content": "1"}]}], "dataset.row_invalid"),
    ],
)
def test_what_cannot_be_evaluated_is_said(
    side: OtherSide, worker: Worker, tiny: Path, grader: object, rows: list[dict[str, Any]], code: str
) -> None:
    side.queue(make_evaluation(side, tiny, rows=rows, grader=grader))
    worker.wake()
    assert side.wait_for_end().fault.code == code


def test_a_reward_model_scores_and_is_not_evaluated(
    side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path
) -> None:
    side.queue(make_spec(side, tiny, reward_model(max_steps=1)))
    worker.wake()
    files = finished(side).files
    taste = ModelRef(name="taste", files=files, parameters=PARAMETERS)
    side.reports.clear()

    spec = make_evaluation(side, tiny, EvaluationSettings(), problems(4))
    side.queue(spec.model_copy(update={"model": taste}))
    worker.wake()
    assert side.wait_for_end().fault.code == "evaluation.reward_model"

    asks = parse({"type": "reward_model", "name": "taste", "model": "taste"})
    told = run(side, worker, spec.model_copy(update={"grader": asks, "scorers": (taste,)}))
    assert all(score is not None for one in told for score in one.scores)
