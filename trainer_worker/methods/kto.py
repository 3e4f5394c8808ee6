"""Kahneman-Tversky optimization (Ethayarajh et al. 2024, arXiv:2402.01306) with TRL."""

from dataclasses import dataclass
from typing import Any

import torch
from datasets import Dataset
from trl import KTOConfig, KTOTrainer

from contracts.fault import Fault
from contracts.method import KtoHyperparameters, KtoMethod
from contracts.resolve import fixed
from trainer_worker.callbacks import Watch
from trainer_worker.comparisons import labelled_answers
from trainer_worker.evaluate import Examination, Findings
from trainer_worker.judgement import LogRatios, Reading, answers_in
from trainer_worker.methods.base import Base, Quiet, arguments
from trainer_worker.methods.rows import assemble, at_once, graded_answers, longest_row


class Trainer(Quiet, KTOTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer on answers that are tokens already, in the order in which it takes them."""

    def _prepare_dataset(self, dataset: Any, _tokenizer: Any, args: KTOConfig, *_: Any) -> Any:
        return with_strangers(dataset, args.per_device_train_batch_size) if self.calculate_KL else dataset


def build(base: Base, method: KtoMethod) -> tuple[Trainer, Watch]:
    h = method.kto.hyperparameters
    shared = arguments(base, h, int(fixed(h.batch_size)))
    _refuse_lonely_answers(h, shared["per_device_train_batch_size"])
    longest = longest_row(base, h)
    config = KTOConfig(
        **shared,
        max_length=longest,  # of the strangers' answers
        beta=float(fixed(h.beta)),
        loss_type=h.loss_type,
        desirable_weight=float(fixed(h.desirable_weight)),
        undesirable_weight=float(fixed(h.undesirable_weight)),
    )
    trainer, watch = assemble(Trainer, base, method, config, _rows(base, longest))
    watch.examinations.extend(_examinations(base, h, trainer, watch))
    return trainer, watch


def with_strangers(rows: Dataset, at_once: int) -> Dataset:
    """Adds `KL_completion_ids`: the answer of the row before, in a circle among the rows that are taken at once.

    From answers to other prompts KTO estimates how far the model has moved at all (section 4.1 of the paper).
    """
    answers = rows["completion_ids"][:]
    first = [n - n % at_once for n in range(len(answers))]
    last = [min(begin + at_once, len(answers)) - 1 for begin in first]
    strangers = [answers[n - 1 if n > begin else end] for n, (begin, end) in enumerate(zip(first, last, strict=True))]
    return rows.add_column("KL_completion_ids", strangers, feature=rows.features["completion_ids"])


def _refuse_lonely_answers(h: KtoHyperparameters, at_once: int) -> None:
    if h.loss_type == "kto" and at_once < 2:
        detail = "The loss “kto” compares the answers that pass through the model together: it needs at least 2."
        raise Fault("request.invalid", field="method.kto.hyperparameters.micro_batch_size", detail=detail)


def _rows(base: Base, longest: int) -> Dataset:
    """The training rows. Raises Fault(dataset.one_label) when they hold answers of one kind alone."""
    spec = base.assignment.spec
    rows, counts = labelled_answers(base.training_rows(), base.tokenizer, longest=longest, seed=spec.seed)
    print(f"training data: {counts}")
    labels = set(rows["label"])
    if len(labels) == 1:
        word = "good" if labels == {True} else "bad"
        raise Fault("dataset.one_label", rows=len(rows), dataset=spec.training.id, label=word, method="kto")
    return rows


def _examinations(base: Base, h: KtoHyperparameters, trainer: Trainer, watch: Watch) -> list[Examination]:
    held_out = base.held_out_rows()
    found = graded_answers(base, held_out, watch)
    if judged := [row for row in held_out if row.rejected is not None or row.label is not None]:
        seed = base.assignment.spec.seed
        rows, _ = labelled_answers(judged, base.tokenizer, longest=longest_row(base, h), seed=seed)
        ratios = LogRatios(trainer, Reading(base.pad_id, at_once(h), watch.obey), answers_in(rows, "completion_ids"))
        found.append(HeldOutVerdicts(torch.tensor(rows["label"][:]), float(fixed(h.beta)), ratios))
    return found


@dataclass(frozen=True)
class HeldOutVerdicts:
    """`reward_good`, `reward_bad`: mean rewards that KTO implies of good and bad answers; `margin` between them."""

    labels: torch.Tensor
    beta: float
    ratios: LogRatios

    def __call__(self, model: Any) -> Findings:
        _, gains = self.ratios(model)
        rewards = self.beta * gains
        good, bad = (rewards[self.labels == kind].mean().item() for kind in (True, False))
        return Findings({"reward_good": good, "reward_bad": bad, "margin": good - bad})
