"""A step's numbers under OpenAI's names, beside ours."""

from collections.abc import Sequence
from typing import Any

from whetstone.api.openai.by_grader import by_grader
from whetstone.jobs.models import Event, Job
from whetstone.jobs.results import OF_REWARDS, REINFORCEMENT, Columns, columns_of

Told = dict[tuple[str, int], dict[str, float]]
"""What was told of which step: metrics or evaluation."""
MEASURED = ("metrics", "evaluation")


def told_of(job: Job, page: Sequence[Event]) -> Told:
    """All that is known of the steps that these events measure. The page is newest first, with none left out between:
    only what lies beyond it is looked up."""
    told = {(event.type, event.step or 0): event.data["values"] for event in page if event.type in MEASURED}
    if not told:
        return told
    steps = [step for _, step in told]
    rows = job.events.filter(type__in=MEASURED, step__range=(min(steps), max(steps))).order_by()
    beyond = rows.exclude(number__range=(page[-1].number, page[0].number)).values_list("type", "step", "data")
    return told | {(kind, step or 0): data["values"] for kind, step, data in beyond}


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
    trained, evaluated = told.get(("metrics", step), {}), told.get(("evaluation", step), {})
    graders = by_grader(job.spec["grader"], trained, evaluated)
    durations = {"full_iteration": flat["total_duration"], "sampling": None, "training": None, "eval": None}
    return known | {
        "full_valid_mean_parse_error": evaluated.get("not_scored"),
        "valid_completion_tokens_mean": evaluated.get("length_mean"),
        "valid_reasoning_tokens_mean": None,
        **graders,
        "scores": {"train_reward_mean": reward, "valid_reward_mean": held_out} | graders["scores"],
        "timing": {"step": durations} | graders["timing"],
    }
