"""People, their teams, and the keys their scripts use."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who logs in."""

    language = models.CharField(max_length=16, blank=True, default="")


class Team(models.Model):
    """Owner of everything: people see what belongs to their team."""

    name = models.CharField(max_length=128)
    slug = models.SlugField(max_length=64, unique=True)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_membership_per_team")]


class Owned(models.Model):
    """What belongs to a team. Read it through `accounts.scope.owned`."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class Scope(models.TextChoices):
    """What a key may be used for. None of them holds another; `api.scopes` says which route asks for which."""

    READ = "read", _("Read")
    JOBS = "jobs", _("Jobs")
    FILES = "files", _("Files")
    ADMIN = "admin", _("Administration")


def every_scope() -> list[str]:
    return [*Scope.values]


class ApiKey(Owned):
    """A key for scripts. Only its hash is kept: the key itself is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=128, blank=True)
    hash = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=16)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    scopes = models.JSONField(default=every_scope)
    expires_at = models.DateTimeField(null=True)
    """Without it the key is good until it is revoked."""

    @classmethod
    def make(
        cls,
        user: User,
        team: Team,
        name: str = "",
        *,
        scopes: Sequence[str] = tuple(Scope.values),
        expires_at: datetime | None = None,
    ) -> tuple[Self, str]:
        """A new key, as a record and as the text that is shown once."""
        text = f"wk-{secrets.token_urlsafe(32)}"
        about = {"name": name, "hint": f"{text[:6]}…{text[-4:]}", "expires_at": expires_at}
        held = [scope for scope in Scope.values if scope in scopes]
        return cls.objects.create(user=user, team=team, hash=hash_of(text), scopes=held, **about), text

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def scope_labels(self) -> list[str]:
        return [str(Scope(scope).label) for scope in self.scopes]

    def revoke(self) -> None:
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])

    def touch(self) -> None:
        """Remember that the key was used, at most once a minute."""
        now = timezone.now()
        if self.last_used_at is None or (now - self.last_used_at).total_seconds() > 60:
            self.last_used_at = now
            self.save(update_fields=["last_used_at"])


class Replay(Owned):
    """A request that was sent with an `Idempotency-Key`, and what it was answered once it was. See `replays`."""

    who = models.CharField(max_length=64)
    """Whose word for this request it is: one key's, or one person's."""
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    """Hash of all that was sent."""
    status = models.PositiveSmallIntegerField(null=True)
    """None while it is still being answered."""
    answer = models.TextField(blank=True)
    """Sealed: some answers show a secret, once."""
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "who", "key"], name="one_replay_per_key")]


def hash_of(token: str) -> str:
    """What is stored of a random token: SHA-256, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()
