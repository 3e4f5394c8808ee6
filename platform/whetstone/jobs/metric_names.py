"""What the trainers' keys mean: a readable name, a group, one sentence, and the band that is healthy.

Bands are those of Axolotl's stability guide; keys are TRL 1.16's.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    StrPromise = str | _StrPromise


@dataclass(frozen=True)
class MetricName:
    title: "StrPromise"
    group: "StrPromise"
    about: "StrPromise"
    band: tuple[float | None, float | None] | None = None


REWARD, POLICY, LENGTH, OPTIMIZER, SPEED = (
    _("Reward"),
    _("Policy"),
    _("Completions"),
    _("Optimizer"),
    _("Speed"),
)
OTHER = _("Other")

NAMES: dict[str, MetricName] = {
    "reward": MetricName(_("Reward"), REWARD, _("Mean score of all completions of the step."), (0.15, None)),
    "reward_std": MetricName(
        _("Reward spread"),
        REWARD,
        _("Standard deviation of the score. At zero there is nothing to learn from."),
        (1e-6, None),
    ),
    "frac_reward_zero_std": MetricName(
        _("Groups without variance"),
        REWARD,
        _("Share of prompts whose completions all scored the same: they teach nothing."),
        (None, 0.8),
    ),
    "resampling/share": MetricName(
        _("Groups replaced"),
        REWARD,
        _("Share of prompts whose completions all scored the same, so others came instead."),
    ),
    "resampling/sampled": MetricName(
        _("Completions sampled"), LENGTH, _("For this batch, with those of prompts that were replaced.")
    ),
    "resampling/dropped": MetricName(
        _("Completions dropped"), LENGTH, _("Of prompts that were replaced: sampled, scored and not learned from.")
    ),
    "score_mean": MetricName(_("Score"), REWARD, _("Mean score by the evaluator, before the penalty for length.")),
    "score_std": MetricName(
        _("Score spread"), REWARD, _("Standard deviation of the evaluator's score, before the penalty for length.")
    ),
    "kl": MetricName(_("KL"), POLICY, _("Distance of the policy from the reference model, per token."), (None, 0.5)),
    "entropy": MetricName(
        _("Entropy"),
        POLICY,
        _("How undecided the model is about the next token, in nats. Near zero it stops exploring."),
        (0.05, 0.5),
    ),
    "clip_ratio/region_mean": MetricName(
        _("Clip ratio"), POLICY, _("Share of tokens whose update was clipped."), (None, 0.1)
    ),
    "clip_ratio/low_mean": MetricName(
        _("Clipped below"), POLICY, _("Share of tokens whose probability fell as far as the clip range allows.")
    ),
    "clip_ratio/high_mean": MetricName(
        _("Clipped above"), POLICY, _("Share of tokens whose probability rose as far as the clip range allows.")
    ),
    "clip_ratio/low_min": MetricName(
        _("Clipped below, least"), POLICY, _("The same in the part of the batch that was clipped least.")
    ),
    "clip_ratio/high_max": MetricName(
        _("Clipped above, most"), POLICY, _("The same in the part of the batch that was clipped most.")
    ),
    "cispo_clip_ratio": MetricName(
        _("Clip ratio"), POLICY, _("Share of tokens whose weight was cut to the upper clip range.")
    ),
    "completions/mean_terminated_length": MetricName(
        _("Mean length, ended"), LENGTH, _("Tokens on average in completions that ended by themselves.")
    ),
    "completions/min_terminated_length": MetricName(
        _("Shortest, ended"), LENGTH, _("Tokens in the shortest completion that ended by itself.")
    ),
    "completions/max_terminated_length": MetricName(
        _("Longest, ended"), LENGTH, _("Tokens in the longest completion that ended by itself.")
    ),
    "completions/mean_length": MetricName(_("Mean length"), LENGTH, _("Tokens in a completion, on average.")),
    "completions/min_length": MetricName(_("Shortest"), LENGTH, _("Tokens in the shortest completion.")),
    "completions/max_length": MetricName(_("Longest"), LENGTH, _("Tokens in the longest completion.")),
    "completions/clipped_ratio": MetricName(
        _("Truncated"), LENGTH, _("Share of completions that hit the length limit."), (None, 0.3)
    ),
    "loss": MetricName(_("Loss"), OPTIMIZER, _("What the optimizer minimises. For GRPO its level says little.")),
    "grad_norm": MetricName(_("Gradient norm"), OPTIMIZER, _("Length of the gradient before clipping."), (0.001, 1.0)),
    "learning_rate": MetricName(_("Learning rate"), OPTIMIZER, _("Size of the optimizer's step.")),
    "mean_token_accuracy": MetricName(
        _("Token accuracy"),
        OPTIMIZER,
        _("Share of the answers' tokens that the model would have chosen itself."),
    ),
    "epoch": MetricName(_("Epoch"), OPTIMIZER, _("Passes over the dataset.")),
    "step_time": MetricName(_("Step time"), SPEED, _("Seconds for one step.")),
    "num_tokens": MetricName(_("Tokens seen"), SPEED, _("Tokens that went through the model so far.")),
    "reward_mean": MetricName(_("Held-out reward"), REWARD, _("Mean score on rows that are never trained on.")),
    "accuracy": MetricName(_("Held-out accuracy"), REWARD, _("Share of held-out rows with a full score.")),
    "length_mean": MetricName(_("Held-out length"), LENGTH, _("Tokens in an answer to a held-out row, on average.")),
    "not_scored": MetricName(_("Not scored"), REWARD, _("Share of answers that the evaluator could not score.")),
}
ORDER = (REWARD, POLICY, LENGTH, OPTIMIZER, SPEED, OTHER)


def describe(key: str) -> MetricName:
    """What is known of a key; an unknown one stands under its own name."""
    if known := NAMES.get(key.removeprefix("eval_")):
        return known
    if key.startswith("rewards/"):
        return MetricName(key.removeprefix("rewards/"), OTHER, _("Score of the evaluator, its mean or its spread."))
    if key == "grades/overlong":
        return MetricName(_("Length penalty"), REWARD, _("Mean of what completions near the length limit lost."))
    if key.startswith("grades/"):
        return MetricName(key.removeprefix("grades/"), REWARD, _("Mean score of one part of the evaluator."))
    return MetricName(key, OTHER, "")
