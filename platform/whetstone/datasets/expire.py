"""Files that were uploaded for a time, when it is over."""

import logging

from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

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


def overdue(version: DatasetVersion) -> str | None:
    """Why a file whose time is over is still there."""
    if version.expires_at is None or version.expires_at > timezone.now():
        return None
    if version.jobs.exists() or version.validated_jobs.exists():
        return _("Its time is over, and it stays: jobs refer to it.")
    return _("Its time is over: it will be deleted within minutes.")
