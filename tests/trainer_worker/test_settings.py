from pathlib import Path

import pytest

from trainer_worker.settings import Settings

GOOD = {
    "WHETSTONE_URL": "http://127.0.0.1:8000/",
    "WHETSTONE_WORKER_TOKEN": "secret",
    "WHETSTONE_BROKER_URL": "memory://",
    "WHETSTONE_SCRATCH": "/tmp/scratch",
}


def test_the_environment_is_read_with_defaults() -> None:
    settings = Settings.from_environment(GOOD)
    assert settings.url == "http://127.0.0.1:8000"
    assert settings.pool == "cpu"
    assert settings.name.endswith("-cpu")
    assert settings.scratch == Path("/tmp/scratch")


@pytest.mark.parametrize("missing", GOOD)
def test_what_is_missing_is_named_in_a_sentence(missing: str) -> None:
    with pytest.raises(SystemExit, match=f"{missing} is not set. Set it to"):
        Settings.from_environment({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WHETSTONE_URL", "ftp://x"),
        ("WHETSTONE_POOL", "a b"),
        ("WHETSTONE_CACHE_GB", "-1"),
        ("WHETSTONE_IDLE_POLL_S", "x"),
        ("WHETSTONE_LOG", "xml"),
    ],
)
def test_what_is_wrong_is_named_in_a_sentence(name: str, value: str) -> None:
    with pytest.raises(SystemExit, match=f"{name} must"):
        Settings.from_environment(GOOD | {name: value})
