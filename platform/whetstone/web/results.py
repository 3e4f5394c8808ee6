"""What a job came to, in one line for lists: the held-out score before and after."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from whetstone.jobs.models import Job

HEADLINES = ("accuracy", "reward_mean", "pair_accuracy", "loss", "margin")
SHARES = ("accuracy", "pair_accuracy")


@dataclass(frozen=True)
class Result:
    """A held-out number before the first and after the last step."""

    name: str
    before: str
    after: str
    is_better: bool


def result_of(job: Job) -> Result | None:
    """None while the held-out data was not evaluated twice."""
    told = job.events.filter(type="evaluation").order_by("step").values_list("data", flat=True)
    first, last = told.first(), told.last()
    if first is None or last is None or told.count() < 2:
        return None
    key = next((key for key in HEADLINES if key in first["values"] and key in last["values"]), None)
    if key is None:
        return None
    before, after = first["values"][key], last["values"][key]
    is_better = after < before if key == "loss" else after > before
    return Result(name_of(key), shown(key, before), shown(key, after), is_better)


def name_of(key: str) -> str:
    names = {
        "accuracy": _("Held-out accuracy"),
        "reward_mean": _("Held-out reward"),
        "pair_accuracy": _("Held-out right pairs"),
        "loss": _("Held-out loss"),
        "margin": _("Held-out margin"),
    }
    return names[key]


def shown(key: str, value: float) -> str:
    return f"{value:.1%}" if key in SHARES else f"{value:.3f}"
