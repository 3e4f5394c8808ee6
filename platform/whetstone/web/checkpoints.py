"""A job's checkpoints as its page lists them."""

from dataclasses import dataclass

from contracts.method import METHODS
from whetstone.jobs.checkpoints import Checkpoint, checkpoints_of
from whetstone.jobs.headline import Headline, headline_of
from whetstone.jobs.keep import has_base
from whetstone.jobs.models import Job
from whetstone.web.results import name_of, shown


@dataclass(frozen=True)
class Row:
    """A checkpoint, and its held-out number as people read it."""

    checkpoint: Checkpoint
    score: str
    """“Held-out reward 0.812”, “Held-out right pairs 94.2%”; empty where its step was not evaluated."""
    can_be_kept: bool
    """Whether a model can be made of it."""
    can_be_deployed: bool


def checkpoint_rows(job: Job) -> list[Row]:
    """Newest first."""
    found = checkpoints_of(job)
    headline = headline_of(job.method, [one.held_out for one in found])
    kept = [not one.is_damaged and (not one.is_adapter or has_base(job)) for one in found]
    writes = METHODS[job.method].makes == "text"  # a reward model is loaded whole
    return [
        Row(one, _told(headline, one.score), can, can and (writes or not one.is_adapter))
        for one, can in zip(found, kept, strict=True)
    ]


def _told(headline: Headline | None, score: float | None) -> str:
    return "" if headline is None or score is None else f"{name_of(headline.key)} {shown(headline.key, score)}"
