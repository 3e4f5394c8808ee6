"""What is thrown away, and when: old checkpoints, old rollouts and logs, and files that nothing refers to.

What a job that has not ended still needs is never touched: its newest checkpoints, its model, its datasets.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from contracts.job import ENDED
from whetstone.accounts.replays import forget_replays
from whetstone.accounts.scope import owned
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import discard
from whetstone.datasets.expire import delete_expired_files
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.uploads import forget_uploads
from whetstone.jobs import parts
from whetstone.jobs.checkpoints import steps_to_keep
from whetstone.jobs.forget import forget
from whetstone.jobs.models import Chore, Event, Job, ResultFile
from whetstone.modelhub.begin import forget_imports
from whetstone.modelhub.models import ImportFile, Model

FOR_A_WHILE = ("rollouts", "log")
NAMES_FILES = ("checkpoint", "rollouts", "finished")
EVERY = {
    "events": timedelta(minutes=1),
    "expired": timedelta(minutes=15),
    "blobs": timedelta(minutes=15),
    "all checkpoints": timedelta(days=1),
}
GRACE = timedelta(days=1)
"""How long a file may lie in the store before something names it: a worker uploads first and reports afterwards."""
SOON = timedelta(minutes=15)
"""The same for a file of a checkpoint that was forgotten: its worker has named it already."""
JUST = timedelta(hours=1)
"""How long after its end a job is looked at as often as one that runs."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

Content = tuple[int, str]
"""A team and the hash of a content: what names one blob."""


def keep_house() -> None:
    """One round: of several supervisors, the one that comes first when a chore is due does it."""
    if _is_mine("events"):
        forget_checkpoints(Job.objects.filter(Q(finished_at=None) | Q(finished_at__gt=timezone.now() - JUST)))
        forget_old_events()
    if _is_mine("all checkpoints"):
        forget_checkpoints()
    if _is_mine("expired"):
        forget_replays()
        delete_expired_files()
        forget_uploads()
        forget_imports()
    if _is_mine("blobs"):
        sweep()
        parts.prune()


def _is_mine(name: str) -> bool:
    """A compare-and-set on the chore's row."""
    now = timezone.now()
    chores = Chore.objects.filter(name=name)
    if not chores.exists():
        Chore.objects.get_or_create(name=name, defaults={"at": LONG_AGO})
    due = chores.filter(at__lte=now - EVERY[name])
    return due.exists() and due.update(at=now) == 1  # looked at first: an update takes SQLite's one lock


def forget_checkpoints(jobs: QuerySet[Job] | None = None) -> None:
    """Leave each job, or each of these, its newest checkpoints that are whole and the one that did best."""
    checkpoints = Event.objects.filter(job=OuterRef("pk"), type="checkpoint").order_by()
    counted = checkpoints.values("job").annotate(n=Count("id")).values("n")
    among = Job.objects.all() if jobs is None else jobs
    many = among.annotate(checkpoints=Subquery(counted)).filter(checkpoints__gt=_kept())
    for job in many.order_by().prefetch_related("attempts"):
        if _expendable(job).exists():  # looked at first: most have only their best one more
            _forget_checkpoints(job.id)


def _kept() -> int:
    return settings.ENVIRONMENT.keep_checkpoints


@transaction.atomic
def _forget_checkpoints(job_id: str) -> None:
    job = Job.objects.select_for_update(of=("self",)).get(id=job_id)  # no claim chooses one of them meanwhile
    forgotten = _expendable(job)
    hashes = {file["sha256"] for data in forgotten.values_list("data", flat=True) for file in files_of(data)}
    forget(job.id, forgotten)
    blobs = owned(Blob, job.team).filter(sha256__in=hashes)
    blobs.update(created_at=F("created_at") - (GRACE - SOON))  # what something else refers to stays all the same


def _expendable(job: Job) -> QuerySet[Event]:
    """Older than the newest ones that are whole, and not the best. Newer ones that are damaged stay to be seen."""
    newest = steps_to_keep(job, _kept())
    if len(newest.newest) < _kept():
        return Event.objects.none()
    return Event.objects.filter(job=job, type="checkpoint", step__lt=newest.newest[-1]).exclude(step=newest.best)


def forget_old_events() -> None:
    """Rollouts and logs of jobs that ended long ago. Their curves stay."""
    ended = Job.objects.filter(status__in=ENDED, finished_at__lt=timezone.now() - _keep_for())
    old = ended.filter(events__type__in=FOR_A_WHILE).order_by().distinct()
    for job_id in old.values_list("id", flat=True):
        forget(job_id, Event.objects.filter(type__in=FOR_A_WHILE))


def _keep_for() -> timedelta:
    return timedelta(days=settings.ENVIRONMENT.keep_days)


def sweep() -> None:
    """Delete what nothing refers to and nobody has stored, or asked for before naming it, within the grace."""
    before = timezone.now() - GRACE
    old = Blob.objects.filter(created_at__lt=before)
    needed = contents_needed() if old.exists() else set()
    for blob_id, team_id, sha256 in old.values_list("id", "team_id", "sha256"):
        if (team_id, sha256) not in needed:
            discard(blob_id, before)


def contents_needed() -> set[Content]:
    """Every content that a dataset, a model, an import, a job or an event refers to."""
    return set(_contents())


def _contents() -> Iterator[Content]:
    yield from DatasetVersion.objects.order_by().values_list("team_id", "blob__sha256")
    yield from ResultFile.objects.exclude(blob=None).order_by().values_list("team_id", "blob__sha256")
    yield from ImportFile.objects.exclude(sha256="").order_by().values_list("of__team_id", "sha256")
    for team_id, files in Model.objects.order_by().values_list("team_id", "files"):
        yield from ((team_id, file["sha256"]) for file in files)
    for job in Job.objects.exclude(status__in=ENDED).order_by():
        yield from ((job.team_id, file.sha256) for file in job.job_spec.files)
    named = Event.objects.filter(type__in=NAMES_FILES).order_by()
    for team_id, data in named.values_list("job__team_id", "data").iterator():
        yield from ((team_id, file["sha256"]) for file in files_of(data))


def files_of(data: dict[str, list[dict[str, str]] | dict[str, str]]) -> list[dict[str, str]]:
    """The files that an event names: a checkpoint and a model have many, a part of the rollouts has one."""
    found = data.get("files") or data.get("file") or []
    return found if isinstance(found, list) else [found]
