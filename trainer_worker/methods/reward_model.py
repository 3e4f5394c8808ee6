"""Reward models that learn from pairs (Bradley-Terry; Ouyang et al. 2022, arXiv:2203.02155) with TRL."""

from dataclasses import dataclass
from typing import Any

from torch.nn.functional import logsigmoid
from trl import RewardConfig, RewardTrainer
from trl.trainer.reward_trainer import DataCollatorForPreference

from contracts.method import RewardModelHyperparameters, RewardModelMethod
from contracts.resolve import fixed
from trainer_worker.callbacks import Watch
from trainer_worker.comparisons import pairs
from trainer_worker.evaluate import Examination, Findings, mean_of_each
from trainer_worker.judgement import Answers, Reading, answers_in, head_score, of_margins
from trainer_worker.methods.base import Base, Quiet, arguments
from trainer_worker.methods.rows import assemble, at_once, longest_row

# As DPO calls them: “accuracy” is the word for held-out answers with a full score.
NAMES = {"accuracy": "rewards/accuracies", "margin": "rewards/margins"}


class Trainer(Quiet, RewardTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer, whose numbers are called as those of DPO."""

    def log(self, logs: dict[str, float], *args: Any) -> None:
        said = self._metrics["train"]
        for theirs, ours in NAMES.items():
            if theirs in said:
                said[ours] = said.pop(theirs)
        super().log(logs, *args)


class WholeConversations(DataCollatorForPreference):  # type: ignore[misc]  # TRL has no types
    """A reward model reads prompt and answer in one, and scores at the answer's end mark."""

    def torch_call(self, examples: list[dict[str, Any]]) -> Any:
        return super().torch_call(
            [{name: row["prompt_ids"] + row[name] for name in ("chosen_ids", "rejected_ids")} for row in examples]
        )


def build(base: Base, method: RewardModelMethod) -> tuple[Trainer, Watch]:
    h = method.reward_model.hyperparameters
    name, longest = base.assignment.spec.training.id, longest_row(base, h)
    rows, counts = pairs(base.training_rows(), base.tokenizer, longest=longest, name=name)
    print(f"training data: {counts}")
    config = RewardConfig(
        **arguments(base, h, int(fixed(h.batch_size))),
        max_length=None,
        center_rewards_coefficient=h.center_rewards_coefficient or None,
    )
    collator = WholeConversations(pad_token_id=base.pad_id)
    trainer, watch = assemble(Trainer, base, method, config, rows, data_collator=collator)
    watch.examinations.extend(_examinations(base, h, watch))
    return trainer, watch


def _examinations(base: Base, h: RewardModelHyperparameters, watch: Watch) -> list[Examination]:
    held_out = base.held_out_rows()
    if not held_out:
        return []
    name = base.assignment.spec.training.id
    rows, _ = pairs(held_out, base.tokenizer, longest=longest_row(base, h), name=name)
    reading = Reading(base.pad_id, at_once(h), watch.obey)
    return [HeldOutScores(answers_in(rows, "chosen_ids"), answers_in(rows, "rejected_ids"), h, reading)]


@dataclass(frozen=True)
class HeldOutScores:
    """`pair_accuracy` and `margin` of the scores, `loss` as in training (centering included), `mean_reward`."""

    chosen: Answers
    rejected: Answers
    h: RewardModelHyperparameters
    reading: Reading

    def __call__(self, model: Any) -> Findings:
        better, worse = (self.reading(model, answers, head_score) for answers in (self.chosen, self.rejected))
        loss = -logsigmoid(better - worse) + self.h.center_rewards_coefficient * (better + worse) ** 2
        rewards = mean_of_each("mean_reward", ((better + worse) / 2).tolist())
        return of_margins(better - worse) | mean_of_each("loss", loss.tolist()) | rewards
