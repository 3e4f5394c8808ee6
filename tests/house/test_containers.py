"""The containers, as far as they can be judged where no Docker engine runs."""

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.compose import names_of_variables, read_services
from trainer_worker.settings import Settings
from trainer_worker.worker import LAST_MOMENTS_S
from whetstone.environment import Environment

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
GPU = ROOT / "docker-compose.gpu.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
WORKER = Settings(url="", token="", broker_url="", name="", pool="", scratch=Path(), cache_gb=1, idle_poll_s=1)
SECRETS = {
    "POSTGRES_PASSWORD": "p",
    "REDIS_PASSWORD": "r",
    "WHETSTONE_SECRET_KEY": "s",
    "WHETSTONE_WORKER_TOKEN": "w",
}


def stage(name: str) -> str:
    """The lines of one stage of the Dockerfile."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def copied_into(name: str) -> set[str]:
    lines = re.findall(r"^COPY (?!--from)(.*) \S+$", stage(name), re.MULTILINE)
    return {source for line in lines for source in line.split()}


def packages_behind(extra: str) -> set[str]:
    """Names of all packages that whetstone[extra] brings with it."""
    found: set[str] = set()
    waiting = [("whetstone", frozenset({extra}))]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        found.add(name)
        for line in distribution(name).requires or []:
            wanted = Requirement(line)
            if wanted.marker and not any(wanted.marker.evaluate({"extra": e}) for e in extras | {""}):
                continue
            step = (canonicalize_name(wanted.name), frozenset(wanted.extras))
            if step not in seen:
                seen.add(step)
                waiting.append(step)
    return found


def known_to_the_platform() -> set[str]:
    fields = Environment.model_fields.items()
    return {str(field.validation_alias or f"WHETSTONE_{name.upper()}") for name, field in fields}


def known_to_the_worker() -> set[str]:
    return set(re.findall(r'"(WHETSTONE_[A-Z_]+)"', (ROOT / "trainer_worker" / "settings.py").read_text()))


@pytest.mark.parametrize("path", [COMPOSE, GPU])
def test_compose_builds_stages_that_the_dockerfile_has(path: Path) -> None:
    services = yaml.safe_load(path.read_text())["services"].values()
    targets = {service["build"]["target"] for service in services if "build" in service}
    assert targets <= set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))


@pytest.mark.parametrize("target", ["web", "worker"])
def test_an_image_runs_as_nobody_special(target: str) -> None:
    assert re.search(r"^USER whetstone$", stage(target), re.MULTILINE)


@pytest.mark.parametrize("target", ["base", "web", "worker", "frontend"])
def test_an_image_copies_what_exists(target: str) -> None:
    assert [source for source in copied_into(target) if not (ROOT / source).exists()] == []


def test_what_the_images_copy_is_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source.split("/")[0] for target in ("base", "web", "worker", "frontend") for source in copied_into(target)
    }
    assert copied == allowed


def test_the_web_image_has_no_torch_and_the_worker_image_no_django() -> None:
    assert copied_into("web") & copied_into("worker") == {"contracts", "graders"}
    assert "'.[web]'" in stage("web")
    assert "'.[worker]'" in stage("worker")
    assert packages_behind("web").isdisjoint({"torch", "transformers", "trl"})
    assert packages_behind("worker").isdisjoint({"django", "django-ninja", "psycopg2-binary"})
    assert {"django", "psycopg2-binary"} <= packages_behind("web")
    assert {"torch", "trl"} <= packages_behind("worker")


@pytest.mark.parametrize("name", ["migrate", "web", "supervisor"])
def test_the_platform_knows_what_compose_tells_it(name: str) -> None:
    told = set(yaml.safe_load(COMPOSE.read_text())["services"][name]["environment"])
    libraries = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "WEB_CONCURRENCY"}  # uvicorn reads the last
    assert told - libraries == known_to_the_platform() - {"WHETSTONE_DEBUG"}


def test_the_worker_knows_what_compose_tells_it() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    told = set(services["worker"]["environment"])
    for_engines = set(services["engine"]["environment"])
    # each of several has a name of its own
    assert told | for_engines == known_to_the_worker() - {"WHETSTONE_WORKER_NAME"}
    assert set(yaml.safe_load(GPU.read_text())["services"]["worker"]["environment"]) <= told


def test_every_setting_is_explained_to_the_operator() -> None:
    guide = (ROOT / "docs" / "guides" / "operating.md").read_text()
    settings = known_to_the_platform() | known_to_the_worker()
    assert [name for name in sorted(settings) if f"`{name}`" not in guide] == []


def test_a_worker_is_given_the_time_that_it_takes_to_stop() -> None:
    given = read_services(SECRETS)["worker"].stop_grace_s
    assert given > WORKER.drain_s + LAST_MOMENTS_S
    assert read_services(SECRETS | {"WHETSTONE_GRACE_S": "600"})["worker"].stop_grace_s == 600


def test_a_web_process_is_given_the_time_to_answer_what_it_has_begun() -> None:
    web = read_services(SECRETS)["web"]
    graceful = int(web.command[web.command.index("--timeout-graceful-shutdown") + 1])
    assert web.stop_grace_s > graceful


def test_the_example_environment_explains_what_compose_asks_for() -> None:
    explained = re.findall(r"^(?:# )?([A-Z_0-9]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    optional = {"POSTGRES_USER", "POSTGRES_DB"}  # their defaults are good everywhere
    assert set(explained) | optional == names_of_variables(COMPOSE.read_text() + GPU.read_text())


@pytest.mark.parametrize("missing", SECRETS)
def test_compose_starts_nothing_without_a_secret(missing: str) -> None:
    given = {name: value for name, value in SECRETS.items() if name != missing}
    with pytest.raises(KeyError, match=missing):
        read_services(given)


def test_services_come_in_an_order_in_which_they_can_start() -> None:
    names = list(read_services(SECRETS))
    assert names.index("postgres") < names.index("migrate") < names.index("web") < names.index("worker")
    assert names.index("redis") < names.index("supervisor")


def test_the_broker_forgets_nothing_and_asks_for_a_password() -> None:
    services = read_services(SECRETS)
    command = " ".join(services["redis"].command)
    assert "--requirepass r " in command
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert services["worker"].environment["WHETSTONE_BROKER_URL"] == "redis://:r@redis:6379/0"


def test_a_setting_that_nobody_made_is_not_passed_on() -> None:
    assert "WHETSTONE_LEASE_S" not in read_services(SECRETS)["web"].environment
    assert read_services(SECRETS | {"WHETSTONE_LEASE_S": "20"})["web"].environment["WHETSTONE_LEASE_S"] == "20"
