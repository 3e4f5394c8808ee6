"""Comparisons of the starter model's own answers: taking its wrong habit away, and telling right from wrong.

The settings were chosen on the validation split; what is asserted is of the test split.
"""

from pathlib import Path

import pytest

from contracts.method import DpoMethod, KtoMethod, RewardModelMethod
from tests.learn.support import Room, full_form_only, held_out, learning
from tests.learn.tries import Tries, pairs, tries, verdicts

COOL = 0.7
"""Nearly all mistakes are the habit then. At 1 half of them are slips of single digits, and of those pairs a model of
this size orders 3 in 4."""

pytestmark = [*learning]


@pytest.fixture(scope="module")
def tried(starter: Path) -> list[Tries]:
    return tries(starter, "train", problems=320)


def test_dpo_takes_the_wrong_habit_away(room: Room, starter: Path, tried: list[Tries]) -> None:
    method = DpoMethod.model_validate({"dpo": {"hyperparameters": {"n_epochs": 8, "max_steps": 30}}})
    learned = room.learn(method, pairs(tried), held_out(), base=starter)
    assert learned.gain() > 0.2


@full_form_only
def test_kto_takes_the_wrong_habit_away(room: Room, starter: Path, tried: list[Tries]) -> None:
    method = KtoMethod.model_validate({"kto": {"hyperparameters": {"n_epochs": 4, "max_steps": 60}}})
    learned = room.learn(method, verdicts(tried), held_out(), base=starter)
    assert learned.gain() > 0.2


@full_form_only
@pytest.mark.parametrize("rank", [None, 16], ids=["all weights", "adapter"])
def test_a_reward_model_tells_right_answers_from_wrong_ones(room: Room, starter: Path, rank: int | None) -> None:
    block = {"hyperparameters": {"n_epochs": 20, "max_steps": 100}, "lora": rank and {"rank": rank}}
    method = RewardModelMethod.model_validate({"reward_model": block})
    seen, unseen = (pairs(tries(starter, *one, temperature=COOL)) for one in (("train", 1200), ("test", 495)))
    learned = room.learn(method, seen, unseen, base=starter, grader=None)
    assert learned.before("pair_accuracy") < 0.8
    assert learned.after("pair_accuracy") > 0.9
