"""Is there room for more? Below a mark nothing new is taken in, so that what runs has room to end."""

import errno
import os
import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError

from contracts.fault import Fault

GB = 1024**3


def free_gb() -> float:
    """Free space where uploads arrive and, when it is a folder here, where the store is: the smaller of the two."""
    return min(shutil.disk_usage(_existing(place)).free for place in (_incoming(), *_store())) / GB


def require_folders() -> None:
    """Raises OSError when no file can be put where uploads arrive, or where the store is."""
    for folder in (_incoming(), *map(_existing, _store())):
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is no folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} cannot be written to")


def _incoming() -> Path:
    return Path(settings.FILE_UPLOAD_TEMP_DIR)


def _store() -> list[Path]:
    """The store's folder, when it is one on this machine."""
    return [Path(default_storage.location)] if isinstance(default_storage, FileSystemStorage) else []


def _existing(place: Path) -> Path:
    """The folder, or the nearest one above it: the store's is made with the first file."""
    return next(folder for folder in (place, *place.parents) if folder.exists())


def is_full(error: BaseException) -> bool:
    """Whether this says that a disk had no room left, the store's or the database's."""
    if isinstance(error, DatabaseError):
        return "disk is full" in str(error) or "No space left on device" in str(error)
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def is_low() -> bool:
    return free_gb() < settings.ENVIRONMENT.min_free_gb


def require_room() -> None:
    """Raises Fault platform.disk_low when nothing new may be taken in."""
    if is_low():
        raise Fault("platform.disk_low", free_gb=round(free_gb(), 1), least_gb=settings.ENVIRONMENT.min_free_gb)
