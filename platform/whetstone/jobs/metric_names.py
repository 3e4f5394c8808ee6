"""What the trainers' keys mean: a readable name, a group, one sentence, and the band that is healthy.

Bands are those of Axolotl's stability guide; keys are TRL 1.16's.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext
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


REWARD, PREFERENCE, POLICY, CRITIC, LENGTH, OPTIMIZER, SPEED = (
    _("Reward"),
    _("Preference"),
    _("Policy"),
    _("Critic"),
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
    "score_mean": MetricName(_("Score"), REWARD, _("Mean of the evaluator's score, before the penalty for length.")),
    "score_std": MetricName(
        _("Score spread"), REWARD, _("Standard deviation of the evaluator's score, before the penalty for length.")
    ),
    "pair_accuracy": MetricName(
        _("Held-out right pairs"),
        PREFERENCE,
        _("Share of held-out pairs in which the chosen answer is ahead. Half is a coin's throw."),
        (0.5, None),
    ),
    "margin": MetricName(
        _("Held-out margin"), PREFERENCE, _("How far good answers are ahead of bad ones on held-out rows."), (0.0, None)
    ),
    "rewards/accuracies": MetricName(
        _("Right pairs"), PREFERENCE, _("Share of the batch's pairs in which the chosen answer is ahead."), (0.5, None)
    ),
    "rewards/margins": MetricName(
        _("Margin"),
        PREFERENCE,
        _("How far good answers are ahead of bad ones. It grows even while a model becomes worse: look at held-out."),
        (0.0, None),
    ),
    "rewards/chosen": MetricName(
        _("Reward of good answers"),
        PREFERENCE,
        _("How much likelier good answers became than they were to the starting point, times beta."),
    ),
    "rewards/rejected": MetricName(
        _("Reward of bad answers"),
        PREFERENCE,
        _("How much likelier bad answers became than they were to the starting point, times beta."),
    ),
    "mean_reward": MetricName(_("Mean score"), PREFERENCE, _("Mean of what the reward model gives.")),
    "min_reward": MetricName(_("Lowest score"), PREFERENCE, _("The lowest score in the batch.")),
    "max_reward": MetricName(_("Highest score"), PREFERENCE, _("The highest score in the batch.")),
    "logps/chosen": MetricName(
        _("Log-probability, good"),
        POLICY,
        _("Of good answers, summed over their tokens. When it falls, the model forgets what it should say."),
    ),
    "logps/rejected": MetricName(
        _("Log-probability, bad"), POLICY, _("Of bad answers, summed over their tokens. It should fall.")
    ),
    "logits/chosen": MetricName(_("Logits, good"), POLICY, _("Mean logit at the tokens of good answers.")),
    "logits/rejected": MetricName(_("Logits, bad"), POLICY, _("Mean logit at the tokens of bad answers.")),
    "kl": MetricName(_("KL"), POLICY, _("Distance of the policy from the reference model, per token."), (None, 0.5)),
    "entropy": MetricName(
        _("Entropy"),
        POLICY,
        _("How undecided the model is about the next token, in nats. Near zero it stops exploring."),
        (0.05, 0.5),
    ),
    "approx_kl": MetricName(
        _("KL of the update"),
        POLICY,
        _("Distance from the policy that sampled, per token. Beyond the target the updates of a batch are skipped."),
        (None, 0.05),
    ),
    "policy_loss": MetricName(
        _("Policy loss"),
        POLICY,
        _("The clipped objective, negative: its level says little. It begins once the critic's warm-up is over."),
    ),
    "skipped_updates": MetricName(
        _("Skipped updates"), POLICY, _("1 once the policy moved beyond the target KL and rests for this batch.")
    ),
    "advantages/std": MetricName(
        _("Spread of advantages"), POLICY, _("Standard deviation of the advantages before they are normalised.")
    ),
    "explained_variance": MetricName(
        _("Explained variance"),
        CRITIC,
        _("Share of the returns' variance that the critic foresaw, on answers it had not seen. Below 0 it misleads."),
        (0.0, None),
    ),
    "value_loss": MetricName(_("Value loss"), CRITIC, _("Squared error of the critic.")),
    "value_clip_ratio": MetricName(
        _("Values clipped"), CRITIC, _("Share of tokens whose value moved beyond its clip range."), (None, 0.3)
    ),
    "values/mean": MetricName(_("Mean value"), CRITIC, _("What the critic expects on average.")),
    "critic_grad_norm": MetricName(
        _("Critic's gradient norm"), CRITIC, _("Length of the critic's gradient before clipping.")
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
    "loss": MetricName(
        _("Loss"), OPTIMIZER, _("What the optimizer minimises. Its level says little in reinforcement.")
    ),
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
    "reward_good": MetricName(
        _("Held-out, good answers"), PREFERENCE, _("Mean implied reward of good answers on held-out rows.")
    ),
    "reward_bad": MetricName(
        _("Held-out, bad answers"), PREFERENCE, _("Mean implied reward of bad answers on held-out rows.")
    ),
    "token_accuracy": MetricName(
        _("Token accuracy"), OPTIMIZER, _("Share of the answers' tokens that the model would have chosen itself.")
    ),
    "length_mean": MetricName(_("Held-out length"), LENGTH, _("Tokens in an answer to a held-out row, on average.")),
    "not_scored": MetricName(_("Not scored"), REWARD, _("Share of answers that the evaluator could not score.")),
    "graded": MetricName(_("Answers graded"), LENGTH, _("In this step, or of held-out rows.")),
    "judges/calls": MetricName(_("Judge requests"), SPEED, _("Sent to judges for this step, with those tried again.")),
    "judges/tokens": MetricName(_("Judge tokens"), SPEED, _("Read and written by judges for this step.")),
    "judges/cost": MetricName(_("Judge cost"), SPEED, _("For this step, by the prices in the settings.")),
}
JUDGED = {
    "prompt_tokens": _("%(part)s, tokens read"),
    "completion_tokens": _("%(part)s, tokens written"),
    "cached_tokens": _("%(part)s, tokens read before"),
}
"""What the judge of one grader took."""
ORDER = (REWARD, PREFERENCE, POLICY, CRITIC, LENGTH, OPTIMIZER, SPEED, OTHER)


def describe(key: str) -> MetricName:
    """What is known of a key; an unknown one stands under its own name."""
    if known := NAMES.get(key.removeprefix("eval_")):
        return known
    if key.startswith("rewards/") and key.endswith(("/mean", "/std")):
        return _of_one_function(key.removeprefix("rewards/"))
    if key == "grades/overlong":
        return MetricName(_("Length penalty"), REWARD, _("Mean of what completions near the length limit lost."))
    if key.startswith("grades/"):
        return MetricName(key.removeprefix("grades/"), REWARD, _("Mean score of one part of the evaluator."))
    return _of_one_part(key)


def _of_one_part(key: str) -> MetricName:
    kind, _slash, rest = key.partition("/")
    name, _slash, what = rest.rpartition("/")
    if kind == "grading_s" and rest:
        return MetricName(gettext("%(part)s, time") % {"part": rest}, SPEED, _("Seconds of grading, for one answer."))
    if kind == "errors" and name:
        title = gettext("%(part)s: %(error)s") % {"part": name, "error": what.replace("_", " ")}
        return MetricName(title, REWARD, _("Answers that the grader could not judge, for this reason."))
    if kind == "judges" and what in JUDGED:
        return MetricName(JUDGED[what] % {"part": name}, SPEED, _("For this step."))
    return MetricName(key, OTHER, "")


def _of_one_function(key: str) -> MetricName:
    """What jobs of earlier versions told of their evaluator, beside “reward” and “reward_std”: the same once more."""
    name, _slash, part = key.rpartition("/")
    title = gettext("%(evaluator)s, spread") if part == "std" else gettext("%(evaluator)s, mean")
    return MetricName(title % {"evaluator": name}, REWARD, _("The evaluator's score, as in the reward above."))
