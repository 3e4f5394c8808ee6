"""Imitation: from nothing to the starter's habits, and from its wrong habit to the right one."""

from pathlib import Path

from contracts.method import LoraMethod
from tests.learn.support import Learned, Room, full_form_only, held_out, learning
from whetstone.starter import data

pytestmark = [*learning, full_form_only]

ADAPTER = {"hyperparameters": {"n_epochs": 1, "batch_size": 16, "max_steps": 60, "eval_interval": 60}}


def test_full_fine_tuning_teaches_a_newborn_model_to_add(upbringing: Learned) -> None:
    assert upbringing.before() == 0
    assert upbringing.gain() > 0.2


def test_an_adapter_learns_the_carry_from_clean_demonstrations(room: Room, starter: Path) -> None:
    method = LoraMethod.model_validate({"lora": ADAPTER})
    learned = room.learn(method, data.demonstrations(1000, seed=2, forgetful=0), held_out(), base=starter)
    assert learned.gain() > 0.2
