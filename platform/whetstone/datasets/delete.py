"""Deleting a version of a dataset, and with the last one the dataset."""

from django.db import transaction

from whetstone.datasets.models import Dataset, DatasetVersion


@transaction.atomic
def delete_version(version: DatasetVersion) -> None:
    """Raises django.db.models.ProtectedError while a job refers to it."""
    dataset = Dataset.objects.select_for_update().get(id=version.dataset_id)
    version.delete()
    if not dataset.versions.exists():
        dataset.delete()
