"""Dynamic sampling and overlong shaping: what DAPO adds to a batch before it is learned from."""

import json
import math
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
import torch

from graders import Grade, parse
from tests.trainer_worker.jobs import DIGITS
from tests.trainer_worker.trainers import grpo_trainer, one_batch
from trainer_worker.decoding import Sampled
from trainer_worker.methods.resampling import Resampling, Rollout, dull_groups, fingerprint
from trainer_worker.overlong import Overlong

NAN = math.nan
NEVER = {"type": "string_check", "operation": "eq", "reference": "no model says this"}
EVEN_ONLY = {
    "type": "multi",
    "graders": {
        "digits": DIGITS,
        "even": {"type": "regex", "input": "{{ item.answer }}", "pattern": "[02468]$"},
    },
    "calculate_output": "digits * even",
}
"""Scores vary only where the row's own answer is an even number."""


@pytest.mark.parametrize(
    ("scores", "dull"),
    [
        ([0, 0, 0, 1], [0]),
        ([1, 0, 0, 1], []),
        ([NAN, 1, 0, 1], [0]),
        ([NAN, NAN, 0, 0], [0, 1]),
        ([0.1, 0.1, 0.30000000000000004, 0.3], [0]),
    ],
)
def test_a_group_is_dull_when_no_two_scores_differ(scores: list[float], dull: list[int]) -> None:
    assert dull_groups(scores, 2) == dull


def test_dull_groups_are_replaced_by_other_prompts(tiny: Path, tmp_path: Path) -> None:
    trainer = grpo_trainer(
        tiny, tmp_path, grader=parse(EVEN_ONLY), batch_size=6, max_resamples=8, max_completion_length=16
    )
    batch = one_batch(trainer)
    assert len(batch["advantages"]) == 24
    prompts = [turns[-1]["content"] for turns in trainer.reward.latest.prompts]
    groups = [prompts[n : n + 4] for n in range(0, 24, 4)]
    assert all(len(set(group)) == 1 for group in groups), "a group has one prompt"
    assert len(set(prompts)) == 6, "no prompt came twice"
    assert all(int(answer) % 2 == 0 for answer in _answers(trainer)), "all that is left can vary"
    values = trainer._metrics["train"]
    assert values["frac_reward_zero_std"] == [0.0]
    assert values["resampling/dropped"][0] > 0
    assert values["resampling/sampled"][0] == 24 + values["resampling/dropped"][0]
    assert 0 < values["resampling/share"][0] < 1


def test_what_was_sampled_is_what_is_learned_from(tiny: Path, tmp_path: Path) -> None:
    trainer = grpo_trainer(tiny, tmp_path, grader=parse(EVEN_ONLY), batch_size=6, max_resamples=8, num_iterations=2)
    batch = one_batch(trainer)
    scored = trainer.reward.latest
    mask = batch["completion_mask"].bool()
    learned = [ids[kept].tolist() for ids, kept in zip(batch["completion_ids"], mask, strict=True)]
    assert learned == scored.ids
    assert trainer.processing_class.batch_decode(scored.ids, skip_special_tokens=True) == scored.texts
    again = trainer.reward.grades(scored.prompts, scored.texts, scored.items, [len(ids) for ids in scored.ids])
    assert [one.score for one in again] == [one.score for one in scored.grades]
    assert (batch["old_per_token_logps"][mask] != 0).all()


def test_what_stays_dull_stays(tiny: Path, tmp_path: Path) -> None:
    trainer = grpo_trainer(tiny, tmp_path, grader=parse(NEVER), batch_size=2, max_resamples=3)
    batch = one_batch(trainer)
    assert len(batch["advantages"]) == 8
    values = trainer._metrics["train"]
    assert values["resampling/dropped"] == [3 * 8]
    assert values["resampling/share"] == [1.0]
    assert values["frac_reward_zero_std"] == [1.0]


def test_resampling_ends_when_the_dataset_does(tiny: Path, tmp_path: Path) -> None:
    trainer = grpo_trainer(tiny, tmp_path, grader=parse(NEVER), batch_size=30, num_generations=2, max_resamples=20)
    one_batch(trainer)  # of 40 rows 10 are left
    assert trainer._metrics["train"]["resampling/dropped"] == [10 * 2]


def test_the_prompts_that_come_instead_belong_to_the_step(tiny: Path, tmp_path: Path) -> None:
    def batch_of(step: int, folder: str) -> list[str]:
        trainer = grpo_trainer(tiny, tmp_path / folder, grader=parse(NEVER), max_resamples=1)
        trainer.state.global_step = step
        one_batch(trainer)
        return _answers(trainer)

    assert batch_of(3, "a") == batch_of(3, "b")
    assert batch_of(3, "c") != batch_of(4, "d")


