"""Group relative policy optimization (DeepSeekMath, arXiv:2402.03300) with TRL, rewarded by a grader."""

from typing import Any

from trl import GRPOConfig, GRPOTrainer

from contracts.method import GrpoHyperparameters, GrpoMethod
from trainer_worker.callbacks import Watch
from trainer_worker.decoding import Sampled
from trainer_worker.methods.base import Base
from trainer_worker.methods.resampling import Resampling, Rollout, Row
from trainer_worker.methods.sampling import Rewarded, assemble, sampling_arguments
from trainer_worker.overlong import Overlong


class Trainer(Rewarded, GRPOTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer, which can replace groups that teach nothing before it learns from the batch."""

    resampling: Resampling | None = None
    _rolled: list[Rollout] | None = None

    def resample(self, most: int) -> None:
        """From now on, replace dull groups up to so many times in every batch."""
        self.resampling = Resampling(
            most=most,
            group_size=self.num_generations,
            dataset=self.train_dataset,
            seed=self.args.seed,
            roll=self.roll,
            gather=self._gather,
            process=self.accelerator.process_index,
        )

    def roll(self, rows: list[Row]) -> list[Rollout]:
        """One completion for every row, graded. An order to stop is obeyed first."""
        if not rows:
            return []
        self.watch.obey()
        prompts = [row["prompt"] for row in rows]
        drawn = super().draw(self._tokenize_prompts(prompts)[0])
        texts = self.processing_class.batch_decode([one.ids for one in drawn], skip_special_tokens=True)
        items, tokens = [row["item"] for row in rows], [len(one.ids) for one in drawn]
        grades = self.reward.grades(prompts, texts, items, tokens)
        return [Rollout(*one) for one in zip(rows, drawn, grades, strict=True)]

    def draw(self, prompt_ids: list[list[int]]) -> list[Sampled]:
        """What was rolled for this batch already, if anything was."""
        rolled, self._rolled = self._rolled, None
        return super().draw(prompt_ids) if rolled is None else [one.drawn for one in rolled]

    def _generate_and_score_completions(self, inputs: list[Row]) -> dict[str, Any]:
        if self.resampling is None:
            return super()._generate_and_score_completions(inputs)
        self._rolled, counts = self.resampling(inputs, self.state.global_step)
        self.reward.expect([one.grade for one in self._rolled], counts)
        return super()._generate_and_score_completions([one.row for one in self._rolled])

    def _gather(self, values: Any) -> Any:  # Any: a tensor; accelerate has no types
        return self.accelerator.gather(values.to(self.accelerator.device))


def build(base: Base, method: GrpoMethod) -> tuple[Trainer, Watch]:
    h = method.grpo.hyperparameters
    trainer, watch = assemble(Trainer, base, method, _config(base, h))
    trainer.reward.overlong = Overlong.of_share(h.max_completion_length, h.overlong_buffer)
    if h.max_resamples:
        trainer.resample(h.max_resamples)
    return trainer, watch


def _config(base: Base, h: GrpoHyperparameters) -> GRPOConfig:
    return GRPOConfig(
        **sampling_arguments(base, h),
        epsilon_high=h.epsilon_high,
        loss_type=h.loss_type,
        importance_sampling_level=h.importance_sampling,
        scale_rewards=h.scale_rewards,
    )
