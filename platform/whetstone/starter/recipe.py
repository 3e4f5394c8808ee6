EVALUATOR_NAME = "arithmetic"
DEMONSTRATIONS = 4000
EVALUATOR = {"type": "regex", "name": "correct", "pattern": "#(\\d+)", "reference": "{{ item.answer }}"}
FULL = {"type": "full", "full": {"hyperparameters": {"n_epochs": 1, "batch_size": 32, "learning_rate": 3e-3}}}


def grpo(ev):
    return {
        "type": "grpo",
        "grpo": {
            "evaluator": ev,
            "hyperparameters": {
                "max_steps": 20,
                "batch_size": 8,
                "num_generations": 8,
                "max_completion_length": 32,
                "learning_rate": 1e-4,
                "eval_interval": 20,
                "checkpoint_interval": 10,
            },
        },
    }
