"""Finding a dataset version: by its id (file-…), `name@2`, or `name` for the newest."""

from django.db.models import QuerySet

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.datasets.models import DatasetVersion
from whetstone.lookup import Lookup


def _versions(team: int) -> QuerySet[DatasetVersion]:
    return owned(DatasetVersion, team).select_related("dataset", "blob")


BY_ID = Lookup(lambda team, ref: _versions(team).filter(id=ref).order_by())
BY_NUMBER = Lookup(lambda team, name, number: _versions(team).filter(dataset__name=name, number=number).order_by())
NEWEST = Lookup(lambda team, name: _versions(team).filter(dataset__name=name).order_by("-number")[:1])


def find_version(team: Team, ref: str, param: str = "training_file") -> DatasetVersion:
    """Raises Fault dataset.not_found."""
    version = BY_ID.first(team.pk, ref)
    name, at, number = ref.rpartition("@")
    if version is None and at and number.isdecimal() and len(number) < 10:
        version = BY_NUMBER.first(team.pk, name, int(number))
    version = version or NEWEST.first(team.pk, ref)
    if version is None:
        raise Fault("dataset.not_found", field=param, dataset=ref)
    return version
