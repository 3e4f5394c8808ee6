"""The model hub: what a job can start from, and what came out of one."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from pydantic import TypeAdapter

from contracts.fault import FaultReport
from contracts.job import FileRef, ModelRef
from contracts.weights import require_safetensors
from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Owned, User
from whetstone.modelhub.parts import is_adapter, of_model

FILES = TypeAdapter(tuple[FileRef, ...])


class Model(Owned):
    """A model's files and what is known about it."""

    class Origin(models.TextChoices):
        BUILT_IN = "built_in"
        IMPORTED = "imported"
        TRAINED = "trained"

    class Task(models.TextChoices):
        """What it does: contracts.method.Task."""

        TEXT = "text"
        REWARD = "reward"

    name = models.CharField(max_length=256)
    origin = models.CharField(max_length=16, choices=Origin.choices)
    task = models.CharField(max_length=16, choices=Task.choices, default=Task.TEXT)
    about = models.TextField(blank=True)
    files = models.JSONField(default=list)
    """The manifest: path, sha256 and size of every file."""
    config = models.JSONField(default=dict)
    """The model's own config.json."""
    architecture = models.CharField(max_length=128, blank=True)
    """The class that the config names. Like the size it is told once more here: lists read neither config nor files."""
    size = models.BigIntegerField(default=0)
    """Bytes of all files."""
    parameters = models.BigIntegerField(default=0)
    active_parameters = models.BigIntegerField(null=True)
    """What one token passes through, where the model has experts."""
    dtype = models.CharField(max_length=32, blank=True)
    quantization = models.CharField(max_length=32, blank=True)
    """Like “gptq 4-bit”; empty for weights as they were trained."""
    source = models.CharField(max_length=1200, blank=True)
    """Where an imported one comes from: `hf:Qwen/Qwen3-0.6B@` and the commit."""
    left_out = models.JSONField(default=list)
    """Files that lay there and did not come into the hub."""
    context_length = models.PositiveIntegerField(default=0)
    license = models.CharField(max_length=64, blank=True)
    base = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_model_per_name")]
        indexes = [
            models.Index(fields=["team", "-created_at", "-id"], name="model_newest_first"),
            models.Index(fields=["team", "architecture"], name="model_architecture"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:  # Any: Django's own
        """Raises Fault model.not_safetensors: this is every model's way into the hub."""
        require_safetensors(file.path for file in self.manifest)
        self.size = sum(file.size for file in self.manifest)
        self.architecture = _architecture(self.config)
        super().save(*args, **kwargs)

    @property
    def manifest(self) -> tuple[FileRef, ...]:
        return FILES.validate_python(self.files)

    @property
    def has_weights(self) -> bool:
        return any(file.path.endswith(".safetensors") for file in self.manifest)

    @property
    def is_adapter(self) -> bool:
        """Whether it is an adapter alone, which a worker merges into its base when it loads it."""
        return is_adapter(self.manifest)

    @property
    def has_adapter(self) -> bool:
        """Whether the adapter it was merged from is among its files."""
        return bool(of_model(self.manifest, "adapter"))

    def ancestors(self) -> list["Model"]:
        """Its base, that one's base and so on: the model that everything began with stands last."""
        found: list[Model] = []
        ancestor = self.base
        while ancestor is not None and ancestor not in found:
            found.append(ancestor)
            ancestor = ancestor.base
        return found

    def ref(self) -> ModelRef:
        """An adapter brings its base's files along, as far as it has none of the same name."""
        task = Model.Task(self.task).value
        own = {file.path for file in self.manifest}
        beside = [f for f in self.base.manifest if f.path not in own] if self.is_adapter and self.base else []
        return ModelRef(name=self.name, files=(*beside, *self.manifest), parameters=self.parameters, task=task)


def _architecture(config: dict[str, Any]) -> str:  # Any: JSON
    names = config.get("architectures") or [config.get("model_type", "")]
    return str(names[0])[:128]


def new_import_id() -> str:
    return new_id("imp")


class Import(Owned):
    """A model on its way into the hub. `begin` makes it, a supervisor carries it out, whoever watches reads it."""

    class Kind(models.TextChoices):
        HUB = "hub"
        FOLDER = "folder"
        UPLOAD = "upload"

    class State(models.TextChoices):
        UPLOADING = "uploading"
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.CharField(max_length=64, primary_key=True, default=new_import_id, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    name = models.CharField(max_length=256)
    """What the model will be called."""
    kind = models.CharField(max_length=16, choices=Kind.choices)
    place = models.CharField(max_length=1024, blank=True)
    """ORGANISATION/NAME of a hub, or a folder of the server."""
    revision = models.CharField(max_length=256, blank=True)
    """As it was asked for: a branch, a tag or a commit."""
    commit = models.CharField(max_length=64, blank=True)
    """What the revision was when the import began. Every file is taken from it."""
    token = models.ForeignKey("evaluators.Secret", null=True, on_delete=models.SET_NULL, related_name="+")
    """The team's secret that is shown to the hub."""
    left_out = models.JSONField(default=list)
    """Files that were there and are none of a model's."""

    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    fault = models.JSONField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    """Who holds it: a process whose number is older has lost it, and whatever it does comes to nothing."""
    failures = models.PositiveIntegerField(default=0)
    """Attempts in a row that brought no file."""
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=timezone.now)
    bytes_done = models.BigIntegerField(default=0)
    bytes_total = models.BigIntegerField(default=0)
    model = models.ForeignKey(Model, null=True, on_delete=models.SET_NULL, related_name="imports")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["due_at"], condition=Q(state__in=("queued", "running")), name="import_due")]

    def __str__(self) -> str:
        return self.id

    @property
    def has_ended(self) -> bool:
        return self.state in (self.State.SUCCEEDED, self.State.FAILED, self.State.CANCELLED)

    @property
    def fault_report(self) -> FaultReport | None:
        return FaultReport.model_validate(self.fault) if self.fault else None

    @property
    def source(self) -> str:
        """Where it comes from, in one word: `hf:Qwen/Qwen3-0.6B@main`."""
        if self.kind == self.Kind.UPLOAD:
            return "upload"
        if self.kind == self.Kind.FOLDER:
            return f"folder:{self.place}"
        return f"hf:{self.place}@{self.commit or self.revision or 'main'}"


class ImportFile(models.Model):
    """One file of an import: announced, then stored."""

    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=512)
    size = models.BigIntegerField()
    expected = models.CharField(max_length=64, blank=True)
    """The SHA-256 that its source told, if it told one."""
    sha256 = models.CharField(max_length=64, blank=True)
    """Of what was stored. Empty until then."""
    tensors = models.JSONField(null=True)
    """Of weights: each tensor's type and shape, as the header that was stored says."""

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["of", "path"], name="one_import_file_per_path")]

    def __str__(self) -> str:
        return self.path
