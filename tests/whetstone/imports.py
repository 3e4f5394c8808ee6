"""Models that come into the hub, in this process: begun, carried out, and what became of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests.whetstone.factories import make_team, make_user
from tests.whetstone.hub import ModelHub, serving_models
from tests.whetstone.model_files import make_folder
from whetstone.accounts.scope import owned
from whetstone.modelhub import carry
from whetstone.modelhub.begin import from_folder, from_hub
from whetstone.modelhub.models import Import, Model


@pytest.fixture
def roots(tmp_path: Path, settings: Settings) -> Path:
    """A folder that models may be taken from."""
    found = tmp_path / "models"
    found.mkdir()
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"model_folders": str(found), "min_free_gb": 0})
    return found


@pytest.fixture
def hub(tmp_path: Path, settings: Settings) -> Iterator[ModelHub]:
    with serving_models(make_folder(tmp_path / "there")) as found:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"hf_endpoint": found.url, "min_free_gb": 0})
        yield found


def imported(folder: Path, name: str = "") -> Import:
    """What became of a folder of the server."""
    return carried(from_folder(make_user(), make_team(), str(folder), name=name))


def fetched(**about: Any) -> Import:
    return carried(from_hub(make_user(), make_team(), "org/tiny", **about))


def carried(one: Import) -> Import:
    carry.carry_out_one()
    return now(one)


def now(one: Import) -> Import:
    return owned(Import, one.team).select_related("model").get(id=one.id)


def code(one: Import) -> str:
    report = one.fault_report
    return report.code if report else ""


def model_of(one: Import) -> Model:
    assert one.model is not None, one.fault
    return one.model
