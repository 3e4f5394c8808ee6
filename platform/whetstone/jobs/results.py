"""What remains of a job's numbers as a file: a row for each step, in the columns that OpenAI's result files have."""

import csv
import io
import logging
from collections import defaultdict
from collections.abc import Mapping

from django.db import transaction

from whetstone.artifacts.store import put_bytes
from whetstone.jobs.models import Job, ResultFile

log = logging.getLogger(__name__)
FILENAME = "step_metrics.csv"
PURPOSE = "fine-tune-results"
REINFORCEMENT = frozenset({"grpo", "ppo", "rloo"})

# OpenAI's column -> our key, of the step itself and of the held-out data; None: nobody measures it here.
Columns = Mapping[str, tuple[str, str] | None]
OF_ROWS: Columns = {
    "train_loss": ("metrics", "loss"),
    "train_mean_token_accuracy": ("metrics", "mean_token_accuracy"),
    "valid_loss": ("evaluation", "loss"),
    "valid_mean_token_accuracy": ("evaluation", "token_accuracy"),
    "full_valid_loss": ("evaluation", "loss"),
    "full_valid_mean_token_accuracy": ("evaluation", "token_accuracy"),
}
"""Of supervised jobs and those that learn from preferences. The held-out data is always evaluated in full."""
OF_REWARDS: Columns = {
    "train_mean_reward": ("metrics", "reward"),
    "full_valid_mean_reward": ("evaluation", "reward_mean"),
    "completion_tokens_mean": ("metrics", "completions/mean_length"),
    "mean_unresponsive_rewards": None,
    "reasoning_tokens_mean": None,
    "sampling_duration": None,
    "training_duration": None,
    "eval_duration": None,
    "total_duration": ("metrics", "step_time"),
}


def columns_of(job: Job) -> Columns:
    return OF_REWARDS if job.method in REINFORCEMENT else OF_ROWS


def result_file_of(job: Job) -> ResultFile | None:
    """The file of a job that has ended, made when it is asked for first. None while it runs, or when it was deleted."""
    if not job.has_ended:
        return None
    try:
        found: ResultFile | None = job.result_file
    except ResultFile.DoesNotExist:
        found = _make(job)
    return found if found and found.blob else None


def make_later(job: Job) -> None:
    """Once this transaction has committed: a store may be far away. Whoever asks before that makes it himself."""
    transaction.on_commit(lambda: result_file_of(job), robust=True)


def _make(job: Job) -> ResultFile | None:
    text = as_csv(job)
    if text is None:
        return None
    try:
        blob = put_bytes(job.team, text.encode())
    except OSError as error:
        log.warning("job=%s has no result file: %s", job.id, error)
        return None
    return ResultFile.objects.get_or_create(job=job, defaults={"team": job.team, "blob": blob})[0]


def as_csv(job: Job) -> str | None:
    """None for a job that never told a number."""
    columns = columns_of(job)
    rows: dict[int, dict[str, float]] = defaultdict(dict)
    told = job.events.filter(type__in=("metrics", "evaluation")).order_by("number").values_list("type", "step", "data")
    for kind, step, data in told.iterator(chunk_size=500):
        for column, source in columns.items():
            if source is not None and source[0] == kind and source[1] in data["values"]:
                rows[step or 0][column] = data["values"][source[1]]
    if not rows:
        return None
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["step", *columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows({"step": step, **rows[step]} for step in sorted(rows))
    return text.getvalue()
