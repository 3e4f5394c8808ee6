"""The one way a job begins."""

import secrets
from collections.abc import Sequence

from django.db import transaction

from contracts.fault import Fault
from contracts.job import JobDraft, JobSpec
from whetstone import clock
from whetstone.accounts.models import Team, User
from whetstone.jobs.check import Checked, check
from whetstone.jobs.keep import keep_checkpoint
from whetstone.jobs.models import Event, Job, new_job_id
from whetstone.jobs.named import find_named
from whetstone.jobs.promise import promise_of
from whetstone.jobs.states import append
from whetstone.jobs.wake import wake_when_committed
from whetstone.modelhub.models import Model


def launch(user: User, team: Team, draft: JobDraft) -> Job:
    """Turn a draft into a queued job.

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
    return _create(user, team, found)


@transaction.atomic
def _create(user: User, team: Team, found: Checked) -> Job:
    draft = found.draft
    assert found.model  # check() found no problem
    assert found.training
    assert found.place
    seed = draft.seed if draft.seed is not None else secrets.randbelow(2**31)
    job_id = new_job_id()
    spec = _spec(job_id, found, seed)
    job = Job(
        id=job_id,
        team=team,
        created_by=user,
        draft=draft.model_dump(mode="json", exclude_unset=True),
        spec=spec.model_dump(mode="json"),
        method=spec.method.type,
        base=found.model,
        training=found.training,
        validation=found.validation,
        evaluator=found.evaluator,
        pool=found.place.pool.name,
        suffix=draft.suffix or "",
        metadata=draft.metadata or {},
        seed=seed,
        total_steps=spec.total_steps,
        expected_memory=int(found.place.expected) if found.place.expected else None,
        expected_seconds=found.place.expected_s,
        promise=promise_of(found.place).model_dump(mode="json"),
    )
    begin(job, found.scorers)
    if draft.integrations:
        append(job, "log", {"text": str(Fault("job.integration_ignored", integration=draft.integrations[0].type))})
    return job


def begin(job: Job, scorers: Sequence[Model]) -> None:
    """Store a job of either kind, queued, with its first event. Inside a transaction: its workers are woken after."""
    at = clock.now()
    job.woken_at, job.last_event = at, 1
    job.save(force_insert=True)
    if scorers:
        job.scorers.set(scorers)
    data = {"from": "", "to": "queued", "reason": "", "fault": None}
    Event.objects.create(job=job, number=1, attempt=0, type="status", at=at, data=data)
    wake_when_committed(job)


def _spec(job_id: str, found: Checked, seed: int) -> JobSpec:
    assert found.model  # check() found no problem
    assert found.training
    assert found.method
    return JobSpec(
        job=job_id,
        model=found.model.ref(),
        training=found.training.ref(),
        validation=found.validation.ref() if found.validation else None,
        method=found.method,
        grader=found.grader,
        evaluator=str(found.evaluator) if found.evaluator else None,
        scorers=tuple(model.ref() for model in found.scorers),
        total_steps=found.steps,
        seed=seed,
    )
