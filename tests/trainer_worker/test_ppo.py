"""PPO on TRL's GRPOTrainer: what is overridden, what is learned and when, what is saved, what is reported."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load as load_safetensors
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer
from trl import GRPOTrainer

from contracts.method import LoraAdapter
from contracts.resolve import Facts, resolve
from graders import Grade
from tests.trainer_worker.jobs import PARAMETERS, make_spec, ppo
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import HELD_OUT, finished, names, rollouts, weights
from tests.trainer_worker.trainers import assignment_of, one_batch, ppo_trainer
from trainer_worker.models import load_model
from trainer_worker.ppo.critic import Critic, critic_of
from trainer_worker.ppo.moments import moments
from trainer_worker.worker import Worker

PPO_METRICS = {
    "loss", "policy_loss", "value_loss", "explained_variance", "approx_kl", "clip_ratio/region_mean",
    "value_clip_ratio", "entropy", "advantages/std", "values/mean", "grad_norm", "critic_grad_norm",
    "learning_rate",
}  # fmt: skip
OF_A_BATCH = {"num_tokens", "reward", "reward_std", "completions/mean_length", "completions/clipped_ratio"}


@pytest.mark.parametrize(
    ("owner", "method", "arguments"),
    [
        (GRPOTrainer, "_calculate_rewards", ["self", "inputs", "prompts", "completions", "completion_ids_list"]),
        (GRPOTrainer, "_generate_and_score_completions", ["self", "inputs"]),
        (GRPOTrainer, "_compute_loss", ["self", "model", "inputs"]),
        (GRPOTrainer, "_save_checkpoint", ["self", "model", "trial"]),
        (GRPOTrainer, "_load_optimizer_and_scheduler", ["self", "checkpoint"]),
        (GRPOTrainer, "log", ["self", "logs", "start_time"]),
        (Trainer, "create_optimizer", ["self", "model"]),
        (Trainer, "_clip_grad_norm", ["self", "model"]),
        (Trainer, "get_decay_parameter_names", ["self", "model"]),
    ],
)
def test_what_is_overridden_is_still_called_as_it_was(owner: type, method: str, arguments: list[str]) -> None:
    assert list(inspect.signature(getattr(owner, method)).parameters) == arguments


def test_trl_still_gives_what_the_losses_read(tiny: Path, tmp_path: Path) -> None:
    batch = one_batch(ppo_trainer(tiny, tmp_path, beta=0.1))
    assert set(batch) == {
        "prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "advantages", "num_items_in_batch",
        "old_per_token_logps", "ref_per_token_logps", "learn_mask", "old_values", "targets",
    }  # fmt: skip


def test_a_ppo_job_is_trained_and_reported_from_claim_to_model(side: OtherSide, worker: Worker, tiny: Path) -> None:
    method = ppo(eval_interval=2, beta=0.05, target_kl=0.5, checkpoint_interval=2)
    side.queue(make_spec(side, tiny, method, held_out=HELD_OUT))
    worker.wake()
    end = finished(side)
    metrics = side.events("metrics")
    assert [event.step for event in metrics] == [1, 2, 3, 4]
    missing = [(PPO_METRICS | {"kl", "skipped_updates"}) - set(event.values) for event in metrics]
    assert missing == [set()] * 4
    assert all(set(metrics[n].values) >= OF_A_BATCH for n in (0, 2))
    assert not any("frac_reward_zero_std" in event.values for event in metrics)
    assert [event.step for event in side.events("evaluation")] == [0, 2, 4]
    assert [event.step for event in side.events("checkpoint")] == [2, 4]
    assert end.trained_tokens == metrics[2].values["num_tokens"]


@pytest.mark.parametrize("rank", [None, 4], ids=["full", "adapter"])
@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_what_is_exported_is_the_policy_alone(
    side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path, rank: int | None, beta: float
) -> None:
    side.queue(make_spec(side, tiny, ppo(rank=rank, beta=beta, learning_rate=0.01)))
    worker.wake()
    end = finished(side)
    assert ("kl" in side.events("metrics")[0].values) == (beta > 0)
    assert ("adapter/adapter_model.safetensors" in names(end)) == (rank is not None)
    assert not any("critic" in name for name in names(end) | set(weights(side, end)))
    for ref in end.files:
        (tmp_path / ref.path).parent.mkdir(exist_ok=True)
        (tmp_path / ref.path).write_bytes(side.blobs[ref.sha256])
    model, info = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["unexpected_keys"]
    assert not info["missing_keys"]
    assert sum(parameter.numel() for parameter in model.parameters()) == end.parameters
    prompt = AutoTokenizer.from_pretrained(tmp_path)("1+1", return_tensors="pt")
    assert model.generate(**prompt, max_new_tokens=2).shape[1] > prompt["input_ids"].shape[1]


def test_rollouts_say_how_much_better_than_expected_an_answer_was(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_spec(side, tiny, ppo()))
    worker.wake()
    finished(side)
    rows = rollouts(side)
    assert [row["step"] for row in rows] == [1] * 8 + [3] * 8
    assert [row["group"] for row in rows[:8]] == list(range(8))
    first = rows[:8]
    right = [row["advantage"] for row in first if row["reward"] == 1]
    wrong = [row["advantage"] for row in first if row["reward"] == 0]
    assert right
    assert wrong
    assert min(right) > max(wrong), "the critic knew nothing yet, so only the reward decides"


def trained(side: OtherSide, worker: Worker, tiny: Path, **changes: Any) -> dict[str, Any]:
    """The weights after a job with these hyperparameters."""
    side.reports.clear()
    side.queue(make_spec(side, tiny, ppo(learning_rate=0.01, lr_scheduler="constant", **changes)))
    worker.wake()
    return weights(side, finished(side))


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_policy_rests_once_it_has_moved_far_enough(side: OtherSide, worker: Worker, tiny: Path) -> None:
    one = trained(side, worker, tiny, max_steps=1, num_minibatches=4)
    four = trained(side, worker, tiny, max_steps=4, num_minibatches=4, target_kl=1e-9)
    skipped = [event.values["skipped_updates"] for event in side.events("metrics")]
    assert same(one, four), "three of four updates were to be skipped"
    assert skipped == [0.0, 1.0, 1.0, 1.0]
    fresh = trained(side, worker, tiny, max_steps=5, num_minibatches=4, target_kl=1e-9)
    assert side.events("metrics")[-1].values["skipped_updates"] == 0.0
    assert not same(four, fresh), "with a new batch it moves again"


def test_the_critic_learns_alone_while_it_warms_up(side: OtherSide, worker: Worker, tiny: Path) -> None:
    short = trained(side, worker, tiny, max_steps=2, critic_warmup_steps=2)
    longer = trained(side, worker, tiny, max_steps=4, critic_warmup_steps=4)
    values = [event.values for event in side.events("metrics")]
    assert same(short, longer), "the policy was to stay as it was"
    assert all("policy_loss" not in one and one["grad_norm"] == 0 < one["critic_grad_norm"] for one in values)
    assert not same(longer, trained(side, worker, tiny, max_steps=4, critic_warmup_steps=2))


def test_steps_of_the_critic_alone_report_the_critic_alone(side: OtherSide, worker: Worker, tiny: Path) -> None:
    trained(side, worker, tiny, max_steps=4, critic_warmup_steps=2, beta=0.1)
    critics, both = ([set(e.values) for e in side.events("metrics") if (e.step > 2) is late] for late in (False, True))
    policys = {"policy_loss", "entropy", "approx_kl", "clip_ratio/region_mean", "kl"}
    assert len(critics) == len(both) == 2
    assert all({"value_loss", "explained_variance", "loss"} <= names for names in critics)
    assert not any(policys & names for names in critics)
    assert all(policys <= names for names in both)


def test_micro_batches_change_no_result(side: OtherSide, worker: Worker, tiny: Path) -> None:
    whole = trained(side, worker, tiny, micro_batch_size=4)
    parts = trained(side, worker, tiny, micro_batch_size=1)
    assert [event.step for event in side.events("metrics")] == [1, 2, 3, 4]
    assert all(torch.allclose(whole[name], parts[name], atol=2e-3) for name in whole)


@pytest.mark.parametrize("rank", [None, 4], ids=["full", "adapter"])
def test_checkpointing_reaches_the_critic_and_changes_no_gradient(tiny: Path, tmp_path: Path, rank: int | None) -> None:
    gradients = []
    for checkpointing in (False, True):
        trainer = ppo_trainer(
            tiny, tmp_path / str(checkpointing), rank=rank, num_minibatches=1, gradient_checkpointing=checkpointing
        )
        torch.nn.init.ones_(trainer.critic.head.weight)
        trainer.current_gradient_accumulation_steps = 1
        trainer.model.train()
        assert trainer.critic.backbone.is_gradient_checkpointing == checkpointing
        trainer._compute_loss(trainer.model, one_batch(trainer)).backward()
        gradients.append([weight.grad for weight in trainer.critic.parameters() if weight.requires_grad])
    assert all(torch.allclose(plain, again, atol=1e-6) for plain, again in zip(*gradients, strict=True))


@pytest.mark.timeout(900)
def test_two_processes_end_with_the_same_policy_and_the_same_critic(tiny: Path, tmp_path: Path) -> None:
    method = ppo(micro_batch_size=2, normalize_rewards=True, target_kl=0.1, critic_warmup_steps=1, learning_rate=0.01)
    assignment = assignment_of(method, tiny, tmp_path).model_copy(update={"processes": 2})
    assignment.write()
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    program = [*torchrun, "-m", "tests.trainer_worker.two_processes", str(assignment.file)]
    ran = subprocess.run(program, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert ran.returncode == 0, ran.stderr[-3000:]
    first, second = ((tmp_path / f"ended-with-{rank}").read_text() for rank in (0, 1))
    assert first == second


def test_a_checkpoint_holds_the_critic_and_what_it_has_seen(side: OtherSide, worker: Worker, tiny: Path) -> None:
    side.queue(make_spec(side, tiny, ppo(normalize_rewards=True, checkpoint_interval=2)))
    worker.wake()
    finished(side)
    files = {ref.path: side.blobs[ref.sha256] for ref in side.events("checkpoint")[0].files}
    critic, policy = (load_safetensors(files[name]) for name in ("critic.safetensors", "model.safetensors"))
    seen = json.loads(files["critic.json"])
    assert critic["head.weight"].any()
    assert {name.removeprefix("model.") for name in policy} <= {name.removeprefix("backbone.") for name in critic}
    assert seen["scores"]["count"] == 8
    assert seen["returns"]["count"] > 8


def test_what_is_not_scored_teaches_nobody(tiny: Path, tmp_path: Path) -> None:
    trainer = ppo_trainer(tiny, tmp_path)
    grades = [Grade(score=None if n % 2 else float(n), name="some", type="number") for n in range(8)]
    trainer.reward.expect(grades, {})
    batch = one_batch(trainer)
    scored = batch["learn_mask"].sum(1) > 0
    assert scored.tolist() == [n % 2 == 0 for n in range(8)]
    assert not batch["advantages"][~scored].any()
    assert int(batch["num_items_in_batch"]) == int(batch["completion_mask"][scored].sum())
    assert trainer.critic.seen.mean == pytest.approx(_mean_over_tokens(batch, [0.0, 2.0, 4.0, 6.0]))


def _mean_over_tokens(batch: dict[str, torch.Tensor], scores: list[float]) -> float:
    lengths = batch["learn_mask"].sum(1)
    lengths = lengths[lengths > 0]
    return float((lengths * torch.tensor(scores)).sum() / lengths.sum())


@pytest.mark.parametrize(("clip", "expected"), [(None, [-10.0, 0.0, 10.0]), (3.0, [-3.0, 0.0, 3.0])])
def test_rewards_are_cut_where_that_is_wanted(
    tiny: Path, tmp_path: Path, clip: float | None, expected: list[float]
) -> None:
    trainer = ppo_trainer(tiny, tmp_path, reward_clip=clip)
    assert trainer._shaped(torch.tensor([-10.0, 0.0, 10.0])).tolist() == expected


def test_normalised_rewards_are_in_units_of_all_that_was_seen(tiny: Path, tmp_path: Path) -> None:
    trainer = ppo_trainer(tiny, tmp_path, normalize_rewards=True)
    first = trainer._shaped(torch.tensor([0.0, 10.0, float("nan")]))
    assert first[:2].tolist() == [0.0, 2.0]
    assert first[2].isnan()
    assert trainer._shaped(torch.tensor([-10.0, 20.0]))[1] == pytest.approx(20 / 125**0.5)


def test_a_reference_is_asked_for_only_where_a_penalty_is_wanted(tiny: Path, tmp_path: Path) -> None:
    assert "ref_per_token_logps" not in one_batch(ppo_trainer(tiny, tmp_path / "without"))
    batch = one_batch(ppo_trainer(tiny, tmp_path / "with", beta=0.5, num_minibatches=1))
    assert torch.allclose(batch["ref_per_token_logps"], batch["old_per_token_logps"], atol=1e-5)


def test_the_bonus_for_entropy_is_taken_from_the_loss(tiny: Path, tmp_path: Path) -> None:
    losses = []
    for coefficient in (0.0, 0.5):
        trainer = ppo_trainer(tiny, tmp_path / str(coefficient), entropy_coefficient=coefficient, num_minibatches=1)
        batch = one_batch(trainer)
        trainer.current_gradient_accumulation_steps = 1
        losses.append(trainer._compute_loss(trainer.model, batch).item())
    entropy = trainer._metrics["train"]["entropy"][-1]
    assert losses[0] - losses[1] == pytest.approx(0.5 * entropy, rel=1e-4)


def test_the_critics_weights_learn_at_their_own_rate(tiny: Path, tmp_path: Path) -> None:
    trainer = ppo_trainer(tiny, tmp_path, learning_rate=1e-4, critic_learning_rate=3e-3, weight_decay=0.1)
    groups = trainer.create_optimizer().param_groups
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [
        (1e-4, 0.1), (1e-4, 0.0), (3e-3, 0.1), (3e-3, 0.0),
    ]  # fmt: skip
    held = [id(weight) for group in groups for weight in group["params"]]
    assert set(map(id, trainer.critic.parameters())) <= set(held)
    assert len(held) == len(set(held))


def test_a_critic_that_has_seen_nothing_says_the_mean(tiny: Path, tmp_path: Path) -> None:
    trainer = ppo_trainer(tiny, tmp_path)
    batch = one_batch(trainer)
    assert not batch["old_values"].any()
    assert trainer._of_batch["values/mean"] == pytest.approx(trainer.critic.seen.mean)
    assert trainer._of_batch["explained_variance"] == pytest.approx(0, abs=1e-6)


@given(st.lists(st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=5), min_size=2, max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
def test_what_the_critic_says_stays_when_its_units_change(streams: list[list[float]]) -> None:
    critic = Critic(torch.nn.Identity(), 3)
    torch.nn.init.normal_(critic.head.weight)
    hidden = torch.randn(5, 3)
    first, *more = ([float(number) for number in stream] for stream in streams)
    critic.see(_moments(first))
    for stream in more:
        before = critic.to_rewards(critic.head(hidden))
        critic.see(_moments(stream))
        assert torch.allclose(critic.to_rewards(critic.head(hidden)), before, rtol=1e-3, atol=1e-2)


def _moments(stream: list[float]) -> Any:
    x = torch.tensor(stream)
    return moments(x, torch.ones_like(x), lambda one: one)


def test_beside_an_adapter_the_critic_keeps_no_copy_of_the_model(tiny: Path, tmp_path: Path) -> None:
    model = load_model(tiny, 1, tmp_path / "drawn")
    critic = critic_of(model, LoraAdapter(rank=2), seed=1)
    shared = {id(weight) for weight in model.parameters()}
    own = [weight for weight in critic.parameters() if id(weight) not in shared]
    assert all(weight.requires_grad for weight in own)
    assert sum(weight.numel() for weight in own) < 0.2 * sum(weight.numel() for weight in model.parameters())
    assert all("lora" in name or "head" in name for name in critic.learned())
    assert not any("lora" in name for name, _ in model.named_modules())


def test_without_an_adapter_the_critic_has_weights_of_its_own(tiny: Path, tmp_path: Path) -> None:
    model = load_model(tiny, 1, tmp_path / "drawn")
    critic = critic_of(model, None, seed=1)
    assert not {weight.data_ptr() for weight in model.parameters()} & {w.data_ptr() for w in critic.parameters()}
    assert torch.equal(critic.backbone.layers[0].mlp.up_proj.weight, model.model.layers[0].mlp.up_proj.weight)


def test_a_batch_has_two_completions_at_least() -> None:
    resolved = resolve(ppo(), Facts(rows=1, parameters=PARAMETERS)).hyperparameters
    assert resolved.batch_size == 1
    assert resolved.model_dump()["num_generations"] == 2


@pytest.mark.parametrize(("steps", "alone"), [(400, 40), (40, 0), (176, 16)])
def test_a_tenth_of_the_steps_is_the_critics_alone(steps: int, alone: int) -> None:
    method = ppo(max_steps=steps, n_epochs=50, batch_size=64, num_minibatches=8, critic_warmup_steps="auto")
    assert (
        resolve(method, Facts(rows=7000, parameters=PARAMETERS)).hyperparameters.model_dump()["critic_warmup_steps"]
        == alone
    )
