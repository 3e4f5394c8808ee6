"""Jobs, the tries at them, and everything they report."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from contracts.evaluation import EvaluationSpec
from contracts.fault import FaultReport
from contracts.job import ENDED, JobDraft, JobSpec
from contracts.merging import MergeSpec
from contracts.work import SPEC
from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Owned, Team, User
from whetstone.artifacts.models import Blob
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.modelhub.models import Model
from whetstone.workers.models import Worker


def new_job_id() -> str:
    return new_id("ftjob")


class Job(Owned):
    """One piece of work for a worker. `jobs.launch` makes it, `jobs.record` changes it, `jobs.tail` watches it."""

    class Status(models.TextChoices):
        VALIDATING_FILES = "validating_files"
        QUEUED = "queued"
        RUNNING = "running"
        PAUSED = "paused"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Kind(models.TextChoices):
        """A training makes a model, and so does a merge, of an adapter. An evaluation makes numbers: see
        `whetstone.evaluations`."""

        TRAINING = "training"
        EVALUATION = "evaluation"
        MERGE = "merge"

    class Wish(models.TextChoices):
        """What a person wants of a running job; the worker hears it with its next report."""

        NONE = ""
        CANCEL = "cancel"
        PAUSE = "pause"

    id = models.CharField(max_length=64, primary_key=True, default=new_job_id, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.TRAINING)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    reason = models.CharField(max_length=500, blank=True)
    fault = models.JSONField(null=True)
    wish = models.CharField(max_length=8, choices=Wish.choices, default=Wish.NONE, blank=True)

    draft = models.JSONField()
    """What was asked for, as it was asked."""
    spec = models.JSONField()
    """What the worker is given, with a number in every place."""
    method = models.CharField(max_length=32, blank=True)
    """Of a training."""
    base = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="jobs")
    """What a training starts from; the model that is evaluated; the adapter that is merged."""
    training = models.ForeignKey(DatasetVersion, null=True, on_delete=models.PROTECT, related_name="jobs")
    """None for what learns from no rows."""
    validation = models.ForeignKey(DatasetVersion, null=True, on_delete=models.PROTECT, related_name="validated_jobs")
    """Held-out rows of a training; the rows of an evaluation."""
    evaluator = models.ForeignKey(EvaluatorVersion, null=True, on_delete=models.PROTECT, related_name="jobs")
    scorers = models.ManyToManyField(Model, through="JobScorer", related_name="scored_jobs")
    """The reward models that its evaluator asks."""
    trained = models.OneToOneField(Model, null=True, on_delete=models.SET_NULL, related_name="made_by")
    trained_deleted_at = models.DateTimeField(null=True)
    """When somebody deleted the model that it had made."""
    pool = models.CharField(max_length=64)
    suffix = models.CharField(max_length=64, blank=True)
    metadata = models.JSONField(default=dict)
    seed = models.PositiveIntegerField()

    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    woken_at = models.DateTimeField(null=True)
    """When workers were last told that this job waits."""
    last_event = models.PositiveBigIntegerField(default=0)
    forgotten_events = models.PositiveBigIntegerField(default=0)
    """How many of them were taken back since: by an attempt that did their steps again, or by housekeeping."""
    step = models.PositiveIntegerField(default=0)
    total_steps = models.PositiveIntegerField(default=0)
    phase = models.CharField(max_length=32, blank=True)
    trained_tokens = models.PositiveBigIntegerField(null=True)
    expected_memory = models.PositiveBigIntegerField(null=True)
    """Bytes, as the estimate had it before past jobs corrected it."""
    peak_memory = models.PositiveBigIntegerField(null=True)
    """Bytes that its worker measured."""
    expected_seconds = models.FloatField(null=True)
    """Of work, as the estimate had it before past jobs corrected it."""
    worked_seconds = models.FloatField(null=True)
    """That its attempts worked for what has become of it: without waiting, and without steps that were done again."""
    promise = models.JSONField(default=dict)
    """What was said before it was created: see `jobs.promise`."""

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["team", "-created_at", "-id"], name="job_newest_first"),
            models.Index(fields=["team", "kind", "-created_at", "-id"], name="job_kind_newest_first"),
            models.Index(fields=["status", "pool", "created_at"], name="job_waiting"),
            models.Index(
                fields=["pool", "method", "-finished_at"],
                condition=Q(expected_memory__isnull=False, peak_memory__isnull=False),
                name="job_measured",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="running", lease_until__isnull=False) | ~Q(status="running"),
                name="running_jobs_have_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(kind="training", training__isnull=False)
                | Q(kind="evaluation", training__isnull=True, validation__isnull=False)
                | Q(kind="merge", training__isnull=True, validation__isnull=True),
                name="jobs_have_the_rows_of_their_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def job_spec(self) -> JobSpec | EvaluationSpec | MergeSpec:
        return SPEC.validate_python(self.spec)

    @property
    def job_draft(self) -> JobDraft:
        return JobDraft.model_validate(self.draft)

    @property
    def fault_report(self) -> FaultReport | None:
        return FaultReport.model_validate(self.fault) if self.fault else None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.suffix or f"{self.method or self.kind}-{self.id[-6:]}"

    @property
    def model_name(self) -> str:
        """What the trained model is called, in OpenAI's form: `ft:base:team:suffix:id`. A merged one as was asked."""
        if self.kind == self.Kind.MERGE:
            return str(self.draft["name"])
        base = self.base.name.split(":")[1] if self.base.name.startswith("ft:") else self.base.name
        base = base[:90]  # with team, suffix, id and a checkpoint's step it must fit into a model's name
        return f"ft:{base}:{self.team.slug}:{self.suffix}:{self.id[-8:]}"

    def checkpoint_name(self, step: int) -> str:
        """What the model of a checkpoint is called, in OpenAI's form."""
        return f"{self.model_name}:ckpt-step-{step}"

    @property
    def failures(self) -> int:
        """How many attempts failed: one that was paused, or whose worker went home, did not."""
        return self.attempts.filter(outcome=self.Status.FAILED).count()


