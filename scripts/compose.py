"""docker-compose.yml, read as Docker Compose reads it: as much of that as our own file uses."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<rest>[^}]*))?\})")


@dataclass(frozen=True)
class Service:
    """One service, with every variable filled in."""

    name: str
    command: list[str]
    environment: dict[str, str]
    volumes: dict[str, str]
    """Where a volume lies -> its name, or "" for one that each container has alone."""
    healthcheck: list[str]
    stop_grace_s: int
    """How long it may take to stop before it is killed."""
    depends_on: dict[str, str]
    """Service -> its condition."""


def read_services(variables: Mapping[str, str], path: Path = ROOT / "docker-compose.yml") -> dict[str, Service]:
    """The services in an order in which they can be started.

    Raises:
        KeyError: naming a variable that must be set.
    """
    document = yaml.safe_load(path.read_text())
    services = {
        name: _service(name, _fill_in(block, variables), variables) for name, block in document["services"].items()
    }
    order = TopologicalSorter({name: service.depends_on for name, service in services.items()}).static_order()
    return {name: services[name] for name in order}


def names_of_variables(text: str) -> set[str]:
    """Every variable that a file of Compose's leaves to `.env`."""
    asked = {match["name"] for match in VARIABLE.finditer(text) if match["name"]}
    return asked | set(re.findall(r"^\s+([A-Z][A-Z0-9_]+):\s*$", text, re.MULTILINE))


def _service(name: str, block: dict[str, Any], variables: Mapping[str, str]) -> Service:
    environment = {
        key: variables.get(key) if value is None else str(value) for key, value in block.get("environment", {}).items()
    }
    return Service(
        name=name,
        command=shlex.split(block.get("command", "")),
        environment={key: value for key, value in environment.items() if value is not None},
        volumes=dict(map(_volume, block.get("volumes", []))),
        stop_grace_s=int(block.get("stop_grace_period", "10s").removesuffix("s")),
        healthcheck=block.get("healthcheck", {}).get("test", []),
        depends_on={other: wait["condition"] for other, wait in block.get("depends_on", {}).items()},
    )


def _volume(text: str) -> tuple[str, str]:
    name, _, place = text.rpartition(":")
    return place, name


def _fill_in(value: Any, variables: Mapping[str, str]) -> Any:  # Any: a piece of YAML
    match value:
        case str():
            return VARIABLE.sub(lambda found: _value(found, variables), value)
        case dict():
            return {key: _fill_in(item, variables) for key, item in value.items()}
        case list():
            return [_fill_in(item, variables) for item in value]
    return value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    if value := variables.get(found["name"]):
        return value
    if found["how"] == ":?":
        raise KeyError(f"{found['name']}: {found['rest']}")
    return found["rest"] or ""


def replicas(count: int) -> Iterator[str]:
    """Suffixes for the containers of one service: nothing for a single one."""
    yield from [""] if count == 1 else (f"-{number}" for number in range(1, count + 1))
