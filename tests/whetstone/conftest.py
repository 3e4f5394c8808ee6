"""Every test of the platform has a database and an artifact store of its own."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings


@pytest.fixture(autouse=True)
def home(db: None, tmp_path: Path, settings: Settings) -> Path:
    """A fresh home: artifacts, uploads and caches of this test alone."""
    (tmp_path / "incoming").mkdir()
    settings.HOME = tmp_path
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "incoming")
    store = settings.STORAGES["default"]
    here = store | {"OPTIONS": store["OPTIONS"] | {"location": str(tmp_path / "artifacts")}}
    settings.STORAGES = settings.STORAGES | {"default": here}
    assert str(tmp_path) in default_storage.path("probe")
    return tmp_path
