"""What the worker hands to one process of a job: the claim, and where its files lie. It holds no secret."""

from pathlib import Path

from pydantic import TypeAdapter

from contracts import Contract
from contracts.evaluation import EvaluationSpec
from contracts.job import JobSpec
from contracts.merging import MergeSpec
from contracts.work import Spec


class Work(Contract):
    """One attempt at one job, with every file already on this machine."""

    spec: Spec
    attempt: int
    worker: str
    """The worker's name, for what it has to say of itself."""
    folder: Path
    """The attempt's own folder. Everything that its process writes lies in it."""
    model: Path
    scorers: dict[str, Path] = {}
    """The folders of the models that the grader asks, by name."""
    from_step: int = 0
    """The step that was reached before."""
    threads: int
    processes: int = 1
    """More than one only for a training, on a machine with several GPUs."""

    @property
    def scratch(self) -> Path:
        """The worker's folder, in which the attempt's is `jobs/<job>/<attempt>`."""
        return self.folder.parents[2]

    @property
    def file(self) -> Path:
        return self.folder / "assignment.json"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def spool(self) -> Path:
        return self.folder / "spool.jsonl"

    @property
    def needs(self) -> Path:
        """What the training needs of the machine, as trainer_worker/needs.py writes it."""
        return self.folder / "needs.json"

    @property
    def orders(self) -> Path:
        return self.folder / "orders.json"

    @property
    def final_model(self) -> Path:
        return self.folder / "model"

    @property
    def rollouts(self) -> Path:
        return self.folder / "rollouts"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        """Where the trainer puts the checkpoint of a step (the name is Hugging Face's)."""
        return self.checkpoints / f"checkpoint-{step}"

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(self.model_dump_json(indent=1))


class Assignment(Work):
    """A training."""

    spec: JobSpec
    training: Path
    validation: Path | None
    resume: Path | None
    """A whole checkpoint to go on from: that of `from_step`."""
    trained_tokens: int
    """Tokens that earlier attempts trained on, up to that checkpoint."""

    @classmethod
    def read(cls, file: Path) -> "Assignment":
        return cls.model_validate_json(file.read_bytes())


class EvaluationWork(Work):
    """An evaluation."""

    spec: EvaluationSpec
    rows: Path


class MergeWork(Work):
    """An adapter that becomes a model."""

    spec: MergeSpec


ANY: TypeAdapter[Assignment | EvaluationWork | MergeWork] = TypeAdapter(Assignment | EvaluationWork | MergeWork)


def read_work(file: Path) -> Assignment | EvaluationWork | MergeWork:
    """Of whichever kind."""
    return ANY.validate_json(file.read_bytes())
