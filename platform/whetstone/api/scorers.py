"""Reward models in the web's trials: deployed ones are asked. None is loaded in this process."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _

from contracts.completion import Mark, Spoken
from contracts.fault import Fault, FaultReport
from graders import Conversation, Grader, Port, Unreachable
from whetstone.accounts.models import Team
from whetstone.api.errors import fault_json
from whetstone.deployments.scoring import deployment_of, marks_of
from whetstone.evaluators.reach import web_port


def trial_port(team: Team, grader: Grader) -> Port:
    """What a grader reaches from the web: judges and services over HTTP, reward models where they are deployed."""
    return replace(web_port(team, grader), scorers=DeployedScorers(team))


@dataclass(frozen=True)
class DeployedScorers:
    """A team's reward models, as graders call them. To be asked from a thread that an event loop waits for."""

    team: Team

    def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
        """As graders.Scorers says."""
        name = self._deployment(model)
        try:
            marks = async_to_sync(marks_of)(self.team, name, [_spoken(one) for one in conversations])
        except Fault as fault:
            raise Unreachable(_sentence(fault.report)) from fault
        return [_score(mark) for mark in marks]

    def _deployment(self, model: str) -> str:
        try:
            found = deployment_of(self.team, model)
        finally:
            if not connection.in_atomic_block:
                connection.close()
        if found is None:
            here = settings.ENVIRONMENT.public_url.rstrip("/")
            address = f"{here}{reverse('deployment-new')}?model={quote(model, safe='')}"
            sentence = _("The reward model “%(model)s” is not deployed, so nothing is scored. Deploy it: %(address)s")
            raise Unreachable(sentence % {"model": model, "address": address})
        return found.name


def _spoken(conversation: Conversation) -> list[Spoken]:
    return [Spoken(role=turn["role"], content=turn["content"]) for turn in conversation]


def _score(mark: Mark) -> float | None:
    """Raises Unreachable: a template that refuses a conversation is a fault of the whole grader, as in a training."""
    if mark.fault is None or mark.fault.code == "score.too_long":
        return mark.score
    if mark.fault.code == "score.not_a_number":
        return math.nan
    raise Unreachable(_sentence(mark.fault))


def _sentence(report: FaultReport) -> str:
    told = fault_json(report)
    return " ".join(filter(None, (told["message"], told.get("next_step"))))
