"""The model hub: what a job can start from, and what came out of one."""

from typing import Any

from django.db import models
from pydantic import TypeAdapter

from contracts.job import FileRef, ModelRef
from contracts.weights import require_safetensors
from whetstone.accounts.models import Owned, User
from whetstone.modelhub.parts import of_model

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
    parameters = models.BigIntegerField(default=0)
    context_length = models.PositiveIntegerField(default=0)
    license = models.CharField(max_length=64, blank=True)
    base = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_model_per_name")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:  # Any: Django's own
        """Raises Fault model.not_safetensors: this is every model's way into the hub."""
        require_safetensors(file.path for file in self.manifest)
        super().save(*args, **kwargs)

    @property
    def manifest(self) -> tuple[FileRef, ...]:
        return FILES.validate_python(self.files)

    @property
    def has_weights(self) -> bool:
        return any(file.path.endswith(".safetensors") for file in self.manifest)

    @property
    def has_adapter(self) -> bool:
        """Whether the adapter it was merged from is among its files."""
        return bool(of_model(self.manifest, "adapter"))

    @property
    def architecture(self) -> str:
        names = self.config.get("architectures") or [self.config.get("model_type", "")]
        return str(names[0])

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.manifest)

    def ancestors(self) -> list["Model"]:
        """Its base, that one's base and so on: the model that everything began with stands last."""
        found: list[Model] = []
        ancestor = self.base
        while ancestor is not None and ancestor not in found:
            found.append(ancestor)
            ancestor = ancestor.base
        return found

    def ref(self) -> ModelRef:
        task = Model.Task(self.task).value
        return ModelRef(name=self.name, files=self.manifest, parameters=self.parameters, task=task)
