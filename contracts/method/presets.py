"""Settings that papers call by a name. Whatever a preset does not name keeps its default.

Clip ranges matter from the second update on, so DAPO, GSPO and CISPO take several a batch: 16, 4 and 16 in the papers,
of far larger batches than ours.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from contracts import Contract


class Preset(Contract):
    """One of them, as the form, the docs and the worker know it."""

    title: str
    description: str
    sets: dict[str, JsonValue]


GRPO_PRESETS: Mapping[str, Preset] = {
    "grpo": Preset(
        title="GRPO with KL",
        description="As it was published, with a penalty on the distance to the starting point (arXiv:2402.03300).",
        sets={"beta": 0.04, "loss_type": "grpo", "epsilon_high": 0.2},
    ),
    "dapo": Preset(
        title="DAPO",
        description="Wider clipping above, dull groups sampled anew, long answers penalised softly (arXiv:2503.14476).",
        sets={
            "loss_type": "dapo",
            "epsilon_high": 0.28,
            "max_resamples": 3,
            "overlong_buffer": 0.2,
            "mask_truncated_completions": False,
            "num_minibatches": 4,
        },
    ),
    "dr_grpo": Preset(
        title="Dr. GRPO",
        description="No division by length or spread: no bias to long answers or easy prompts (arXiv:2503.20783).",
        sets={"loss_type": "dr_grpo", "scale_rewards": "none", "epsilon_high": 0.2},
    ),
    "gspo": Preset(
        title="GSPO",
        description="One importance ratio for each answer in place of one for each token (arXiv:2507.18071).",
        sets={
            "loss_type": "grpo",
            "importance_sampling": "sequence",
            "epsilon": 0.0003,
            "epsilon_high": 0.0004,
            "num_minibatches": 4,
        },
    ),
    "cispo": Preset(
        title="CISPO",
        description="Clips a token's weight in place of its gradient, so that no token is left out (arXiv:2506.13585).",
        sets={"loss_type": "cispo", "epsilon_high": 5.0, "num_minibatches": 4},
    ),
}
PPO_PRESETS: Mapping[str, Preset] = {
    "ppo": Preset(
        title="PPO",
        description="With a critic and a clipped objective, nothing else (arXiv:1707.06347).",
        sets={},
    ),
    "ppo_max": Preset(
        title="PPO-max",
        description="Stabilisers: rewards normalised and cut, KL, a critic that learns first (arXiv:2307.04964).",
        sets={
            "normalize_rewards": True,
            "reward_clip": 5.0,
            "beta": 0.05,
            "value_clip_range": 0.2,
            "critic_warmup_steps": 10,
            "max_grad_norm": 0.5,
        },
    ),
}


def described(presets: Mapping[str, Preset]) -> dict[str, JsonValue]:
    """For the JSON Schema of the field that chooses one: names, lines and settings, as a form shows them."""
    return {"presets": {name: preset.model_dump(mode="json") for name, preset in presets.items()}}


def filled(given: Any, presets: Mapping[str, Preset]) -> Any:  # Any: what a request holds; pydantic judges it after
    """What is given, null included, above what its preset gives."""
    if not isinstance(given, dict) or given.get("preset") not in presets:
        return given
    return {**presets[given["preset"]].sets, **given}
