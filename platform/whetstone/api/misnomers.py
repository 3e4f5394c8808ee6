"""What people write for a field that has another name, and which name that is."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.job import JobDraft

MEANT = {
    "test_file": "validation_file",
    "eval_file": "validation_file",
    "validation_data": "validation_file",
    "train_file": "training_file",
    "training_data": "training_file",
    "dataset": "training_file",
    "base_model": "model",
    "etest_samples": "eval_samples",
    "etest_interval": "eval_interval",
    "epochs": "n_epochs",
    "num_train_epochs": "n_epochs",
    "lr": "learning_rate",
    "max_tokens": "max_completion_length",
    "max_completion_tokens": "max_completion_length",
    "n_completions": "num_generations",
    "group_size": "num_generations",
}
"""The first and “etest_samples” stand in OpenAI's own notebook."""
NOT_HERE = {
    "reasoning_effort": gettext_lazy("The models here have no levels of effort: leave it out, or send “default”."),
    "compute_multiplier": gettext_lazy("How much is sampled is set by num_generations: leave it out, or send “auto”."),
    "response_format": gettext_lazy("Answers are not forced into a form here: leave it out; a grader can check it."),
}


def sentence_of(name: str) -> str:
    """What to say of a field that nobody knows."""
    if name in NOT_HERE:
        return str(NOT_HERE[name])
    guess = MEANT.get(name) or next(iter(get_close_matches(name, _names(), 1, 0.75)), None)
    if guess is None or guess == name:
        return _("There is no field “%(name)s” here.") % {"name": name}
    return _("There is no field “%(name)s” here: the right name is “%(guess)s”.") % {"name": name, "guess": guess}


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    """Every field of a job, its method and its grader."""
    return tuple(sorted(set(_properties(JobDraft.model_json_schema()))))


def _properties(schema: Any) -> Iterator[str]:  # Any: JSON
    if isinstance(schema, list):
        for part in schema:
            yield from _properties(part)
    elif isinstance(schema, dict):
        yield from schema.get("properties", ())
        for part in schema.values():
            yield from _properties(part)
