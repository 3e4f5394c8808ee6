"""What the worker hands to one training process: the claim, and where its files lie. It holds no secret."""

from pathlib import Path

from contracts import Contract
from contracts.job import JobSpec


class Assignment(Contract):
    """One attempt at one job, with every file already on this machine."""

    spec: JobSpec
    attempt: int
    worker: str
    """The worker's name, for what it has to say of itself."""
    folder: Path
    """The attempt's own folder. Everything the training process writes lies in it."""
    model: Path
    training: Path
    validation: Path | None
    resume: Path | None
    """A whole checkpoint to go on from."""
    from_step: int = 0
    """The step of that checkpoint."""
    scorers: dict[str, Path] = {}
    """The folders of the models that the grader asks, by name."""
    trained_tokens: int
    """Tokens that earlier attempts trained on, up to that checkpoint."""
    threads: int
    processes: int = 1
    """More than one only on a machine with several GPUs."""

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

    @classmethod
    def read(cls, file: Path) -> "Assignment":
        return cls.model_validate_json(file.read_bytes())
