"""Supervised fine-tuning, of all weights or of an adapter, on the assistant's answers alone."""

from trl import SFTConfig, SFTTrainer

from contracts.method import FullMethod, LoraMethod, SupervisedHyperparameters
from contracts.resolve import fixed
from trainer_worker.callbacks import Watch
from trainer_worker.data import conversations
from trainer_worker.evaluate import Examination, TeacherForced
from trainer_worker.methods.base import Base, Quiet, arguments
from trainer_worker.methods.rows import assemble, at_once, graded_answers, longest_row


class Trainer(Quiet, SFTTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer on rows that are tokens already."""


def build(base: Base, method: FullMethod | LoraMethod) -> tuple[Trainer, Watch]:
    block = method.full if isinstance(method, FullMethod) else method.lora
    h = block.hyperparameters
    rows, counts = conversations(base.training_rows(), base.tokenizer, longest=longest_row(base, h))
    print(f"training data: {counts}")
    config = SFTConfig(
        **arguments(base, h, int(fixed(h.batch_size))),
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    trainer, watch = assemble(Trainer, base, method, config, rows)
    watch.examinations.extend(_examinations(base, h, watch))
    return trainer, watch


def _examinations(base: Base, h: SupervisedHyperparameters, watch: Watch) -> list[Examination]:
    held_out = base.held_out_rows()
    found: list[Examination] = []
    if answered := [row for row in held_out if row.completion is not None]:
        tokens, _ = conversations(answered, base.tokenizer, longest=longest_row(base, h))
        found.append(TeacherForced(tokens, base.pad_id, at_once(h), watch.obey))
    return [*found, *graded_answers(base, held_out, watch)]
