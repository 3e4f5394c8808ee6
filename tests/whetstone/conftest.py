"""Every test of the platform has a database and an artifact store of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from tests.whetstone.conformance import ConformanceMiddleware
from whetstone.api import rate
from whetstone.api.counters import InMemory
from whetstone.web.templatetags import whetstone as tags


@pytest.fixture(autouse=True)
def home(db: None, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home: artifacts, uploads and counters of this test alone."""
    (tmp_path / "incoming").mkdir()
    settings.HOME = tmp_path
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "incoming")
    store = settings.STORAGES["default"]
    here = store | {"OPTIONS": store["OPTIONS"] | {"location": str(tmp_path / "artifacts")}}
    settings.STORAGES = settings.STORAGES | {"default": here}
    assert str(tmp_path) in default_storage.path("probe")
    monkeypatch.setattr(rate, "counts", InMemory(2 * rate.WINDOW_S))
    return tmp_path


@pytest.fixture(autouse=True)
def conformance(settings: Settings) -> Iterator[None]:
    """What the API answers in a test is what its document says."""
    settings.MIDDLEWARE = [f"{ConformanceMiddleware.__module__}.{ConformanceMiddleware.__name__}", *settings.MIDDLEWARE]
    ConformanceMiddleware.problems.clear()
    yield
    assert ConformanceMiddleware.problems == []


@pytest.fixture(autouse=True)
def frontend(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[None]:
    """Pages are rendered whether or not this checkout's frontend is built."""
    dist = tmp_path_factory.mktemp("dist")
    (dist / ".vite").mkdir(parents=True)
    entry = {"file": "assets/main-1.js", "css": ["assets/main-1.css"]}
    (dist / ".vite" / "manifest.json").write_text(json.dumps({"src/main.ts": entry}))
    settings.STATICFILES_DIRS = [str(dist)]
    tags._manifest.cache_clear()
    yield
    tags._manifest.cache_clear()
