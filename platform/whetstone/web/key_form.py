"""What a person says of a key that is to be made."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from whetstone.accounts.models import Scope

ABOUT = {
    Scope.READ: _("See jobs, files, models and evaluators, and watch jobs."),
    Scope.JOBS: _("Create and stop jobs, save and run evaluators, keep and delete models."),
    Scope.FILES: _("Upload, map, split and delete files."),
    Scope.ADMIN: _("Judges, secrets and keys, and what is shared with others."),
}
DAYS = [("30", _("30 days")), ("90", _("90 days")), ("365", _("a year")), ("", _("until it is revoked"))]


class KeyForm(forms.Form):
    """A new key. The page draws it by itself."""

    name = forms.CharField(max_length=128)
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=[Scope.READ, Scope.JOBS, Scope.FILES],
        error_messages={"required": _("Choose at least one: a key without a scope opens nothing.")},
    )
    days = forms.TypedChoiceField(choices=DAYS, coerce=int, empty_value=None, required=False, initial="90")

    def facts(self) -> dict[str, Any]:
        """What `ApiKey.make` takes."""
        days = self.cleaned_data["days"]
        expires_at = timezone.now() + timedelta(days=days) if days else None
        return {"name": self.cleaned_data["name"], "scopes": self.cleaned_data["scopes"], "expires_at": expires_at}

    def offered(self) -> list[tuple[Scope, Any, bool]]:
        """Each scope, what it is for, and whether it is ticked."""
        ticked = self["scopes"].value() or []
        return [(scope, ABOUT[scope], scope in ticked) for scope in Scope]
