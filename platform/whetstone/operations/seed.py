"""What `make demo` starts from: a user, a small model trained here, arithmetic to learn, and an evaluator."""

import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile

from contracts.job import JobDraft
from graders import parse
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned, team_of
from whetstone.artifacts.store import put_bytes
from whetstone.datasets.ingest import ingest
from whetstone.datasets.models import DatasetVersion
from whetstone.evaluators.models import EvaluatorVersion
from whetstone.evaluators.save import save_evaluator
from whetstone.jobs.launch import launch
from whetstone.jobs.models import Job
from whetstone.modelhub.models import Model
from whetstone.starter import data, model, recipe
from whetstone.workers.pools import alive

Progress = Callable[[Job], None]
WORKER_TIMEOUT_S = 60
BLANK, STARTER = "starter-blank", "starter"


class SeedingFailed(Exception):
    """The starter model could not be trained; the message says why."""


@dataclass(frozen=True)
class Seeded:
    """The demo's things, by the names that the API knows them under."""

    user: str
    password: str
    model: str
    dataset: str
    validation: str
    test: str
    evaluator: str


def seed(progress: Progress = lambda job: None) -> Seeded:
    """Create what is missing and find the rest. Training the starter model needs a running worker.

    Raises:
        SeedingFailed: with the job's fault.
    """
    user, password = _user()
    team = team_of(user)
    train = _dataset(user, team, "arithmetic", data.problems("train"))
    validation = _dataset(user, team, "arithmetic-validation", data.problems("validation"))
    test = _dataset(user, team, "arithmetic-test", data.problems("test"))
    evaluator = _evaluator(user, team)
    starter = owned(Model, team).filter(name=STARTER).first() or _train_starter(user, team, progress)
    return Seeded(user.username, password, starter.name, train.id, validation.id, test.id, str(evaluator))


def _user() -> tuple[User, str]:
    """The demo user. Its password is drawn once and kept in the home, readable by its owner alone."""
    path = Path(settings.HOME) / "demo.password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    password = path.read_text()
    user, created = User.objects.get_or_create(username="demo")
    if created or not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user, password


def _dataset(user: User, team: Team, name: str, rows: Iterable[Mapping[str, object]]) -> DatasetVersion:
    if found := owned(DatasetVersion, team).filter(dataset__name=name).order_by("-number").first():
        return found
    content = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    with TemporaryUploadedFile(f"{name}.jsonl", "application/jsonl", len(content), None) as upload:
        upload.write(content)
        upload.seek(0)
        return ingest(user, team, upload, name=name)


def _evaluator(user: User, team: Team) -> EvaluatorVersion:
    found = owned(EvaluatorVersion, team).filter(evaluator__name=recipe.EVALUATOR_NAME).order_by("-number").first()
    return found or save_evaluator(user, team, recipe.EVALUATOR_NAME, parse(recipe.EVALUATOR), "made by the demo")


def blank_model(user: User, team: Team) -> Model:
    """A model without weights: the first job draws them at random from the config."""
    if found := owned(Model, team).filter(name=BLANK).first():
        return found
    with tempfile.TemporaryDirectory() as folder:
        contents = {path.name: path.read_bytes() for path in model.build(Path(folder))}
    return Model.objects.create(
        team=team,
        name=BLANK,
        origin=Model.Origin.BUILT_IN,
        about="The starter model's architecture and tokenizer. Its weights are drawn at random when a job starts.",
        files=[put_bytes(team, content).ref(path).model_dump(mode="json") for path, content in contents.items()],
        config=orjson.loads(contents["config.json"]),
        parameters=model.parameters(),
        context_length=model.CONTEXT,
        license="apache-2.0",
        created_by=user,
    )


def _await_worker() -> None:
    """Raises SeedingFailed when no worker presents itself: nobody would ever train."""
    deadline = time.monotonic() + WORKER_TIMEOUT_S
    while not alive():
        if time.monotonic() > deadline:
            raise SeedingFailed("No worker is running. Start the platform first: python manage.py up")
        time.sleep(0.3)


def _train_starter(user: User, team: Team, progress: Progress) -> Model:
    blank = blank_model(user, team)
    demonstrations = _dataset(user, team, "arithmetic-demonstrations", data.demonstrations(recipe.DEMONSTRATIONS))
    draft = {
        "model": blank.name,
        "training_file": demonstrations.id,
        "method": recipe.FULL,
        "suffix": STARTER,
        "seed": 1,
    }
    _await_worker()
    job = launch(user, team, JobDraft.model_validate(draft))
    while not job.has_ended:
        time.sleep(0.3)
        job.refresh_from_db()
        progress(job)
    if job.trained is None:
        fault = job.fault_report
        raise SeedingFailed(f"{fault.message} {fault.next_step}" if fault else f"The job is {job.status}.")
    job.trained.name = STARTER
    job.trained.origin = Model.Origin.BUILT_IN
    job.trained.about = "A model of about a million parameters, trained here on imperfect arithmetic."
    job.trained.save(update_fields=["name", "origin", "about"])
    return job.trained
