"""How long a job's rows are for its model: counted where the page has asked before, else told from their characters."""

from typing import NamedTuple

from whetstone.datasets.models import DatasetVersion
from whetstone.jobs.fit import known_fit
from whetstone.modelhub.models import Model

CHARACTERS_A_TOKEN = 3.0
"""English has four and more; three is careful."""
BYTES_ALONE = 1_000
"""A smaller vocabulary has hardly more words than bytes: there a character is a token."""
MARKS = 12
"""Tokens that a chat template adds to a question and an answer, or so."""


class Lengths(NamedTuple):
    """Tokens, cut to the model's context."""

    longest: int
    middle: int


def lengths(version: DatasetVersion, model: Model, *, prompts_alone: bool) -> Lengths:
    """Of whole rows, or of their prompts. Nothing is read or loaded here: a job is being created."""
    rate = _tokens_a_character(version, model)
    counted = version.answers.characters
    parts = [counted[part] for part in ("prompt",) if part in counted]
    answers = [] if prompts_alone else [counted[part] for part in ("answer", "rejected") if part in counted]
    if not parts:
        longest = int(rate * version.statistics["longest_line"])
        return _cut(model, longest, longest)
    longest = sum(part.longest for part in parts) + max((part.longest for part in answers), default=0)
    middle = sum(part.median for part in parts) + max((part.median for part in answers), default=0)
    return _cut(model, int(rate * longest) + MARKS, int(rate * middle) + MARKS)


def _cut(model: Model, *tokens: int) -> Lengths:
    return Lengths(*(max(1, min(one, model.context_length or one)) for one in tokens))


def _tokens_a_character(version: DatasetVersion, model: Model) -> float:
    if fit := known_fit(version, model):
        return fit.tokens_a_character
    vocabulary = model.config.get("vocab_size", 0)
    return 1.0 if isinstance(vocabulary, int) and 0 < vocabulary < BYTES_ALONE else 1 / CHARACTERS_A_TOKEN
