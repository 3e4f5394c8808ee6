"""GRPO takes the wrong habit away that demonstrations left. The settings were chosen on the validation split."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from contracts.method import GrpoMethod
from tests.learn.support import Learned, Room, full_form_only, held_out, learning
from whetstone.starter import data, recipe

pytestmark = [*learning]

BATCHES = 20
STEPS_A_BATCH = {"dapo": 4, "gspo": 4, "cispo": 4}
"""Of the presets; the others take one."""


def taught(room: Room, starter: Path, lora: dict[str, Any] | None = None, **hyperparameters: Any) -> Learned:
    """The demo's second job, for so many batches, examined on problems that nothing was chosen on."""
    steps = BATCHES * STEPS_A_BATCH.get(hyperparameters.get("preset", ""), 1)
    h = recipe.SAMPLING | {"max_steps": steps, "eval_interval": steps, "checkpoint_interval": steps} | hyperparameters
    method = GrpoMethod.model_validate({"grpo": {"hyperparameters": h, "lora": lora}})
    return room.learn(method, islice(data.problems("train"), 4000), held_out("test"), base=starter)


def test_grpo_teaches_the_carry(room: Room, starter: Path) -> None:
    learned = taught(room, starter)
    assert learned.before() < 0.7
    assert learned.gain() > 0.2


@full_form_only
@pytest.mark.parametrize("preset", ["grpo", "dapo", "dr_grpo", "gspo", "cispo"])
def test_every_preset_of_grpo_teaches_the_carry(room: Room, starter: Path, preset: str) -> None:
    assert taught(room, starter, preset=preset).gain() > 0.2


@full_form_only
def test_grpo_teaches_the_carry_to_an_adapter(room: Room, starter: Path) -> None:
    assert taught(room, starter, lora={"rank": 16}, learning_rate=1e-3).gain() > 0.2
