"""What the numbers of a job are called, and which of them is the headline."""

import pytest
from django.utils import timezone

from tests.whetstone.factories import make_job
from whetstone.jobs.metric_names import CRITIC, NAMES, ORDER, PREFERENCE, REWARD, describe
from whetstone.jobs.models import Event, Job
from whetstone.jobs.series import series
from whetstone.web.results import result_of

# What TRL 1.16 and our trainers log, by method.
LOGGED = {
    "sft": "loss grad_norm learning_rate entropy mean_token_accuracy num_tokens",
    "dpo": "rewards/chosen rewards/rejected rewards/margins rewards/accuracies logps/chosen logps/rejected "
    "logits/chosen logits/rejected",
    "kto": "rewards/chosen rewards/rejected rewards/margins logps/chosen logps/rejected kl",
    "reward_model": "rewards/accuracies rewards/margins min_reward mean_reward max_reward",
    "grpo": "reward reward_std frac_reward_zero_std completions/mean_length completions/clipped_ratio entropy "
    "clip_ratio/region_mean cispo_clip_ratio kl step_time",
    "ppo": "policy_loss value_loss explained_variance approx_kl value_clip_ratio critic_grad_norm",
    "held-out": "accuracy reward_mean pair_accuracy margin reward_good reward_bad mean_reward loss token_accuracy "
    "length_mean",
}


@pytest.mark.parametrize("method", LOGGED)
def test_every_number_of_a_method_has_a_name_and_a_sentence(method: str) -> None:
    for key in LOGGED[method].split():
        known = describe(key)
        assert (str(known.title), bool(str(known.about))) != (key, False), key
        assert known.group in ORDER


def test_a_mean_of_a_reward_model_is_no_mean_of_an_evaluator() -> None:
    assert describe("mean_reward").group == PREFERENCE
    assert describe("score_mean").group == REWARD
    assert "reward model" not in str(describe("score_mean").about)


def test_numbers_of_a_kind_stand_together() -> None:
    assert {describe(key).group for key in ("rewards/margins", "pair_accuracy", "max_reward")} == {PREFERENCE}
    assert {describe(key).group for key in ("value_loss", "explained_variance")} == {CRITIC}


def test_held_out_pairs_stand_before_all_else_of_a_reward_model() -> None:
    told = evaluated(mean_reward=(0.0, 0.1), margin=(0.0, 1.0), pair_accuracy=(0.5, 0.9))
    told.last_event = 20
    assert [about["key"] for about in series(told)["keys"]] == ["pair_accuracy", "margin", "mean_reward"]


def test_a_grader_may_be_called_like_a_number() -> None:
    assert "rewards/margins/mean" not in NAMES
    assert describe("rewards/margins/mean").group not in (PREFERENCE,)


def test_what_older_jobs_told_of_their_evaluator_stands_with_its_reward() -> None:
    told = [describe(f"rewards/sum/{part}") for part in ("mean", "std")]
    assert [(str(one.title), one.group) for one in told] == [("sum, mean", REWARD), ("sum, spread", REWARD)]


def evaluated(**values: tuple[float, float]) -> Job:
    job = make_job()
    for n, step in enumerate((0, 10)):
        data = {"values": {key: told[n] for key, told in values.items()}}
        Event.objects.create(
            job=job, number=10 + n, attempt=1, seq=10 + n, type="evaluation", step=step, at=timezone.now(), data=data
        )
    return job


@pytest.mark.parametrize(
    ("values", "headline"),
    [
        ({"loss": (2.0, 1.0), "pair_accuracy": (0.5, 0.9), "accuracy": (0.1, 0.3)}, "Held-out accuracy: 10.0% → 30.0%"),
        ({"loss": (2.0, 1.0), "pair_accuracy": (0.5, 0.9)}, "Held-out right pairs: 50.0% → 90.0%"),
        ({"margin": (0.0, 0.4), "reward_mean": (1.0, 2.0)}, "Held-out reward: 1.000 → 2.000"),
        ({"margin": (0.0, 0.4), "reward_good": (0.0, 1.0)}, "Held-out margin: 0.000 → 0.400"),
        ({"loss": (2.0, 1.0), "token_accuracy": (0.1, 0.5)}, "Held-out loss: 2.000 → 1.000"),
    ],
)
def test_the_headline_is_what_answers_earned_then_pairs_then_the_loss(
    values: dict[str, tuple[float, float]], headline: str
) -> None:
    result = result_of(evaluated(**values))
    assert result is not None
    assert f"{result.name}: {result.before} → {result.after}" == headline
    assert result.is_better
