"""What is in the repository is for everybody: no machine's paths, no registry's host, every command explained."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|work|mnt)/[\w.-]+")
# Users' own folders of the container images, made by the Dockerfile.
OURS = re.compile(r"/home/whetstone\b")
REGISTRY = re.compile(r"extra-index-url|find-links|trusted-host|--index-url|_authToken", re.IGNORECASE)


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows, or would take, by pattern."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [path for name in names if (path := ROOT / name).is_file() and path != Path(__file__)]


def text_of(path: Path) -> str:
    """The file's text; of a picture or another binary file, nothing."""
    raw = path.read_bytes()
    return "" if b"\0" in raw else raw.decode()


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        for match in MACHINE_PATH.finditer(OURS.sub("", text_of(path)))
    ]
    assert found == []


def test_no_file_says_where_packages_come_from() -> None:
    configuration = tracked("*.toml", "*.txt", "Makefile", "scripts/*", ".ci/*", "*.yml", "*.yaml", "*.json", ".npmrc")
    assert [str(path.relative_to(ROOT)) for path in configuration if REGISTRY.search(text_of(path))] == []


def test_the_frontends_lock_names_no_host() -> None:
    assert '"resolved"' not in (ROOT / "frontend" / "package-lock.json").read_text()


def test_the_frontends_lock_knows_the_packages_of_every_kind_of_machine() -> None:
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    wanted = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    assert wanted
    assert [name for name in sorted(wanted) if f"node_modules/{name}" not in packages] == []


@pytest.mark.parametrize("target", re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split())
def test_make_help_explains(target: str) -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert re.search(rf"^  make {target} +\S+", listed, re.MULTILINE)


def test_every_requirement_is_locked_to_one_version() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    locks = [line for line in lines if not line.startswith("#")]
    assert [line for line in locks if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][\w.]*", line)] == []
    locked = {_plain(line.split("==")[0]) for line in locks}
    assert _required() - locked == set()


def test_torch_is_locked_for_every_build_of_it() -> None:
    text = (ROOT / "constraints.txt").read_text()
    assert re.search(r"^torch==2\.13\.0$", text, re.MULTILINE)
    assert not re.search(r"^(nvidia|cuda|triton)", text, re.MULTILINE)


def _required() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [project["dependencies"], *project["optional-dependencies"].values()]
    return {_plain(re.split(r"[\[<>=;~! ]", line)[0]) for group in wanted for line in group}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
