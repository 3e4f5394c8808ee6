"""A job's checkpoints as its page lists them."""

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from whetstone.jobs.checkpoints import Checkpoint, checkpoints_of
from whetstone.jobs.headline import headline_of
from whetstone.jobs.models import Job

NAMES = {
    "reward_mean": _("Held-out reward"),
    "pair_accuracy": _("Held-out right pairs"),
    "loss": _("Held-out loss"),
    "margin": _("Held-out margin"),
}


@dataclass(frozen=True)
class Row:
    """A checkpoint, and its held-out number as people read it."""

    checkpoint: Checkpoint
    score: str
    """“Held-out reward 0.812”; empty where its step was not evaluated."""


def checkpoint_rows(job: Job) -> list[Row]:
    """Newest first."""
    found = checkpoints_of(job)
    headline = headline_of(job.method, [one.held_out for one in found])
    name = NAMES[headline.key] if headline else ""
    return [Row(one, "" if one.score is None else f"{name} {number_format(one.score, 3)}") for one in found]
