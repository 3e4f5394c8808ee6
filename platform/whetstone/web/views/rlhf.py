"""RLHF as a guided path: four steps, each filled in from the one before."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contracts.fault import Fault
from contracts.job import ENDED
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.datasets.find import find_version
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.serves import fitting
from whetstone.evaluations.find import evaluations
from whetstone.evaluations.models import Evaluation
from whetstone.jobs.models import Job
from whetstone.jobs.rlhf import Way, evaluator_from, held_out_of, way_of
from whetstone.modelhub.find import find_model
from whetstone.modelhub.models import Model
from whetstone.web.results import result_of
from whetstone.web.words import STATUSES


@dataclass(frozen=True)
class Fact:
    """What a step has made: a name, where it is shown, and what it came to."""

    label: str
    name: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class Step:
    title: str
    about: str
    status: str
    """A job's, or “next” or “later”."""
    state: str
    """The same in the reader's words."""
    facts: list[Fact]
    go: str = ""
    """Text of its button, where there is something to do."""
    url: str = ""
    is_post: bool = False
    is_done: bool = False

    @property
    def is_moving(self) -> bool:
        return self.status not in ("next", "later", *ENDED)


@login_required
@require_safe
def rlhf(request: HttpRequest) -> HttpResponse:
    """`?model=&pairs=` and, where PPO answers other prompts than the pairs', `prompts=`: the address is the path."""
    team = team_of(person(request))
    way, faults = _way(team, request)
    steps = _steps(way) if way else []
    context = {
        "way": way,
        "steps": steps,
        "faults": faults,
        "is_moving": any(step.is_moving for step in steps),
        "models": owned(Model, team).filter(task=Model.Task.TEXT),
        "pairs": _serving(team, "preference"),
        "prompts": _serving(team, "prompt"),
        "asked": request.GET,
    }
    return render(request, "web/rlhf.html", context)


def _way(team: Team, request: HttpRequest) -> tuple[Way | None, list[dict[str, Any]]]:
    asked = {name: request.GET.get(name, "") for name in ("model", "pairs", "prompts")}
    if not asked["model"] or not asked["pairs"]:
        return None, []
    try:
        base, pairs = find_model(team, asked["model"]), find_version(team, asked["pairs"])
        prompts = find_version(team, asked["prompts"]) if asked["prompts"] else pairs
    except Fault as fault:
        return None, [dict(fault_json(fault.report))]
    return way_of(team, base, pairs, prompts), []


def _serving(team: Team, shape: str) -> list[DatasetVersion]:
    versions = owned(DatasetVersion, team).select_related("dataset")
    return list(versions.filter(shape__in=fitting(shape)))  # type: ignore[arg-type]  # a shape


def _steps(way: Way) -> list[Step]:
    return [_pairs(way), _teach(way), _evaluator(way), _learn(way), _compare(way)]


def _pairs(way: Way) -> Step:
    rows = _("%(rows)s pairs") % {"rows": way.pairs.rows}
    held_out = held_out_of(way.pairs)
    facts = [Fact(_("Pairs"), str(way.pairs), reverse("dataset", args=[way.pairs.id]), rows)]
    facts += [Fact(_("Held out"), str(held_out), reverse("dataset", args=[held_out.id]))] if held_out else []
    about = _("Which of two answers is better, many times over.")
    if not held_out:
        about += " " + _("Split off some of them first: held-out pairs show whether the reward model has learned.")
    return Step(_("Preference data"), about, "succeeded", _("Ready"), facts, is_done=True)


def _teach(way: Way) -> Step:
    about = _("A copy of the model learns to give the better answer of each pair the higher score.")
    draft = {"model": way.base.name, "method": "reward_model", "dataset": way.pairs.id}
    return _job_step(_("Reward model"), about, way.taught, _new_job(draft, held_out_of(way.pairs)))


def _evaluator(way: Way) -> Step:
    title, about = _("Evaluator"), _("The reward model becomes the judge, held back from paying for long answers.")
    if way.evaluator is not None:
        name = way.evaluator.evaluator.name
        url = f"{reverse('evaluator', args=[name])}?version={way.evaluator.number}"
        facts = [Fact(_("Evaluator"), str(way.evaluator), url)]
        return Step(title, about, "succeeded", _("Ready"), facts, is_done=True)
    if way.reward_model is None or way.taught is None:
        return _later(title, about)
    go, url = _("Make the evaluator"), reverse("rlhf-evaluator", args=[way.taught.id])
    return Step(title, about, "next", _("Next"), [], go, url, is_post=True)


