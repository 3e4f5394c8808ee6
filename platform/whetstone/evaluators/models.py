"""Saved graders, in numbered versions that never change."""

from typing import Any, Self

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2.extras import Json
from pydantic import TypeAdapter

from graders.schema import Grader
from whetstone.accounts.models import Owned, Team, User
from whetstone.evaluators.seal import seal, unseal

GRADER: TypeAdapter[Grader] = TypeAdapter(Grader)


class Evaluator(Owned):
    """A grader under a name."""

    name = models.CharField(max_length=128)
    last_number = models.PositiveIntegerField(default=0)
    """Of the newest version there ever was: the number of a deleted one is not given again."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_evaluator_per_name")]

    def __str__(self) -> str:
        return self.name


class OrderedJSONField(models.JSONField):
    """JSON that comes back in the order in which it was written. PostgreSQL's `jsonb`, Django's choice, sorts keys."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)

    # Any: as Django has it
    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Without Django's cast to `jsonb`."""
        if connection.vendor == "postgresql" and isinstance(value, dict):
            return Json(value)
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        """psycopg2 reads `json` itself, and leaves `jsonb` to Django."""
        return super().from_db_value(value, expression, connection) if isinstance(value, str) else value


class EvaluatorVersion(Owned):
    """One state of an evaluator: what a job pins."""

    evaluator = models.ForeignKey(Evaluator, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = OrderedJSONField()
    """The grader's JSON, its parts in the order in which somebody put them."""
    sha256 = models.CharField(max_length=64)
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["evaluator", "number"], name="one_evaluator_version_per_number")]

    def __str__(self) -> str:
        return f"{self.evaluator.name}@{self.number}"

    @property
    def grader(self) -> Grader:
        return GRADER.validate_python(self.document)


class Secret(Owned):
    """A value that graders and judges refer to by its name. It is written once, and shown to nobody."""

    name = models.CharField(max_length=64)
    sealed = models.TextField()
    """Encrypted with the platform's secret key: a copy of the database alone opens nothing."""
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_secret_per_name")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def make(cls, user: User, team: Team, name: str, value: str) -> Self:
        """A new secret, or a new value for the one of this name."""
        fields = {"sealed": seal(value), "created_by": user}
        return cls.objects.update_or_create(team=team, name=name, defaults=fields)[0]

    @property
    def value(self) -> str:
        """Raises Fault secret.unreadable."""
        return unseal(self.sealed, self.name)


class Judge(Owned):
    """A model behind OpenAI's API, under the name that graders call it by."""

    name = models.CharField(max_length=256)
    base_url = models.URLField(max_length=512)
    """Empty for a model of this platform."""
    model = models.CharField(max_length=256)
    """As its server calls it."""
    key = models.ForeignKey(Secret, null=True, on_delete=models.PROTECT, related_name="judges")
    at_once = models.PositiveIntegerField(default=8)
    max_rps = models.FloatField(null=True)
    prompt_price = models.FloatField(default=0.0)
    """Of a million tokens."""
    completion_price = models.FloatField(default=0.0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_judge_per_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_here(self) -> bool:
        return not self.base_url