class JobScorer(models.Model):
    """A reward model that a job's evaluator asks: like its base, it is not deleted while the job is there."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "model"], name="one_scorer_per_job_and_model")]


class KeptCheckpoint(models.Model):
    """A checkpoint that somebody made a model of. The model stays when housekeeping forgets the checkpoint."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="kept")
    step = models.PositiveIntegerField()
    model = models.OneToOneField(Model, on_delete=models.CASCADE, related_name="kept_checkpoint")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "step"], name="one_model_per_checkpoint")]


def new_result_id() -> str:
    return new_id("file")


class ResultFile(Owned):
    """The numbers of a job that has ended, step by step, as a file. `jobs.results` makes it."""

    id = models.CharField(max_length=64, primary_key=True, default=new_result_id, editable=False)
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="result_file")
    blob = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="+")
    """None once somebody has deleted it: it is not made again."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]


def new_permission_id() -> str:
    return new_id("cp").replace("-", "_")


class CheckpointPermission(Owned):
    """Lets another team see one of this team's trained models, or a checkpoint of one. See `jobs.permissions`."""

    id = models.CharField(max_length=64, primary_key=True, default=new_permission_id, editable=False)
    checkpoint = models.CharField(max_length=300)
    """Its name, so that housekeeping may forget the checkpoint."""
    project = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    """The other team, in OpenAI's word."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "checkpoint", "project"], name="one_permission_per_team")
        ]


class Attempt(models.Model):
    """One try of a worker at a job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    worker = models.ForeignKey(Worker, null=True, on_delete=models.SET_NULL, related_name="attempts")
    token_hash = models.CharField(max_length=64, unique=True)
    from_step = models.PositiveIntegerField(default=0)
    last_seq = models.PositiveBigIntegerField(default=0)
    """Sequence number of the last report that was recorded."""
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=32, blank=True)
    fault = models.JSONField(null=True)
    step = models.PositiveIntegerField(null=True)
    """The last step that it told of, once it has failed."""
    instance = models.CharField(max_length=64, blank=True)
    """Which scratch folder of the worker: the same after the worker began anew."""

    class Meta:
        ordering = ["job_id", "number"]  # “job” would join the jobs, to sort by their own order
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_attempt_per_number")]

    @property
    def fault_report(self) -> FaultReport | None:
        return FaultReport.model_validate(self.fault) if self.fault else None

    @property
    def fault_code(self) -> str:
        return self.fault_report.code if self.fault_report else ""

    @property
    def cause(self) -> str:
        return self.fault_report.cause if self.fault_report else ""


class Event(models.Model):
    """One numbered thing that a job reported. Numbers are given under the job's row lock."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events", db_index=False)
    number = models.PositiveBigIntegerField()
    attempt = models.PositiveIntegerField(default=0)
    seq = models.PositiveBigIntegerField(null=True)
    """The worker's own number; empty for what the platform itself says."""
    type = models.CharField(max_length=16)
    step = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()
    data = models.JSONField(default=dict)
    rows = models.JSONField(null=True)
    """Each held-out row's part in an evaluation's numbers, or each answer's score. Apart from `data`, which is read far
    more often."""

    class Meta:
        ordering = ["job_id", "number"]  # “job” would join the jobs, to sort by their own order
        indexes = [models.Index(fields=["job", "type", "step"], name="event_by_type")]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="one_event_per_number"),
            models.UniqueConstraint(fields=["job", "attempt", "seq"], name="one_event_per_report"),
            models.UniqueConstraint(
                fields=["job", "type", "step"],
                condition=Q(type__in=("metrics", "evaluation", "scores", "checkpoint")),
                name="each_step_is_told_once",
            ),
        ]


class Round(models.Model):
    """When a supervisor last looked after the jobs, and whether any worker was heard then. One row."""

    at = models.DateTimeField()
    heard = models.BooleanField()


class Chore(models.Model):
    """When housekeeping last did something of this name."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
