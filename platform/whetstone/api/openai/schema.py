"""OpenAI's objects, with what we add to them, as `/v1` answers them. The API's document is written from these."""

from typing import Annotated, Any, Literal, NotRequired, get_args

from pydantic import JsonValue
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.dataset import Shape
from contracts.method.common import Task
from whetstone.api.answers import described, one_of
from whetstone.api.errors import ErrorJson
from whetstone.datasets.models import Upload
from whetstone.jobs.models import Job


class Deleted(TypedDict):
    id: str
    object: str
    deleted: Literal[True]


@described
class FileJson(TypedDict):
    """A file of rows is a dataset version; “fine-tune-results” are the numbers of a job, step by step."""

    id: str
    object: Literal["file"]
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: Literal["processed"]
    expires_at: NotRequired[int | None]
    """When it is deleted, unless a job uses it."""
    status_details: NotRequired[str | None]
    dataset: NotRequired[str]
    """The dataset version's name, like `sums@2`."""
    shape: NotRequired[Annotated[str, one_of(*get_args(Shape))] | None]
    """What its rows can train. Null until its columns are mapped."""
    rows: NotRequired[int]
    job: NotRequired[str]
    """Of a result file: the job whose numbers these are."""


class UploadJson(TypedDict):
    id: str
    object: Literal["upload"]
    bytes: int
    created_at: int
    expires_at: int
    filename: str
    purpose: str
    status: Annotated[str, one_of(*Upload.Status.values, "expired")]
    file: FileJson | None


class UploadPartJson(TypedDict):
    id: str
    object: Literal["upload.part"]
    created_at: int
    upload_id: str


@described
class OpenAIModelJson(TypedDict):
    """A model, or a checkpoint that none has been made of yet."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    """The team."""
    parameters: int
    task: Annotated[str, one_of(*get_args(Task))]
    job: NotRequired[str]
    """Of a checkpoint: the job that wrote it, at `step`."""
    step: NotRequired[int]


class PermissionJson(TypedDict):
    id: str
    object: Literal["checkpoint.permission"]
    created_at: int
    project_id: str


class SupervisedJson(TypedDict):
    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float


@described
class JobJson(TypedDict):
    object: Literal["fine_tuning.job"]
    id: str
    created_at: int
    finished_at: int | None
    model: str
    fine_tuned_model: str | None
    organization_id: str
    """The team."""
    status: Annotated[str, one_of(*Job.Status.values)]
    training_file: str
    validation_file: str | None
    result_files: list[str]
    trained_tokens: int | None
    error: ErrorJson | None
    seed: int
    estimated_finish: int | None
    integrations: list[dict[str, JsonValue]]
    hyperparameters: SupervisedJson | None
    """OpenAI's deprecated place for the numbers of a supervised job."""
    method: dict[str, Any]  # Any: a method's own JSON, or what of it is masked
    """As it was asked for; the values of a grader's headers are masked."""
    metadata: dict[str, str]
    user_provided_suffix: str | None
    resolved_method: dict[str, Any]  # Any: the same
    """The same with a number in every place that said “auto”."""
    evaluator: str | None
    """The saved evaluator that grades it, like `math@2`."""
    step: int
    total_steps: int
    attempt: int
    phase: str | None
    """What a running job does just now."""
    reason: str | None
    """Why it is where it is."""
    wish: Annotated[str, one_of("cancel", "pause")] | None
    """What somebody wants of a running job, until its worker has heard of it."""
    pool: str


@described
class CheckpointJson(TypedDict):
    object: Literal["fine_tuning.job.checkpoint"]
    id: str
    created_at: int
    fine_tuned_model_checkpoint: str
    step_number: int
    fine_tuning_job_id: str
    metrics: dict[str, float]
    """Under OpenAI's names, and under ours where there are none."""
    bytes: int
    is_best: bool
    is_adapter: bool
    is_damaged: bool
    model: str | None
    """The model that was made of it."""


@described
class EventJson(TypedDict):
    object: Literal["fine_tuning.job.event"]
    id: str
    created_at: int
    level: Literal["info", "warn", "error"]
    message: str
    type: Literal["message", "metrics"]
    data: dict[str, Any]  # Any: what the worker told, under our names, and metrics under OpenAI's beside them
    """Metrics under OpenAI's names, with null for what was not measured; beside them what the worker told."""


class ValidGrader(TypedDict):
    grader: dict[str, Any]  # Any: a grader's JSON


@described
class EndpointJson(TypedDict):
    id: str
    object: Literal["webhook_endpoint"]
    name: str
    url: str
    event_types: list[str]
    created_at: int
    updated_at: int
    signing_secret_hint: str


@described
class EndpointWithSecret(EndpointJson):
    signing_secret: str
    """Shown this once."""


@described
class TestResult(TypedDict):
    object: Literal["webhook_endpoint.test"]
    webhook_endpoint_id: str
    event_type: str
    status_code: int
    success: Literal[True]
    """That somebody answered; `status_code` says what."""
