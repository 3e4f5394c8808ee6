"""Whether activations have to be computed twice, so that the training fits into this machine."""

from typing import Any

import orjson
import torch

from contracts.dataset import prepare
from contracts.estimate import GB, Workload, estimate, needs_checkpointing
from contracts.method import RowHyperparameters
from trainer_worker.assignment import Assignment
from trainer_worker.data import turns_of
from trainer_worker.needs import Needs, cpu_bytes, longest_lines, shape_of
from trainer_worker.pretrained import context_of, render, use_bf16


def use_checkpointing(assignment: Assignment, model: Any, tokenizer: Any) -> bool:  # Any: of transformers, untyped
    """What the job asks for; where it leaves that to us, what the estimate says. Notes down what is needed."""
    method = assignment.spec.method
    shape = shape_of(assignment.model, assignment.spec.model.parameters)
    if shape is None:
        return method.hyperparameters.gradient_checkpointing is True
    tokens = _longest_row(assignment, tokenizer, context_of(model))
    scorers = [shape_of(assignment.scorers[given.name], given.parameters) for given in assignment.spec.scorers]
    load = Workload(
        shape=shape,
        tokens=tokens,
        bf16=use_bf16(method.hyperparameters),
        scorers=tuple(filter(None, scorers)),
        gpu=torch.cuda.is_available(),
    )
    available = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else cpu_bytes()
    Needs(load=load, available=available).write(assignment)
    answer = needs_checkpointing(method, load, available)
    needed = estimate(method, load, checkpointing=answer).peak_gb
    print(f"memory: about {needed} GB needed, {available / GB:.1f} GB there; gradient checkpointing {answer}")
    return answer


def _longest_row(assignment: Assignment, tokenizer: Any, context: int) -> int:
    """Tokens of the longest row as it is trained on, or of the longest prompt."""
    h = assignment.spec.method.hyperparameters
    limit = min(context, h.max_length or context) if isinstance(h, RowHyperparameters) else context
    return min(limit, max(_tokens(line, assignment, tokenizer) for line in longest_lines(assignment.training)))


def _tokens(line: bytes, assignment: Assignment, tokenizer: Any) -> int:
    try:
        row = prepare(orjson.loads(line), assignment.spec.training.mapping)
    except ValueError:
        return 0  # whoever reads all rows says which of them is wrong
    text = render(tokenizer, turns_of(row), to_be_answered=True)
    answers = () if assignment.spec.method.is_reinforcement else (row.completion, row.rejected)
    longest = max((answer or "" for answer in answers), key=len, default="")
    return len(tokenizer(text + longest, add_special_tokens=False)["input_ids"]) + 1
