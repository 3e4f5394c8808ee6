"""What can be asked in a chat: what runs already, the models of the hub, and the checkpoints of the newest jobs."""

from typing import Any

from django.utils.translation import gettext as _

from contracts.method import METHODS
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.datasets.models import DatasetVersion
from whetstone.deployments.models import Deployment
from whetstone.jobs.checkpoints import checkpoints_of, jobs_with_checkpoints
from whetstone.labels.said import MAKES
from whetstone.modelhub.models import Model

JOBS = 20
"""Of so many jobs, the newest ones, the checkpoints are offered. Others are asked by their names over the API."""


def askable(team: Team) -> list[dict[str, Any]]:
    """Names in groups, each name once."""
    writing = owned(Deployment, team).filter(model__task="text")
    ready = list(writing.filter(status="ready").order_by("-asked_at").values_list("name", flat=True))
    rows = owned(Model, team).filter(task=Model.Task.TEXT).order_by("-created_at")
    models = [model.name for model in rows if model.has_weights and not model.is_adapter]
    deployed = list(writing.order_by("name").values_list("name", flat=True))
    groups = [
        (_("Running now"), ready),
        (_("Models"), models),
        (_("Deployments"), deployed),
        (_("Checkpoints"), _checkpoints(team)),
    ]
    seen: set[str] = set()
    found = []
    for label, names in groups:
        fresh = [name for name in names if name not in seen]
        seen.update(fresh)
        if fresh:
            found.append({"label": label, "models": fresh})
    return found


def _checkpoints(team: Team) -> list[str]:
    writing = [job for job in jobs_with_checkpoints(team, JOBS) if METHODS[job.method].makes == "text"]
    return [
        job.checkpoint_name(one.step)
        for job in writing
        for one in checkpoints_of(job)
        if not one.is_damaged and (not one.is_adapter or one.model is not None)
    ]


def label_datasets(team: Team) -> dict[str, list[str]]:
    """By kind of label, the names of the datasets whose newest version takes it."""
    newest: dict[str, str] = {}
    rows = owned(DatasetVersion, team).select_related("dataset").order_by("dataset__name", "number")
    for name, shape in rows.values_list("dataset__name", "shape"):
        newest[name] = shape
    return {kind: [name for name, shape in newest.items() if shape == wanted] for kind, wanted in MAKES.items()}
