"""The checkpoints of a job: how each did on held-out data, which one is the best, and what is in it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from contracts.fault import Fault
from contracts.job import FileRef
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.jobs.headline import Headline, headline_of
from whetstone.jobs.models import Event, Job, KeptCheckpoint
from whetstone.modelhub.models import FILES, Model
from whetstone.modelhub.parts import is_adapter


@dataclass(frozen=True)
class Checkpoint:
    """One that is named by its job, with everything that is known about it."""

    step: int
    at: datetime
    files: tuple[FileRef, ...]
    held_out: dict[str, float]
    """What the evaluation of this very step said; empty when there was none."""
    score: float | None
    """The headline's number."""
    is_newest: bool
    is_best: bool
    is_damaged: bool
    model: Model | None
    """The model that was made of it, if one was."""

    @property
    def size(self) -> int:
        """Bytes of all files, the optimizer's state among them."""
        return sum(file.size for file in self.files)

    @property
    def is_adapter(self) -> bool:
        return is_adapter(self.files)


@dataclass(frozen=True)
class Kept:
    """The steps whose checkpoints stay."""

    newest: list[int]
    """Newest first."""
    best: int | None


def jobs_with_checkpoints(team: Team, most: int) -> list[Job]:
    """The newest ones."""
    some = Event.objects.filter(job=OuterRef("pk"), type="checkpoint")
    jobs = owned(Job, team).select_related("base", "trained", "team")
    return list(jobs.filter(Exists(some)).order_by("-created_at")[:most])


def checkpoints_of(job: Job) -> list[Checkpoint]:
    """Newest first."""
    events = list(job.events.filter(type="checkpoint").order_by("-step"))
    damaged, held_out = damaged_steps(job), held_out_at(job, [_step(event) for event in events])
    whole = [_step(event) for event in events if event.step not in damaged]
    headline = headline_of(job.method, held_out.values())
    best = best_of(headline, whole, held_out)
    kept = {one.step: one.model for one in KeptCheckpoint.objects.filter(job=job).select_related("model")}
    return [
        Checkpoint(
            step=step,
            at=event.at,
            files=FILES.validate_python(event.data["files"]),
            held_out=(values := held_out.get(step, {})),
            score=values.get(headline.key) if headline else None,
            is_newest=step == max(whole, default=None),
            is_best=step == best,
            is_damaged=step in damaged,
            model=kept.get(step),
        )
        for event in events
        for step in [_step(event)]
    ]


def find_checkpoint(job: Job, step: int) -> Checkpoint:
    """Raises Fault checkpoint.not_found, also for one that turned out to be damaged."""
    found = next((one for one in checkpoints_of(job) if one.step == step and not one.is_damaged), None)
    if found is None:
        raise Fault("checkpoint.not_found", field="step", step=step)
    return found


def steps_to_keep(job: Job, newest: int) -> Kept:
    """Of the checkpoints that are whole: the newest `newest`, and the best one, which may be older."""
    told = job.events.filter(type="checkpoint").exclude(step__in=damaged_steps(job)).order_by("-step")
    steps = [step for step in told.values_list("step", flat=True) if step is not None]
    held_out = held_out_at(job, steps)
    return Kept(steps[:newest], best_of(headline_of(job.method, held_out.values()), steps, held_out))


def best_of(headline: Headline | None, steps: list[int], held_out: dict[int, dict[str, float]]) -> int | None:
    """The step whose model did best on held-out data; of equals the earliest. None where nothing was evaluated."""
    if headline is None:
        return None
    merits = {step: headline.merit(held_out.get(step, {})) for step in sorted(steps)}
    scored = {step: merit for step, merit in merits.items() if merit is not None}
    return max(scored, key=lambda step: scored[step], default=None)  # max keeps the first of equals


def held_out_at(job: Job, steps: list[int]) -> dict[int, dict[str, float]]:
    """What the held-out data said at these steps."""
    told = job.events.filter(type="evaluation", step__in=steps).order_by()
    return {step: data["values"] for step, data in told.values_list("step", "data") if step is not None}


def damaged_steps(job: Job) -> set[int]:
    """Checkpoints that an attempt could not begin at."""
    return {attempt.from_step for attempt in job.attempts.all() if attempt.fault_code == "checkpoint.damaged"}


def _step(event: Event) -> int:
    assert event.step is not None  # a checkpoint is always of a step
    return event.step
