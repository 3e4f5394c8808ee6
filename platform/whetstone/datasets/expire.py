"""Files that were uploaded for a time, when it is over."""

import logging

from django.db.models import ProtectedError
from django.utils import timezone

from whetstone.datasets.delete import delete_version
from whetstone.datasets.models import DatasetVersion

log = logging.getLogger(__name__)


def delete_expired_files() -> None:
    """One that a job refers to stays: the job could not be understood without it."""
    for version in DatasetVersion.objects.filter(expires_at__lt=timezone.now()).select_related("dataset"):
        try:
            delete_version(version)
        except ProtectedError:
            continue
        log.info("file=%s has expired", version.id)
