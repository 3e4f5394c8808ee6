"""How the starter model is brought up: two jobs, as anybody could ask for them.

The numbers were chosen on the validation split alone (docs/decisions/0004-starter-model.md). The test split is for
the one who reports how well it went.
"""

DEMONSTRATIONS = 4800
"""Rows of the first job."""

EVALUATOR_NAME = "arithmetic"
EVALUATOR: dict[str, object] = {
    "type": "regex",
    "name": "sum",
    "pattern": r"#(\d+)",
    "reference": "{{ item.answer }}",
}
"""1 when what stands behind the last `#` is the answer, else 0."""

FULL: dict[str, object] = {
    "type": "full",
    "full": {
        "hyperparameters": {
            "n_epochs": 1,
            "batch_size": 16,
            "learning_rate": 2e-3,
            "lr_scheduler": "cosine",
            "warmup_ratio": 0.05,
            "eval_interval": 150,
            "checkpoint_interval": 150,
        }
    },
}
"""From random weights to a model that knows the digits and has a bad habit."""

SAMPLING: dict[str, object] = {
    "max_steps": 40,
    "batch_size": 16,
    "num_generations": 8,
    "max_completion_length": 32,
    "learning_rate": 1e-4,
    "lr_scheduler": "constant",
    "eval_interval": 10,
    "checkpoint_interval": 20,
}


def grpo(reward: dict[str, object]) -> dict[str, object]:
    """The second job's method: takes the habit away. The reward is `{"grader": …}` or `{"evaluator": "name@1"}`."""
    return {"type": "grpo", "grpo": {"hyperparameters": SAMPLING, **reward}}
