"""PPO takes the wrong habit away, with a critic that foresees how an answer will end."""

from pathlib import Path
from statistics import median

from contracts.method import PpoMethod
from tests.learn.support import Room, held_out, learning
from whetstone.starter import data

pytestmark = [*learning]

# Chosen on the validation split (docs/decisions/0008-ppo-on-our-own.md): eight batches of completions for the
# critic alone, four for both.
SETTINGS = {
    "max_steps": 96,
    "n_epochs": 2,
    "batch_size": 128,
    "critic_warmup_steps": 64,
    "max_completion_length": 32,
    "learning_rate": 1e-4,
    "lr_scheduler": "constant",
    "eval_interval": 96,
    "checkpoint_interval": 96,
}
BATCH = 8
"""Steps that learn from the same completions."""


def test_ppo_removes_the_wrong_habit_and_its_critic_earns_its_memory(room: Room, starter: Path) -> None:
    method = PpoMethod.model_validate({"ppo": {"hyperparameters": SETTINGS}})
    learned = room.learn(method, data.problems("train", seed=1), held_out(), base=starter)
    assert learned.gain() > 0.2
    fresh = [learned.metrics[step] for step in range(1, 96, BATCH)]
    foresight = [each["explained_variance"] for each in fresh if each["reward_std"] > 0.1]
    assert foresight[0] < 0.01, "a critic that has learned nothing foresees nothing"
    assert max(foresight) > 0.3
    assert median(foresight[5:9]) > 0.25, "and that is no luck of one batch"
