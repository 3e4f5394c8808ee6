"""Conversations with models, which a team reads together."""

from django.db import models

from whetstone.accounts.ids import new_id
from whetstone.accounts.models import Owned, User
from whetstone.conversations.thread import Thread


def new_conversation_id() -> str:
    return new_id("conv")


class Conversation(Owned):
    """One thread under a title. Everybody of the team may read it and go on with it."""

    id = models.CharField(max_length=64, primary_key=True, default=new_conversation_id, editable=False)
    title = models.CharField(max_length=200)
    document = models.JSONField()
    """A `Thread`."""
    revision = models.PositiveIntegerField(default=1)
    """Counts the changes: who writes says which one he has read."""
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-changed_at", "-id"]
        indexes = [models.Index(fields=["team", "-changed_at"], name="conversation_newest")]

    def __str__(self) -> str:
        return self.title

    @property
    def thread(self) -> Thread:
        return Thread.model_validate(self.document)
