"""The one way an evaluation begins."""

from dataclasses import dataclass

from django.db import transaction

from contracts.evaluation import EvaluationDraft, EvaluationSpec
from contracts.fault import Fault
from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Team, User
from whetstone.evaluations.check import Checked, check, identity_of, same_as, subject_of
from whetstone.evaluations.models import Evaluation
from whetstone.jobs.keep import keep_checkpoint
from whetstone.jobs.launch import begin
from whetstone.jobs.models import Job
from whetstone.jobs.named import find_named
from whetstone.jobs.promise import promise_of
from whetstone.modelhub.models import Model


@dataclass(frozen=True)
class Launched:
    evaluation: Evaluation
    is_reused: bool
    """It was there already: nothing is carried out twice."""


def launch(user: User, team: Team, draft: EvaluationDraft, *, is_anew: bool = False) -> Launched:
    """Turn a draft into a queued evaluation, or find the one that would come to the same. `is_anew`: not that.

    Raises:
        Fault: the first problem of the draft; nothing was made.
    """
    found = check(team, draft)
    if found.problems:
        first = found.problems[0]
        raise Fault(first.code, field=first.field, evidence=first.evidence, **first.params)
    if found.model is not None and found.model.pk is None and (checkpoint := find_named(team, draft.model)):
        job, start = checkpoint
        found.model = keep_checkpoint(user, job, start.step)
    return _launch(user, team, found, is_anew)


@transaction.atomic
def _launch(user: User, team: Team, found: Checked, is_anew: bool) -> Launched:
    assert found.model  # check() found no problem
    Model.objects.select_for_update(of=("self",)).get(pk=found.model.pk)  # two who ask at once get one evaluation
    if not is_anew and (same := same_as(team, found)):
        return Launched(same, is_reused=True)
    return Launched(_create(user, team, found), is_reused=False)


def _create(user: User, team: Team, found: Checked) -> Evaluation:
    assert found.model  # check() found no problem
    assert found.dataset
    assert found.grader
    assert found.answering
    assert found.place
    pinned = found.draft.model_copy(update={"evaluator": str(found.evaluator) if found.evaluator else None})
    spec = EvaluationSpec(
        job=new_id("eval"),
        model=found.model.ref(),
        dataset=found.dataset.ref(),
        grader=found.grader,
        evaluator=pinned.evaluator,
        scorers=tuple(model.ref() for model in found.scorers),
        answering=found.answering,
    )
    job = Job(
        id=spec.job,
        kind=Job.Kind.EVALUATION,
        team=team,
        created_by=user,
        draft=pinned.model_dump(mode="json", exclude_unset=True, exclude_none=True),
        spec=spec.model_dump(mode="json"),
        base=found.model,
        validation=found.dataset,
        evaluator=found.evaluator,
        pool=found.place.pool.name,
        seed=spec.seed,
        total_steps=spec.total_steps,
        expected_memory=int(found.place.expected) if found.place.expected else None,
        expected_seconds=found.place.expected_s,
        promise=promise_of(found.place).model_dump(mode="json"),
    )
    begin(job, found.scorers)
    return Evaluation.objects.create(job=job, identity=identity_of(found), subject=subject_of(found))
