"""What a person asks for, and the frozen document a worker is given."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from contracts import Contract
from contracts.dataset import ColumnMapping
from contracts.method import CanonicalMethod, FullMethod, Hyperparameters, Method, Task
from contracts.resource import Resources
from graders.schema import Grader

Status = Literal["validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"]
ENDED: frozenset[Status] = frozenset({"succeeded", "failed", "cancelled"})
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]


class Wandb(Contract):
    """Where OpenAI would send the metrics."""

    project: str = Field(min_length=1, max_length=256)
    name: str | None = Field(None, max_length=256)
    entity: str | None = Field(None, max_length=256)
    tags: list[str] | None = Field(None, max_length=64)


class Integration(Contract):
    type: Literal["wandb"]
    wandb: Wandb


class JobDraft(Contract):
    """A fine-tuning job as it is asked for: the body of `POST /v1/fine_tuning/jobs` and the JSON of the page."""

    model: str = Field(min_length=1, max_length=256, title="Model")
    """Name of a model in the hub."""
    training_file: str = Field(min_length=1, max_length=256, title="Dataset")
    """A dataset version: its id (file-…), or name@version."""
    validation_file: str | None = Field(None, max_length=256, title="Held-out dataset")
    """Rows that are never trained on; their score is the headline."""
    method: Method = FullMethod()
    suffix: str | None = Field(None, min_length=1, max_length=64, title="Name")
    """Becomes part of the trained model's name."""
    seed: int | None = Field(None, ge=0, le=2147483647, title="Seed")
    """The same seed on the same machine gives the same model. Filled in when empty."""
    metadata: dict[MetadataKey, MetadataValue] | None = Field(None, max_length=16)
    resources: Resources = Resources()
    hyperparameters: Hyperparameters | None = None
    """OpenAI's old place for the hyperparameters of a supervised job."""
    integrations: list[Integration] | None = Field(None, max_length=5)
    """Noted and shown again. Metrics stay on this platform: nothing is sent."""


class FileRef(Contract):
    """One file in the artifact store."""

    path: str = Field(min_length=1, max_length=512)
    """Relative path inside the model or checkpoint, with forward slashes."""
    sha256: Sha256
    size: int = Field(ge=0)

    @field_validator("path")
    @classmethod
    def inside(cls, path: str) -> str:
        """Whoever unpacks the file must never write beside the folder it belongs to."""
        if "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
            raise ValueError("not a relative path with forward slashes")
        return path


class ModelRef(Contract):
    """A model to start from. Without a `.safetensors` file its weights are drawn at random from the config."""

    name: str
    files: tuple[FileRef, ...]
    parameters: int
    task: Task = "text"


class DatasetRef(Contract):
    """One version of a dataset and how to read it."""

    id: str
    file: FileRef
    mapping: ColumnMapping
    rows: int


class JobSpec(Contract):
    """Everything a worker needs to know, fixed when the job is created. Nothing in it says "auto"."""

    kind: Literal["training"] = "training"
    job: str
    model: ModelRef
    training: DatasetRef
    validation: DatasetRef | None
    method: CanonicalMethod
    grader: Grader | None
    evaluator: str | None
    """Name and version of the evaluator that the grader was taken from."""
    scorers: tuple[ModelRef, ...] = ()
    """The reward models that the grader asks."""
    total_steps: int
    seed: int

    @property
    def files(self) -> list[FileRef]:
        """All that a worker reads."""
        rows = [version.file for version in (self.training, self.validation) if version]
        return [*(file for one in (self.model, *self.scorers) for file in one.files), *rows]
