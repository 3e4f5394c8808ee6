"""The hub's list, narrowed down. It reads neither configs nor files: a thousand models take no longer than ten."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.modelhub.models import Model


@dataclass(frozen=True)
class Search:
    """What is looked for. Empty is everything."""

    text: str = ""
    """In the name, the licence or where it comes from."""
    origin: str = ""
    architecture: str = ""

    def models(self, team: Team) -> QuerySet[Model]:
        found = owned(Model, team).select_related("base").defer("files", "config", "base__files", "base__config")
        for word in self.text.split()[:8]:
            found = found.filter(Q(name__icontains=word) | Q(source__icontains=word) | Q(license__icontains=word))
        if self.origin:
            found = found.filter(origin=self.origin)
        return found.filter(architecture=self.architecture) if self.architecture else found


def architectures(team: Team) -> list[str]:
    names = owned(Model, team).exclude(architecture="").order_by("architecture").values_list("architecture", flat=True)
    return list(names.distinct())
