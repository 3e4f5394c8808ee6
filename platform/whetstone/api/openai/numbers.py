"""A step's numbers under OpenAI's names, beside ours."""

from collections.abc import Sequence
from typing import Any

from whetstone.api.openai.by_grader import Part, by_grader, parts_of
from whetstone.jobs.models import Job
from whetstone.jobs.results import OF_REWARDS, REINFORCEMENT, Columns, columns_of
from whetstone.jobs.tail import ToldEvent

Known = dict[tuple[str, int], dict[str, float]]
"""What was told of which step: metrics or evaluation."""
Sides = dict[str, dict[str, float]]
"""What was told of one step: metrics and evaluation."""
MEASURED = ("metrics", "evaluation")
DURATIONS = tuple(name for name in OF_REWARDS if name.endswith("_duration"))


def known_of(job: Job, page: Sequence[ToldEvent]) -> Known:
    """All that is known of the steps that these events measure. The page is newest first, with none left out between:
    only what lies beyond it is looked up."""
    known = {(event.type, event.step or 0): event.data["values"] for event in page if event.type in MEASURED}
    if not known:
        return known
    steps = [step for _, step in known]
    rows = job.events.filter(type__in=MEASURED, step__range=(min(steps), max(steps))).order_by()
    beyond = rows.exclude(number__range=(page[-1].number, page[0].number)).values_list("type", "step", "data")
    return known | {(kind, step or 0): data["values"] for kind, step, data in beyond}


class Numbers:
    """Of one job. What is the same at all of its steps is found once."""

    def __init__(self, job: Job) -> None:
        self._columns = columns_of(job)
        self._total_steps = job.total_steps
        self._parts = parts_of(job.spec["grader"]) if job.method in REINFORCEMENT else None

    def data(self, step: int, known: Known) -> dict[str, Any]:
        """The `data` of a metrics event."""
        sides = {kind: known.get((kind, step), {}) for kind in MEASURED}
        own = {"step": step, "total_steps": self._total_steps} | _named(self._columns, sides)
        return own if self._parts is None else _of_rewards(own, self._parts, sides)


def _named(columns: Columns, sides: Sides) -> dict[str, Any]:
    """None for what was not measured at this step, or never is."""
    return {column: sides[source[0]].get(source[1]) if source else None for column, source in columns.items()}


def _of_rewards(own: dict[str, Any], parts: tuple[Part, ...], sides: Sides) -> dict[str, Any]:
    flat = {name: own.pop(name) for name in DURATIONS}
    reward, held_out = own["train_mean_reward"], own["full_valid_mean_reward"]
    graders = by_grader(parts, sides["metrics"], sides["evaluation"])
    durations = {"full_iteration": flat["total_duration"], "sampling": None, "training": None, "eval": None}
    return own | {
        "full_valid_mean_parse_error": sides["evaluation"].get("not_scored"),
        "valid_completion_tokens_mean": sides["evaluation"].get("length_mean"),
        "valid_reasoning_tokens_mean": None,
        **graders,
        "scores": {"train_reward_mean": reward, "valid_reward_mean": held_out} | graders["scores"],
        "timing": {"step": durations} | graders["timing"],
    }
