"""Supervised fine-tuning, of all weights or of an adapter, on the assistant's answers alone."""

from typing import Any

from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer

from contracts.method import FullMethod, LoraMethod, SupervisedHyperparameters
from contracts.resolve import fixed
from trainer_worker.callbacks import Watch
from trainer_worker.data import conversations
from trainer_worker.evaluate import Examination, GradedAnswers, TeacherForced
from trainer_worker.methods.base import Base, Quiet, arguments, is_first_process, lora_config
from trainer_worker.sampler import Sampler

ROOM_BEYOND_REFERENCES = 1.25
"""An answer may be this much longer than the longest that the held-out rows hold, before it is cut."""
ANSWER_WITHOUT_REFERENCE = 256


class Trainer(Quiet, SFTTrainer):  # type: ignore[misc]  # TRL has no types
    """TRL's trainer, whose count of tokens goes on where the last attempt's checkpoint stood."""


def build(base: Base, method: FullMethod | LoraMethod) -> tuple[Trainer, Watch]:
    block = method.full if isinstance(method, FullMethod) else method.lora
    h = block.hyperparameters
    longest = min(h.max_length or base.context, base.context)
    rows, counts = conversations(base.training_rows(), base.tokenizer, longest=longest, context=base.context)
    print(f"training data: {counts}")
    watch = Watch(base.assignment, h, base.spool, [], speaks=is_first_process())
    watch.examinations.extend(_examinations(base, h, longest, watch))
    trainer = Trainer(
        model=base.model,
        args=SFTConfig(
            **arguments(base, h, int(fixed(h.batch_size))),
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=rows,
        processing_class=base.tokenizer,
        peft_config=lora_config(method.lora.lora if isinstance(method, LoraMethod) else None, base.model),
        callbacks=[watch],
    )
    trainer.watch = watch
    trainer.remove_callback(PrinterCallback)
    trainer._total_train_tokens = base.assignment.trained_tokens
    return trainer, watch


def _examinations(base: Base, h: SupervisedHyperparameters, longest: int, watch: Watch) -> list[Examination]:
    held_out = base.held_out_rows()
    if not held_out:
        return []
    found: list[Examination] = []
    answered = [row for row in held_out if row.completion is not None]
    if answered:
        tokens, _ = conversations(answered, base.tokenizer, longest=longest, context=base.context)
        found.append(TeacherForced(tokens, _pad_id(base), int(fixed(h.micro_batch_size)), watch.obey))
    if base.assignment.spec.grader is not None:
        room = _longest_answer(base, [row.completion for row in answered if row.completion is not None])
        sampler = Sampler(base.tokenizer, longest=room, between_batches=watch.obey)
        found.append(GradedAnswers(held_out, base.assignment.spec.grader, sampler, base.port))
    return found


def _longest_answer(base: Base, references: list[str]) -> int:
    if not references:
        return ANSWER_WITHOUT_REFERENCE
    longest = max(map(len, base.tokenizer(references, add_special_tokens=False)["input_ids"]))
    return int(longest * ROOM_BEYOND_REFERENCES) + 8


def _pad_id(base: Base) -> Any:  # Any: transformers types a token id as nearly anything
    return base.tokenizer.pad_token_id
