"""Direct preference optimization (Rafailov et al. 2023, arXiv:2305.18290) with TRL, of all weights or an adapter."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import logsigmoid
from trl import DPOConfig, DPOTrainer

from contracts.method import DpoHyperparameters, DpoMethod
from contracts.resolve import fixed
from trainer_worker.callbacks import Watch
from trainer_worker.comparisons import pairs
from trainer_worker.evaluate import Examination, Findings
from trainer_worker.judgement import Answers, LogRatios, Reading, answers_in, of_margins
from trainer_worker.methods.base import Base, Quiet, arguments
from trainer_worker.methods.rows import assemble, at_once, graded_answers, longest_row

Losses = dict[str, float]
"""TRL's names of losses, and how much each counts."""


class Trainer(Quiet, DPOTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer on pairs that are tokens already."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset


def build(base: Base, method: DpoMethod) -> tuple[Trainer, Watch]:
    h = method.dpo.hyperparameters
    name, longest = base.assignment.spec.training.id, longest_row(base, h)
    rows, counts = pairs(base.training_rows(), base.tokenizer, longest=longest, name=name)
    print(f"training data: {counts}")
    losses = losses_of(h)
    config = DPOConfig(
        **arguments(base, h, int(fixed(h.batch_size))),
        max_length=None,
        beta=float(fixed(h.beta)),
        loss_type=list(losses),
        loss_weights=list(losses.values()),
        label_smoothing=h.label_smoothing,
    )
    trainer, watch = assemble(Trainer, base, method, config, rows)
    watch.examinations.extend(_examinations(base, h, trainer, watch))
    return trainer, watch


def losses_of(h: DpoHyperparameters) -> Losses:
    """The loss as a sum of those that TRL has.

    Its sigmoid loss knows no wrong labels. With a share e of them it is (1 - e) a + e b, where a = -log s(x) and
    b = -log s(-x) (section 3 of https://ericmitchell.ai/cdpo.pdf). TRL's robust loss is ((1 - e) a - e b) / (1 - 2e),
    so the sum that is wanted is 2 (1 - e) sigmoid - (1 - 2e) robust.
    """
    e, weight = h.label_smoothing, float(fixed(h.sft_weight))
    losses: Losses = {h.loss_type: 1.0}
    if h.loss_type == "sigmoid" and e > 0:
        losses = {"sigmoid": 2 * (1 - e), "robust": -(1 - 2 * e)}
    return losses | ({"sft": weight} if weight > 0 else {})


def _examinations(base: Base, h: DpoHyperparameters, trainer: Trainer, watch: Watch) -> list[Examination]:
    held_out = base.held_out_rows()
    found = graded_answers(base, held_out, watch)
    if paired := [row for row in held_out if row.rejected is not None]:
        name = base.assignment.spec.training.id
        rows, _ = pairs(paired, base.tokenizer, longest=longest_row(base, h), name=name)
        found.append(HeldOutPairs.of(rows, h, trainer, Reading(base.pad_id, at_once(h), watch.obey)))
    return found


@dataclass(frozen=True)
class HeldOutPairs:
    """`loss` as in training (imitation included), `pair_accuracy` and `margin` of the rewards that DPO implies."""

    chosen: Answers
    rejected: Answers
    h: DpoHyperparameters
    ratios: LogRatios

    @classmethod
    def of(cls, rows: Any, h: DpoHyperparameters, trainer: Any, reading: Reading) -> "HeldOutPairs":
        chosen, rejected = answers_in(rows, "chosen_ids"), answers_in(rows, "rejected_ids")
        both = Answers([*chosen.prompts, *rejected.prompts], [*chosen.answers, *rejected.answers])
        return cls(chosen, rejected, h, LogRatios(trainer, reading, both))

    def __call__(self, model: Any) -> Findings:
        likelihoods, gains = self.ratios(model)
        better, worse = gains.chunk(2)
        imitation = -likelihoods.chunk(2)[0].sum() / self.chosen.lengths.sum()
        found = {"sft": imitation} | self._preference(better, worse)
        loss = sum(weight * found[name].item() for name, weight in losses_of(self.h).items())
        return Findings({"loss": loss}) | of_margins(float(fixed(self.h.beta)) * (better - worse))

    def _preference(self, better: torch.Tensor, worse: torch.Tensor) -> dict[str, torch.Tensor]:
        """TRL's losses by their names, averaged over the pairs."""
        beta, e = float(fixed(self.h.beta)), self.h.label_smoothing
        x = beta * (better - worse)
        by_token = better / self.chosen.lengths - worse / self.rejected.lengths
        found = {
            "sigmoid": -logsigmoid(x),
            "hinge": torch.relu(1 - x),
            "ipo": (by_token - 1 / (2 * beta)) ** 2,
            "robust": (e * logsigmoid(-x) - (1 - e) * logsigmoid(x)) / (1 - 2 * e),
        }
        return {name: loss.mean() for name, loss in found.items()}
