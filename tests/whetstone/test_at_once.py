"""Several people and workers at the same moment: on SQLite they wait for each other, on PostgreSQL they race."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connection
from django.utils import timezone

from contracts.evaluation import EvaluationDraft
from contracts.fault import Fault
from graders import parse
from tests.whetstone.factories import EXACT, PROMPTS, jsonl, make_dataset, make_job, make_model, make_team, make_user
from whetstone.accounts.models import User
from whetstone.accounts.scope import team_of
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import put
from whetstone.evaluations.launch import launch
from whetstone.evaluators.delete import delete_evaluator
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.evaluators.save import save_evaluator
from whetstone.jobs.claim import claim
from whetstone.jobs.models import Job
from whetstone.jobs.supervise import end_expired_leases

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")
CROWD = 6


def at_once(act: Callable[[int], T]) -> list[T]:
    """What everybody of a crowd got who acted at the same moment."""
    start = threading.Barrier(CROWD)

    def one(number: int) -> T:
        start.wait()
        try:
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(CROWD) as crowd:
        return list(crowd.map(one, range(CROWD)))


def test_the_same_content_stored_by_many_is_kept_once(home: Path) -> None:
    team = make_team()
    content = b"x" * 3_000_000
    blobs = at_once(lambda _: put(team, BytesIO(content)))
    assert len({blob.id for blob in blobs}) == Blob.objects.count() == 1
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [blobs[0].sha256]
    assert kept[0].read_bytes() == content


def test_half_a_file_that_a_crash_left_is_not_taken_for_the_file(home: Path) -> None:
    team = make_team()
    blob = put(team, BytesIO(b"whole"))
    path = next(path for path in home.rglob("*") if path.name == blob.sha256)
    path.write_bytes(b"wh")
    Blob.objects.all().delete()
    put(team, BytesIO(b"whole"))
    assert path.read_bytes() == b"whole"


def test_the_same_dataset_uploaded_by_many_makes_as_many_versions() -> None:
    make_user()
    versions = at_once(lambda _: make_dataset(jsonl(PROMPTS)))
    assert sorted(version.number for version in versions) == list(range(1, CROWD + 1))
    assert len({version.dataset_id for version in versions}) == 1


def test_the_same_evaluator_saved_by_many_is_one_version() -> None:
    user, team = make_user(), make_team()
    versions = at_once(lambda _: save_evaluator(user, team, "exact", parse(EXACT)))
    assert {str(version) for version in versions} == {"exact@1"}


def test_different_evaluators_of_one_name_get_different_numbers() -> None:
    user, team = make_user(), make_team()
    versions = at_once(lambda n: save_evaluator(user, team, "exact", parse(EXACT | {"reference": str(n)})))
    assert sorted(version.number for version in versions) == list(range(1, CROWD + 1))


def saved_on_top(number: int, base: int) -> str:
    try:
        grader = parse(EXACT | {"reference": str(number)})
        return str(save_evaluator(make_user(), make_team(), "exact", grader, base=base))
    except Fault as fault:
        return fault.report.code


@pytest.mark.parametrize("base", [0, 1])
def test_of_many_who_save_on_top_of_the_same_version_one_does_and_the_others_are_told(base: int) -> None:
    if base:
        save_evaluator(make_user(), make_team(), "exact", parse(EXACT))
    make_team()
    told = at_once(lambda n: saved_on_top(n, base))
    assert Counter(told) == {f"exact@{base + 1}": 1, "evaluator.changed_meanwhile": CROWD - 1}


def test_an_evaluator_that_is_deleted_while_others_save_it_stays_deleted_or_begins_anew() -> None:
    user, team = make_user(), make_team()
    first = save_evaluator(user, team, "exact", parse(EXACT))

    def act(n: int) -> None:
        if n == 0:
            return delete_evaluator(first.evaluator)
        save_evaluator(user, team, "exact", parse(EXACT | {"reference": str(n)}))

    at_once(act)
    assert not EvaluatorVersion.objects.filter(id=first.id).exists()
    numbers = sorted(EvaluatorVersion.objects.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_person_s_first_team_is_founded_once() -> None:
    User.objects.create(username="new")
    teams = at_once(lambda _: team_of(User.objects.get(username="new")).id)
    assert len(set(teams)) == 1


def test_workers_in_a_crowd_get_different_jobs() -> None:
    jobs = {make_job().id for _ in range(CROWD - 2)}
    claims = at_once(lambda n: claim(f"w{n}", "cpu"))
    assert Counter(found.spec.job for found in claims if found) == Counter(jobs)


def test_supervisors_in_a_crowd_end_a_lease_once() -> None:
    job = make_job()
    claim("w1", "cpu")
    Job.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    at_once(lambda _: end_expired_leases())
    assert Job.objects.get(id=job.id).status == "queued"
    assert [event.data["to"] for event in job.events.filter(type="status").order_by("number")] == [
        "queued",
        "running",
        "queued",
    ]


def test_an_evaluation_that_many_ask_for_is_carried_out_once() -> None:
    user, team = make_user(), make_team()
    make_model(), make_dataset()
    draft = EvaluationDraft.model_validate({"model": "tiny", "dataset": "sums", "grader": EXACT})
    made = at_once(lambda _: launch(user, team, draft))
    assert len({one.evaluation.pk for one in made}) == 1
    assert sorted(one.is_reused for one in made) == [False] + [True] * (CROWD - 1)
