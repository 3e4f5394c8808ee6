"""RLOO takes the wrong habit away."""

from pathlib import Path

from contracts.method import RlooMethod
from tests.learn.support import Room, full_form_only, held_out, learning
from whetstone.starter import data

pytestmark = [*learning, full_form_only]

SETTINGS = {
    "max_steps": 30,
    "batch_size": 16,
    "num_generations": 8,
    "beta": 0.0,
    "max_completion_length": 32,
    "learning_rate": 1e-4,
    "lr_scheduler": "constant",
    "eval_interval": 30,
    "checkpoint_interval": 30,
}


def test_rloo_removes_the_wrong_habit(room: Room, starter: Path) -> None:
    method = RlooMethod.model_validate({"rloo": {"hyperparameters": SETTINGS}})
    learned = room.learn(method, data.problems("train", seed=1), held_out(), base=starter)
    assert learned.gain() > 0.2
