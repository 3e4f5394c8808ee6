"""What the methods that learn from the answers of the rows share."""

from typing import Any, TypeVar

from transformers import PrinterCallback

from contracts.dataset import PreparedRow
from contracts.method import CanonicalMethod, RowHyperparameters
from contracts.resolve import fixed
from trainer_worker.callbacks import Watch
from trainer_worker.evaluate import Examination, GradedAnswers
from trainer_worker.methods.base import Base, Quiet, is_first_process, lora_config
from trainer_worker.sampler import Sampler

ROOM_BEYOND_REFERENCES = 1.25
"""An answer may be this much longer than the longest that the held-out rows hold, before it is cut."""
ANSWER_WITHOUT_REFERENCE = 256

T = TypeVar("T", bound=Quiet)


def assemble(
    kind: type[T], base: Base, method: CanonicalMethod, config: Any, rows: Any, **more: Any
) -> tuple[T, Watch]:
    """A trainer of that kind with its watch, whose count of tokens goes on where the last attempt's checkpoint stood.

    `config`: TRL's; `rows`: its dataset, in tokens; `more`: the kind's own arguments.
    """
    watch = Watch(base.assignment, method.hyperparameters, base.spool, [], speaks=is_first_process())
    make: Any = kind  # Any: TRL's trainers have no types
    trainer = make(
        model=base.model,
        args=config,
        train_dataset=rows,
        processing_class=base.tokenizer,
        peft_config=lora_config(method.block.lora, base.model),
        callbacks=[watch],
        **more,
    )
    trainer.watch = watch
    trainer.remove_callback(PrinterCallback)
    trainer._total_train_tokens = base.assignment.trained_tokens
    return trainer, watch


def longest_row(base: Base, h: RowHyperparameters) -> int:
    return min(h.max_length or base.context, base.context)


def at_once(h: RowHyperparameters) -> int:
    return int(fixed(h.micro_batch_size))


def graded_answers(base: Base, held_out: list[PreparedRow], watch: Watch) -> list[Examination]:
    """The model's own answers to the held-out prompts, scored by the job's grader if it has one."""
    grader = base.assignment.spec.grader
    if grader is None or not held_out:
        return []
    references = [text for row in held_out for text in (row.completion, row.rejected) if text is not None]
    sampler = Sampler(base.tokenizer, longest=_longest_answer(base, references), between_batches=watch.obey)
    return [GradedAnswers(held_out, grader, sampler, base.port)]


def _longest_answer(base: Base, references: list[str]) -> int:
    if not references:
        return ANSWER_WITHOUT_REFERENCE
    longest = max(map(len, base.tokenizer(references, add_special_tokens=False)["input_ids"]))
    return int(longest * ROOM_BEYOND_REFERENCES) + 8
