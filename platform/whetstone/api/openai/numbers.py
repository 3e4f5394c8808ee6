"""A step's numbers under OpenAI's names, beside ours."""

from collections.abc import Iterable
from typing import Any

from whetstone.jobs.models import Event, Job
from whetstone.jobs.results import OF_REWARDS, REINFORCEMENT, Columns, columns_of

Told = dict[tuple[str, int], dict[str, float]]
"""What was told of which step: metrics or evaluation."""


def told_of(job: Job, steps: Iterable[int]) -> Told:
    rows = job.events.filter(type__in=("metrics", "evaluation"), step__in=set(steps)).order_by()
    return {(kind, step or 0): data["values"] for kind, step, data in rows.values_list("type", "step", "data")}


def named(columns: Columns, step: int, told: Told) -> dict[str, float | None]:
    """None for what was not measured at this step, or never is."""
    found = {}
    for column, source in columns.items():
        found[column] = told.get((source[0], step), {}).get(source[1]) if source else None
    return found


def openai_data(job: Job, event: Event, told: Told) -> dict[str, Any]:
    """The `data` of a metrics event."""
    step = event.step or 0
    known = {"step": step, "total_steps": job.total_steps} | named(columns_of(job), step, told)
    if job.method not in REINFORCEMENT:
        return known
    flat = {name: known.pop(name) for name in OF_REWARDS if name.endswith("_duration")}
    reward, held_out = known["train_mean_reward"], known["full_valid_mean_reward"]
    evaluated = told.get(("evaluation", step), {})
    return known | {
        "full_valid_mean_parse_error": evaluated.get("not_scored"),
        "valid_completion_tokens_mean": evaluated.get("length_mean"),
        "scores": {"train_reward_mean": reward, "valid_reward_mean": held_out},
        "timing": {"step": {"full_iteration": flat["total_duration"]}},
    }
