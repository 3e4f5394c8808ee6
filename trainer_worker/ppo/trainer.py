"""PPO on TRL's GRPOTrainer: its sampling, rewards and loop, with a critic and PPO's own objective.

Overrides these methods of TRL 1.16 and transformers 5.23, all but two of them private:
`_calculate_rewards`, `_generate_and_score_completions`, `_compute_loss`, `create_optimizer`, `_clip_grad_norm`,
`_save_checkpoint`, `_load_optimizer_and_scheduler`, `log`. A test fails when one of them changes its arguments.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from trl import GRPOConfig, GRPOTrainer

from contracts.method import PpoHyperparameters
from contracts.resolve import fixed
from trainer_worker.ppo.advantages import gae, returns, token_rewards
from trainer_worker.ppo.critic import Critic
from trainer_worker.ppo.losses import k1, k3, policy_loss, value_loss
from trainer_worker.ppo.moments import Running, explained_variance, moments, whiten

WEIGHTS = "critic.safetensors"
STATE = "critic.json"
GROUPS_OF_ONE = "frac_reward_zero_std"
"""A metric of TRL's that says nothing where a prompt may have one completion."""

Batch = dict[str, Tensor]


class PpoConfig(GRPOConfig):  # type: ignore[misc]  # TRL has no types
    """TRL refuses groups of one, which PPO has by default. To it, the whole batch is one group."""

    num_generations: int

    def __post_init__(self) -> None:
        group = self.num_generations
        if self.steps_per_generation is not None:
            self.num_generations = self.per_device_train_batch_size * self.steps_per_generation
        super().__post_init__()
        self.num_generations = group