def test_processes_with_half_a_batch_each_decide_as_one_with_all(tiny: Path, tmp_path: Path) -> None:
    """A group lies across the border of the two: 3 groups of 4, in halves of 6."""
    trainer = grpo_trainer(tiny, tmp_path, grader=parse(EVEN_ONLY), batch_size=3, max_resamples=2)
    rows = next(iter(trainer.get_train_dataloader()))
    whole = _halves(trainer, [rows])
    halves = _halves(trainer, [rows[:6], rows[6:]])
    assert [fingerprint(row) for row in whole] == [fingerprint(row) for row in halves]


def _halves(trainer: Any, parts: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows that processes with these parts end with. Scores come from the rows alone; a barrier joins them."""
    barrier, shared = Barrier(len(parts)), [torch.empty(0)] * len(parts)
    found: list[list[dict[str, Any]]] = [[] for _ in parts]

    def work(process: int) -> None:
        def gather(values: torch.Tensor) -> torch.Tensor:
            shared[process] = values
            barrier.wait()
            joined = torch.cat(shared)
            barrier.wait()
            return joined

        resampling = Resampling(2, 4, trainer.train_dataset, 7, _by_place, gather, process)
        found[process] = [one.row for one in resampling(parts[process], 0)[0]]

    threads = [Thread(target=work, args=(n,)) for n in range(len(parts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [row for part in found for row in part]


def _by_place(rows: list[dict[str, Any]]) -> list[Any]:
    """Rows with an even fingerprint vary, by the order in which they are asked for."""
    scores = [float(fingerprint(row) % 2 == 0) * n for n, row in enumerate(rows)]
    return [Rollout(row, Sampled([1], None), Grade(s, "g", "g")) for row, s in zip(rows, scores, strict=True)]


@pytest.mark.parametrize(
    ("tokens", "penalty"), [(0, 0.0), (80, 0.0), (81, -0.05), (90, -0.5), (99, -0.95), (100, -1.0)]
)
def test_the_penalty_falls_evenly_over_the_buffer(tokens: int, penalty: float) -> None:
    assert Overlong(longest=100, buffer=20).penalty(tokens) == pytest.approx(penalty)


def test_a_share_below_a_token_is_no_buffer() -> None:
    assert Overlong.of_share(8, 0.0) is None
    assert Overlong.of_share(8, 0.01) is None
    assert Overlong.of_share(8, 0.25) == Overlong(8, 2)


def test_the_receipt_shows_what_was_taken(tiny: Path, tmp_path: Path) -> None:
    trainer = grpo_trainer(tiny, tmp_path, overlong_buffer=0.5, max_completion_length=8)
    one_batch(trainer)
    scored = trainer.reward.latest
    for ids, grade in zip(scored.ids, scored.grades, strict=True):
        taken = -max(0, len(ids) - 4) / 4
        assert list(grade.sub) == ["digits", "overlong"]
        assert grade.sub["overlong"].score == pytest.approx(taken)
        assert grade.score == pytest.approx(grade.sub["digits"].score + taken)
    assert min(grade.sub["overlong"].score for grade in scored.grades) == -1
    assert trainer._metrics["train"]["grades/overlong"][0] < 0


def test_a_multi_graders_parts_stay_beside_the_penalty() -> None:
    part = Grade(1.0, "a", "number")
    whole = Grade(1.0, "both", "multi", sub={"a": part})
    shaped = Overlong(10, 5).shape(whole, 10)
    assert shaped.sub.keys() == {"a", "overlong"}
    assert shaped.score == 0.0
    assert Overlong(10, 5).shape(Grade(None, "x", "judge"), 10).score is None


def test_dull_is_what_the_grader_says_before_the_penalty(tiny: Path, tmp_path: Path) -> None:
    lengths: dict[str, Any] = {"max_completion_length": 64, "overlong_buffer": 1.0}
    trainer = grpo_trainer(tiny, tmp_path, grader=parse(NEVER), max_resamples=1, batch_size=8, **lengths)
    one_batch(trainer)
    values = trainer._metrics["train"]
    assert values["resampling/share"] == [1.0]
    assert values["reward_std"][0] > 0, "lengths differ, and so do the rewards"


def _answers(trainer: Any) -> list[str]:
    return [json.loads(item)["answer"] for item in trainer.reward.latest.items]


def test_rows_are_told_apart_by_all_that_they_hold() -> None:
    row = {"prompt": [{"role": "user", "content": "1+1="}], "item": "{}"}
    assert fingerprint(row) == fingerprint(dict(row))
    assert fingerprint(row) != fingerprint(row | {"item": '{"answer":"2"}'})
