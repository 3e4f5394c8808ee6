"""Finding a dataset version: by its id (file-…), `name@2`, or `name` for the newest."""

from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.datasets.models import DatasetVersion


def find_version(team: Team, ref: str, param: str = "training_file") -> DatasetVersion:
    """Raises Fault dataset.not_found."""
    versions = owned(DatasetVersion, team).select_related("dataset", "blob")
    version = versions.filter(id=ref).first()
    name, at, number = ref.rpartition("@")
    if version is None and at and number.isdecimal() and len(number) < 10:
        version = versions.filter(dataset__name=name, number=int(number)).first()
    if version is None:
        version = versions.filter(dataset__name=ref).order_by("-number").first()
    if version is None:
        raise Fault("dataset.not_found", field=param, dataset=ref)
    return version