class PpoTrainer(GRPOTrainer):  # type: ignore[misc]  # TRL has no types
    """Learns a policy and its critic from the same completions.

    The critic stands beside the model, not in it: what is saved and exported as the model is the policy alone. Its
    weights are groups of the same optimizer, with a learning rate of their own; gradients are clipped apart.
    """

    _name = "PPO"

    def __init__(self, *args: Any, critic: Critic, settings: PpoHyperparameters, **more: Any) -> None:
        super().__init__(*args, **more)
        self.settings = settings
        self.critic = critic.to(self.accelerator.device)
        if self.args.gradient_checkpointing:
            critic.backbone.gradient_checkpointing_enable({"use_reentrant": False})
        self.scores_seen = Running()
        self._policy_rests = False
        """The policy has moved as far as this batch may lead it."""
        self._of_batch: dict[str, float] = {}
        self._sums: dict[str, Tensor] = {}

    # What a batch of completions teaches

    def _calculate_rewards(self, *args: Any, **named: Any) -> Tensor:
        gathered: Tensor = super()._calculate_rewards(*args, **named)
        self._scores = gathered[:, 0]
        return gathered

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Batch:
        batch: Batch = super()._generate_and_score_completions(inputs)
        self._policy_rests = False
        scores = self._shaped(self._scores)[self._own_rows(len(inputs))]
        mask = batch["completion_mask"] * ~scores.isnan().unsqueeze(1)
        rewards = token_rewards(scores, mask, self._log_ratio(batch), self.settings.beta)
        self._learn_from(batch, rewards, mask)
        return batch

    def _learn_from(self, batch: Batch, rewards: Tensor, mask: Tensor) -> None:
        """Put into the batch what the losses need. The critic is measured before it learns from any of it."""
        h, earned = self.settings, returns(rewards, mask, self.settings.gamma)
        self.critic.see(moments(earned, mask, self._total))
        said = self._said(batch)
        values = self.critic.to_rewards(said)
        advantages = gae(rewards, values, mask, h.gamma, h.gae_lambda)
        seen = moments(advantages, mask, self._total)
        self._of_batch = {
            "explained_variance": explained_variance(values, earned, mask, self._total),
            "advantages/std": float(seen.variance.sqrt()),
            "values/mean": float(moments(values, mask, self._total).mean),
        }
        batch["advantages"] = whiten(advantages, mask, self._total) if h.normalize_advantages else advantages
        batch["learn_mask"] = mask
        batch["old_values"] = said
        batch["targets"] = self.critic.from_rewards(earned)
        batch["num_items_in_batch"] = self._total(mask.sum())

    def _shaped(self, scores: Tensor) -> Tensor:
        """Scores of all processes as the method wants them; what is not scored stays NaN."""
        h = self.settings
        if h.normalize_rewards:
            scored = ~scores.isnan()
            self.scores_seen.add(moments(scores.nan_to_num(0.0), scored, lambda one: one))
            scores = scores / self.scores_seen.spread
        return scores if h.reward_clip is None else scores.clamp(-h.reward_clip, h.reward_clip)

    def _own_rows(self, count: int) -> slice:
        first = self.accelerator.process_index * count
        return slice(first, first + count)

    @torch.no_grad()
    def _log_ratio(self, batch: Batch) -> Tensor | None:
        """Of the policy that sampled to the reference, where a penalty is wanted."""
        if self.settings.beta == 0:
            return None
        if "old_per_token_logps" not in batch:  # TRL leaves them out where the policy has not moved since
            size = self.args.per_device_train_batch_size
            batch["old_per_token_logps"], _, _ = self._get_per_token_logps_and_entropies(
                self.model, *_sequences(batch), batch["completion_ids"].size(1), batch_size=size
            )
        return k1(batch["old_per_token_logps"], batch["ref_per_token_logps"])

    @torch.no_grad()
    def _said(self, batch: Batch) -> Tensor:
        """What the critic says before it learns, in its units."""
        ids, mask = _sequences(batch)
        keep, size = batch["completion_ids"].size(1), self.args.per_device_train_batch_size
        with self.accelerator.autocast():
            chunks = zip(torch.split(ids, size), torch.split(mask, size), strict=True)
            parts = [self.critic(*chunk, keep) for chunk in chunks]
        return torch.cat(parts)

    # What an update learns

    def _compute_loss(self, model: Any, inputs: Batch) -> Tensor:
        """Sums over the micro-batch, divided by the tokens of an update: every token of a batch counts alike."""
        loss = self.settings.value_coefficient * self._value_loss(inputs)
        if self._policy_learns:
            loss = loss + self._policy_loss(model, inputs)
        self._add("tokens", inputs["learn_mask"].sum())
        if self.accelerator.sync_gradients:
            self._report_update()
        updates = self.args.steps_per_generation / self.current_gradient_accumulation_steps
        share: Tensor = updates * self.accelerator.num_processes / inputs["num_items_in_batch"].clamp(min=1)
        return loss * share

    @property
    def _policy_learns(self) -> bool:
        return not self._policy_rests and self.state.global_step >= self.settings.critic_warmup_steps

    def _policy_loss(self, model: Any, inputs: Batch) -> Tensor:
        logps, entropies, _ = self._get_per_token_logps_and_entropies(
            model, *_sequences(inputs), inputs["completion_ids"].size(1), compute_entropy=True
        )
        mask, old = inputs["learn_mask"], inputs.get("old_per_token_logps", logps.detach())
        found = policy_loss(logps, old, inputs["advantages"], self.settings.epsilon)
        loss, entropy = (found.loss * mask).sum(), (entropies * mask).sum()
        self._add("policy_loss", loss)
        self._add("entropy", entropy)
        self._add("approx_kl", (k3(logps, old) * mask).sum())
        self._add("clip_ratio/region_mean", (found.was_clipped * mask).sum())
        if self.beta:
            self._add("kl", (k3(inputs["ref_per_token_logps"], logps) * mask).sum())
        return torch.sub(loss, entropy, alpha=self.settings.entropy_coefficient)

    def _value_loss(self, inputs: Batch) -> Tensor:
        with self.accelerator.autocast():
            said = self.critic(*_sequences(inputs), inputs["completion_ids"].size(1))
        found = value_loss(said, inputs["old_values"], inputs["targets"], self.settings.value_clip_range)
        mask = inputs["learn_mask"]
        loss = (found.loss * mask).sum()
        self._add("value_loss", loss)
        self._add("value_clip_ratio", (found.was_clipped * mask).sum())
        return loss

    def _add(self, name: str, value: Tensor) -> None:
        self._sums[name] = self._sums.get(name, 0) + value.detach().double()

    def _report_update(self) -> None:
        """Means over the tokens of an update, on all processes. Decides whether the policy has moved far enough."""
        sums = dict(zip(self._sums, self._total(torch.stack(list(self._sums.values()))).tolist(), strict=True))
        self._sums = {}
        tokens = max(sums.pop("tokens"), 1)
        found = self._of_batch | {name: value / tokens for name, value in sums.items()}
        limit = self.settings.target_kl
        if limit is not None:
            self._policy_rests |= found.get("approx_kl", 0.0) > limit
            found["skipped_updates"] = float(self._policy_rests)
        for name, value in found.items():
            self._metrics["train"][name].append(value)

    def _total(self, tensor: Tensor) -> Tensor:
        summed: Tensor = self.accelerator.reduce(tensor, reduction="sum")
        return summed

    # What the loop does to the model, it also has to do to the critic

    def create_optimizer(self, *args: Any, **named: Any) -> Any:
        is_new = self.optimizer is None
        optimizer = super().create_optimizer(*args, **named)
        if is_new:
            for group in self._groups_of_critic():
                optimizer.add_param_group(group)
            optimizer.register_step_post_hook(lambda *_: self.critic.zero_grad())
        return optimizer

    def _groups_of_critic(self) -> list[dict[str, Any]]:
        decaying = set(self.get_decay_parameter_names(self.critic))
        trained = [(name, weight) for name, weight in self.critic.named_parameters() if weight.requires_grad]
        rate = float(fixed(self.settings.critic_learning_rate))
        decayed = {"params": [w for name, w in trained if name in decaying], "weight_decay": self.args.weight_decay}
        others = {"params": [w for name, w in trained if name not in decaying], "weight_decay": 0.0}
        return [group | {"lr": rate} for group in (decayed, others)]

    def _clip_grad_norm(self, model: Any) -> Any:
        if self._policy_rests:
            model.zero_grad()
        self._share_gradients()
        norm = self.accelerator.clip_grad_norm_(self.critic.parameters(), self.args.max_grad_norm)
        self._metrics["train"]["critic_grad_norm"].append(float(norm))
        return super()._clip_grad_norm(model)

    def _share_gradients(self) -> None:
        """Over the processes, once an update: the model has a wrapper for that."""
        if self.accelerator.num_processes == 1:
            return
        for weight in self.critic.parameters():
            if weight.grad is not None:
                weight.grad = self.accelerator.reduce(weight.grad, reduction="mean")

    def log(self, logs: dict[str, float], *args: Any, **named: Any) -> None:
        self._metrics["train"].pop(GROUPS_OF_ONE, None)
        super().log(logs, *args, **named)

    # Checkpoints

    def _save_checkpoint(self, *args: Any, **named: Any) -> None:
        super()._save_checkpoint(*args, **named)
        if not self.args.should_save:
            return
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        save_file({name: weight.contiguous() for name, weight in self.critic.learned().items()}, folder / WEIGHTS)
        seen = {"returns": asdict(self.critic.seen), "scores": asdict(self.scores_seen)}
        (folder / STATE).write_text(json.dumps(seen, indent=1))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is None:
            return
        folder = Path(checkpoint)
        self.critic.load_state_dict(load_file(folder / WEIGHTS), strict=False)
        seen = json.loads((folder / STATE).read_text())
        self.critic.seen, self.scores_seen = Running(**seen["returns"]), Running(**seen["scores"])


def _sequences(batch: Batch) -> tuple[Tensor, Tensor]:
    """Prompts with their completions, and the mask of both."""
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    return ids, torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
