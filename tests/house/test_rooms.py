"""The walls between the rooms, seen from fresh interpreters, as a user's commands would start them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = sorted(f"contracts.{path.stem}" for path in (ROOT / "contracts").glob("*.py") if path.stem != "__init__")
WORKER = {
    "WHETSTONE_URL": "http://127.0.0.1:8000",
    "WHETSTONE_WORKER_TOKEN": "a-token",
    "WHETSTONE_BROKER_URL": "memory://",
}
KOMBU_TAKES = {"django.utils", "django.utils.functional", "django.utils.regex_helper", "django.utils.version"}


def printed_by(code: str, **environment: str) -> str:
    """What a fresh interpreter at the root of the repository prints."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
    ).stdout.strip()


def loaded_after(code: str, **environment: str) -> set[str]:
    """Every module and package that a fresh interpreter has imported after the code ran."""
    tell = "import json, sys; print(); print(json.dumps(sorted(sys.modules)))"
    return set(json.loads(printed_by(f"{code}\n{tell}", **environment).splitlines()[-1]))


def test_import_platform_finds_the_standard_library() -> None:
    found = printed_by("import celery, platform; print(platform.__file__)")
    assert Path(found) == Path(os.__file__).with_name("platform.py")


def test_import_platform_finds_the_standard_library_beside_manage_py() -> None:
    code = (
        "import sys; sys.path.insert(0, 'platform'); sys.path.insert(0, ''); import platform; print(platform.system())"
    )
    assert printed_by(code) == os.uname().sysname


@pytest.mark.parametrize("pattern", ["__init__.py*", "conftest.py", "test_*.py", "*_test.py", "*.py"])
def test_platform_is_a_bare_source_root(pattern: str) -> None:
    assert list((ROOT / "platform").glob(pattern)) == []


def test_platform_holds_one_package() -> None:
    folders = {path.name for path in (ROOT / "platform").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {"whetstone"}


def test_no_test_folder_hides_the_standard_library() -> None:
    assert not (ROOT / "tests" / "platform").exists()


def test_the_tests_of_a_room_do_not_hide_the_room() -> None:
    """Without this file pytest takes tests/trainer_worker for trainer_worker."""
    assert (ROOT / "tests" / "__init__.py").exists()


def test_a_worker_does_not_import_django_whatever_its_environment_says(tmp_path: Path) -> None:
    environment = {**WORKER, "WHETSTONE_SCRATCH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "whetstone.settings"}
    loaded = loaded_after("from trainer_worker.app import app; app.finalize(); app.tasks", **environment)
    assert "celery" in loaded
    # Where Django is installed kombu takes one class from django.utils, for its JSON, and no more.
    assert {name for name in loaded if name.startswith("django.")} <= KOMBU_TAKES
    assert loaded.isdisjoint({"whetstone", "psycopg2"})


def test_a_worker_waits_for_work_without_torch(tmp_path: Path) -> None:
    loaded = loaded_after("import trainer_worker.app", **WORKER, WHETSTONE_SCRATCH=str(tmp_path))
    assert loaded.isdisjoint({"torch", "transformers", "trl"})


def test_the_web_process_does_not_import_torch(tmp_path: Path) -> None:
    code = "from whetstone.asgi import application; from django.urls import get_resolver; get_resolver().url_patterns"
    loaded = loaded_after(code, WHETSTONE_HOME=str(tmp_path))
    assert "django" in loaded
    assert loaded.isdisjoint({"torch", "transformers", "trl", "peft", "accelerate", "trainer_worker"})


@pytest.mark.parametrize("module", CONTRACTS)
def test_a_contract_needs_pydantic_alone(module: str) -> None:
    loaded = loaded_after(f"import {module}")
    assert loaded.isdisjoint({"django", "torch", "transformers", "celery", "httpx", "whetstone", "trainer_worker"})


def test_the_graders_need_neither_django_nor_torch() -> None:
    loaded = loaded_after("import graders, graders.schema")
    assert loaded.isdisjoint({"django", "torch", "celery", "contracts", "whetstone", "trainer_worker"})
