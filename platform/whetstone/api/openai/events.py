"""A job's events as OpenAI's `fine_tuning.job.event`."""

from collections.abc import Callable
from functools import cache
from typing import Literal

from django.utils.translation import gettext

from contracts.fault import FaultReport
from whetstone.api.errors import fault_json
from whetstone.api.openai.numbers import MEASURED, Known, Numbers
from whetstone.api.openai.schema import EventJson
from whetstone.jobs.models import Job
from whetstone.jobs.tail import ToldEvent


class Events:
    """Of one job, in the language of this moment. What is the same in all of a page of a thousand is made once."""

    def __init__(self, job: Job) -> None:
        self._id = f"ftevent-{job.id.removeprefix('ftjob-')}"
        self._numbers = Numbers(job)
        self._say = cache(gettext)

    def json(self, event: ToldEvent, known: Known) -> EventJson:
        """`known`: what is known of the steps, so that one evaluated shows both numbers."""
        own = ({"step": event.step} if event.step is not None else {}) | event.data
        is_metrics = event.type in MEASURED
        return {
            "object": "fine_tuning.job.event",
            "id": f"{self._id}-{event.number}",
            "created_at": int(event.at.timestamp()),
            "level": _level(event),
            "message": _sentence(event, self._say),
            "type": "metrics" if is_metrics else "message",
            "data": self._numbers.data(event.step or 0, known) | own if is_metrics else own,
        }


def _level(event: ToldEvent) -> Literal["info", "warn", "error"]:
    """“error” for what ended the job, “warn” for what ended an attempt alone."""
    if event.type == "failed":
        return "warn"
    return "error" if event.type == "status" and event.data["to"] == "failed" else "info"


def _sentence(event: ToldEvent, _: Callable[[str], str]) -> str:
    """What an event says, for a person who reads a log."""
    data = event.data
    match event.type:
        case "status":
            said = _("The job is %(status)s.") % {"status": data["to"]}
            return f"{said} {_fault_said(event) if data['fault'] else data['reason']}".strip()
        case "attempt":
            return _("Attempt %(number)s on %(worker)s, from step %(from_step)s.") % data
        case "phase":
            return _("The job is %(status)s.") % {"status": data["name"]}
        case "metrics":
            shown = {key: data["values"][key] for key in ("reward", "loss") if key in data["values"]}
            return _("Step %(step)s: %(values)s") % {"step": event.step, "values": _numbers(shown)}
        case "evaluation":
            values = _numbers(data["values"])
            return _("Held-out data at step %(step)s: %(values)s") % {"step": event.step, "values": values}
        case "rollouts":
            steps = {"first": data["first_step"], "last": event.step}
            return _("The completions of steps %(first)s to %(last)s are stored.") % steps
        case "checkpoint":
            return _("Checkpoint at step %(step)s.") % {"step": event.step}
        case "log":
            return str(data["text"]).strip()
        case "finished":
            return _("The model is saved.")
        case "failed":
            return _fault_said(event)
        case _:
            return _("The attempt stopped at step %(step)s.") % {"step": event.step}


def _fault_said(event: ToldEvent) -> str:
    return str(fault_json(FaultReport.model_validate(event.data["fault"]))["message"])


def _numbers(values: dict[str, float]) -> str:
    return ", ".join(f"{key}={value:.4g}" for key, value in values.items())
