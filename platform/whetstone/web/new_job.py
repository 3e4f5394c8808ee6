"""What the new-job page begins with: everything that can be chosen, and a draft."""

from collections.abc import Mapping
from typing import Any, Literal

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contracts.job import JobDraft
from contracts.method import METHODS, CanonicalMethod, canonical
from graders import asks_outside
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.serves import why_not, why_not_held_out
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.jobs.kinds import trainings
from whetstone.modelhub.models import Model
from whetstone.web.schemas import grader_schema, known_names, method_schema
from whetstone.web.templatetags.whetstone import short_number
from whetstone.web.words import SHAPES
from whetstone.workers.pools import alive, pools

FIRST_METHOD = "grpo"


def form_data(team: Team, query: Mapping[str, str]) -> dict[str, Any]:
    return {
        "methods": method_schema(),
        "rewards": {name: _reward(method) for name, method in METHODS.items()},
        "makes": {name: method.makes for name, method in METHODS.items()},
        "unfit": {shape: _unfit(shape) for shape in SHAPES},
        "unfit_held_out": {shape: _unfit_held_out(shape) for shape in SHAPES},
        "draft": _draft(team, query),
        "models": [_model(model) for model in owned(Model, team)],
        "datasets": [_dataset(version) for version in owned(DatasetVersion, team).select_related("dataset")],
        "evaluators": [_evaluator(version) for version in owned(EvaluatorVersion, team).select_related("evaluator")],
        "pools": [_pool(name) for name in pools()],
        "jobs_url": reverse("jobs") + "/",
        "new_dataset_url": reverse("dataset-new"),
        "new_evaluator_url": reverse("evaluator-build"),
        "graders": grader_schema(),
        "known": known_names(team),
    }


def _reward(method: CanonicalMethod) -> Literal["needed", "optional", "none"]:
    """What an evaluator is to the method: what it learns from, what scores held-out answers, or nothing."""
    if method.is_reinforcement:
        return "needed"
    return "none" if method.reward is None else "optional"


def _unfit(shape: str) -> dict[str, str]:
    """Why a dataset of this shape does not serve a method, for those that it does not serve."""
    return {name: reason for name, method in METHODS.items() if (reason := why_not(shape, method))}


def _unfit_held_out(shape: str) -> dict[str, str]:
    """The same for held-out rows, where an evaluator scores the model's own answers to them."""
    reasons = {
        name: why_not_held_out(shape, method, is_graded=method.reward is not None) for name, method in METHODS.items()
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _draft(team: Team, query: Mapping[str, str]) -> dict[str, Any]:
    """A clone is what was asked for then, as it was asked."""
    cloned = trainings(team).filter(id=query.get("from", "")).first()
    if cloned is not None:
        return _clone(cloned.draft)
    block = {"evaluator": query["evaluator"]} if "evaluator" in query else {}
    draft: dict[str, Any] = {"model": query["model"]} if "model" in query else {}
    if "dataset" in query:
        draft["training_file"] = query["dataset"]
    if "held_out" in query:
        draft["validation_file"] = query["held_out"]
    method = query.get("method", FIRST_METHOD)
    method = method if method in METHODS else FIRST_METHOD
    return draft | {"method": {"type": method, method: block}}


def _clone(draft: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, without what merely repeats a default, the seed and the name."""
    kept = {key: value for key, value in draft.items() if key not in ("seed", "suffix", "method", "resources")}
    method = canonical(JobDraft.model_validate(draft).method)
    block = method.model_dump(mode="json", exclude_defaults=True).get(method.type, {}) | _set_by_hand(method)
    if "grader" in block:  # its kind is a default too, and must stay
        block["grader"] = draft["method"][draft["method"]["type"]]["grader"]
    pool = draft.get("resources", {}).get("pool", "auto")
    return (
        kept
        | {"method": {"type": method.type, method.type: block}}
        | ({} if pool == "auto" else {"resources": {"pool": pool}})
    )


def _set_by_hand(method: CanonicalMethod) -> dict[str, Any]:
    """The hyperparameters that differ from what the method, or its preset, would set: null may be one of them."""
    h = method.hyperparameters
    given = h.model_dump(mode="json")
    preset = {"preset": given["preset"]} if given.get("preset") else {}
    untouched = type(h).model_validate(preset).model_dump(mode="json")
    changed = preset | {name: value for name, value in given.items() if value != untouched[name]}
    return {"hyperparameters": changed} if changed else {}


def _choice(value: str, label: str, detail: str) -> dict[str, str]:
    return {"value": value, "label": label, "detail": detail}


def _model(model: Model) -> dict[str, str]:
    detail = _("%(parameters)s parameters · context of %(context)s tokens") % {
        "parameters": short_number(model.parameters),
        "context": intcomma(model.context_length),
    }
    return _choice(model.name, model.name, detail) | {"task": model.task}


def _dataset(version: DatasetVersion) -> dict[str, Any]:
    rows = ngettext("%(n)s row", "%(n)s rows", version.rows) % {"n": intcomma(version.rows)}
    label = str(version) if version.shape else _("%(dataset)s (columns not mapped)") % {"dataset": version}
    return _choice(version.id, label, f"{rows} · {SHAPES[version.shape]}") | {
        "shape": version.shape,
        "columns": list(version.item_names),
    }


def _evaluator(version: EvaluatorVersion) -> dict[str, Any]:
    return _choice(str(version), str(version), version.note) | {"asks_outside": asks_outside(version.grader)}


def _pool(name: str) -> dict[str, str]:
    n = sum(worker.pool == name for worker in alive())
    return _choice(name, name, ngettext("%(n)d worker is alive", "%(n)d workers are alive", n) % {"n": n})