def _learn(way: Way) -> Step:
    title, about = _("PPO"), _("The model learns to write what the evaluator scores highly, close to where it began.")
    if way.evaluator is None:
        return _later(title, about)
    draft = {"model": way.base.name, "method": "ppo", "dataset": way.prompts.id, "evaluator": str(way.evaluator)}
    return _job_step(title, about, way.learned, _new_job(draft, held_out_of(way.prompts)))


def _compare(way: Way) -> Step:
    title, about = (
        _("Comparison"),
        _("The new model beside the one it began as, on prompts it has not learned from."),
    )
    if way.result is None:
        return _later(title, about)
    held_out = held_out_of(way.prompts) or way.prompts
    if both := _compared(way, held_out):
        return _verdict(title, about, *both)
    query = {"model": way.result.name, "baseline": way.base.name, "dataset": held_out.id}
    url = f"{reverse('evaluation-new')}?{urlencode(query | {'evaluator': str(way.evaluator)})}"
    facts = [Fact(_("Model"), way.result.name, reverse("model", args=[way.result.pk]))]
    return Step(title, about, "next", _("Next"), facts, _("Evaluate against the base"), url)


def _compared(way: Way, rows: DatasetVersion) -> tuple[Evaluation, Evaluation] | None:
    """The newest evaluations of the new model and of its base that can be compared."""
    every = evaluations(way.base.team).filter(job__evaluator=way.evaluator, job__validation=rows)
    every = every.order_by("-job__created_at")
    for candidate in every.filter(job__base=way.result):
        if baseline := every.filter(job__base=way.base, subject=candidate.subject).first():
            return candidate, baseline
    return None


def _verdict(title: str, about: str, candidate: Evaluation, baseline: Evaluation) -> Step:
    query = urlencode({"candidate": candidate.pk, "baseline": baseline.pk})
    name = f"{candidate.job.base.name} – {baseline.job.base.name}"
    facts = [Fact(_("Comparison"), name, f"{reverse('evaluation-compare')}?{query}")]
    behind = next((one.job for one in (candidate, baseline) if one.job.status != Job.Status.SUCCEEDED), candidate.job)
    is_done = behind.status == Job.Status.SUCCEEDED
    return Step(title, about, behind.status, str(STATUSES[behind.status]), facts, is_done=is_done)


def _job_step(title: str, about: str, job: Job | None, url: str) -> Step:
    if job is None:
        return Step(title, about, "next", _("Next"), [], _("Fill in the job"), url)
    result = result_of(job) if job.has_ended else None
    note = f"{result.name} {result.before} → {result.after}" if result else ""
    facts = [Fact(_("Job"), job.label, reverse("job", args=[job.id]), note)]
    if job.trained is not None:
        facts.append(Fact(_("Model"), job.trained.name, reverse("model", args=[job.trained.pk])))
    is_done = job.trained is not None
    go = "" if is_done or not job.has_ended else _("Try again")
    return Step(title, about, job.status, str(STATUSES[job.status]), facts, go, url, is_done=is_done)


def _later(title: str, about: str) -> Step:
    return Step(title, about, "later", _("Later"), [])


def _new_job(query: dict[str, str], held_out: DatasetVersion | None) -> str:
    return f"{reverse('job-new')}?{urlencode(query | ({'held_out': held_out.id} if held_out else {}))}"


@login_required
@require_POST
def make_evaluator(request: HttpRequest, job_id: str) -> HttpResponse:
    """From the reward model that the job taught; then back to the path."""
    who = person(request)
    job = get_object_or_404(owned(Job, team_of(who)).select_related("trained", "base", "team"), id=job_id)
    try:
        evaluator_from(who, job.team, job)
    except Fault as fault:
        messages.error(request, fault_json(fault.report)["message"])
    query = {"model": job.base.name, "pairs": job.training_id} | {"prompts": request.POST.get("prompts", "")}
    return redirect(f"{reverse('rlhf')}?{urlencode(query)}")
