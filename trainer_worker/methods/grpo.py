"""Group relative policy optimization (DeepSeekMath, arXiv:2402.03300) with TRL, rewarded by a grader."""

from typing import Any

from transformers import PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from contracts.fault import Fault
from contracts.method import GrpoHyperparameters, GrpoMethod
from contracts.resolve import fixed
from trainer_worker.callbacks import Watch
from trainer_worker.data import prompts
from trainer_worker.evaluate import Examination, GradedAnswers
from trainer_worker.methods.base import Base, Quiet, arguments, is_first_process, lora_config
from trainer_worker.rewards import GraderReward
from trainer_worker.rollouts import RolloutWriter
from trainer_worker.sampler import Sampler


class Trainer(Quiet, GRPOTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer, which hands on every batch of completions with its advantages.

    Overrides a private method of TRL 1.16 (the only place where advantages and completions meet in order).
    """

    reward: GraderReward
    writer: RolloutWriter | None = None

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self.writer is not None and self.reward.latest is not None:
            self.writer.add(self.state.global_step + 1, self.reward.latest, output["advantages"].tolist())
        return output


def build(base: Base, method: GrpoMethod) -> tuple[Trainer, Watch]:
    h = method.grpo.hyperparameters
    grader = base.assignment.spec.grader
    if grader is None:
        raise Fault("evaluator.missing", field="method.grpo.evaluator", method="grpo")
    room = base.context - h.max_completion_length
    rows, counts = prompts(base.training_rows(), base.tokenizer, room=room, context=base.context)
    print(f"training data: {counts}")
    reward = GraderReward(grader)
    watch = Watch(base.assignment, h, base.spool, [], speaks=is_first_process())
    watch.examinations.extend(_examinations(base, h, reward, watch))
    trainer = Trainer(
        model=base.model,
        args=_config(base, h),
        reward_funcs=[reward],
        train_dataset=rows,
        processing_class=base.tokenizer,
        peft_config=lora_config(method.grpo.lora, base.model),
        callbacks=[watch],
    )
    trainer.watch = watch
    trainer.remove_callback(PrinterCallback)
    trainer.reward = reward
    if watch.speaks:
        writer = RolloutWriter(base.assignment.rollouts, base.spool, trainer.eos_token_ids, h.num_generations)
        trainer.writer, watch.after_step, watch.before_checkpoint = writer, writer.flush_if_due, writer.flush
    return trainer, watch


def _config(base: Base, h: GrpoHyperparameters) -> GRPOConfig:
    return GRPOConfig(
        **arguments(base, h, int(fixed(h.batch_size)) * h.num_generations),
        num_generations=h.num_generations,
        max_completion_length=h.max_completion_length,
        temperature=h.temperature,
        top_p=h.top_p,
        top_k=0,
        beta=h.beta,
        epsilon=h.epsilon,
        epsilon_high=h.epsilon_high,
        loss_type=h.loss_type,
        scale_rewards=h.scale_rewards,
        num_iterations=h.num_iterations,
        mask_truncated_completions=h.mask_truncated_completions,
    )


def _examinations(base: Base, h: GrpoHyperparameters, reward: GraderReward, watch: Watch) -> list[Examination]:
    held_out = base.held_out_rows()
    if not held_out:
        return []
    samples = int(fixed(h.eval_samples))
    sampler = Sampler(
        base.tokenizer,
        longest=h.max_completion_length,
        samples=samples,
        temperature=None if samples == 1 else h.temperature,
        top_p=h.top_p,
        between_batches=watch.obey,
    )
    return [GradedAnswers(held_out, reward.grader, sampler)]
