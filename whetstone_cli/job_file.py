"""`job.yaml`: the API's own JSON, with files of this machine where the API wants names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from whetstone_cli import documents
from whetstone_cli.api import Api, Json
from whetstone_cli.datasets import held_version, require_rows
from whetstone_cli.datasets import push as push_dataset
from whetstone_cli.ends import refuse
from whetstone_cli.evaluators import push as push_evaluator
from whetstone_cli.say import note

LOCAL = "file:"
Graded = Callable[[dict[str, Any]], dict[str, Any]]  # Any: JSON
"""Of a method's block, what it is with its evaluator on the platform."""


def read_job(file: Path, changes: list[str]) -> dict[str, Any]:  # Any: JSON
    """The document with `--set`'s changes. Raises Ended."""
    document = documents.read(file)
    if not isinstance(document, dict):
        raise refuse(f"{file} holds no job.", "Write the body of POST /v1/fine_tuning/jobs, as YAML or JSON.")
    for change in changes:
        _set(document, change)
    return document


def _set(document: dict[str, Any], change: str) -> None:
    path, equals, text = change.partition("=")
    if not path or not equals:
        raise refuse(f"--set {change}: write a path and a value, like method.grpo.hyperparameters.max_steps=20.")
    *outer, last = path.split(".")
    inner: Any = document
    for key in outer:
        inner = inner.setdefault(key, {})
        if not isinstance(inner, dict):
            raise refuse(f"--set {change}: “{key}” is no object in the job.")
    inner[last] = yaml.safe_load(text)


def with_files_pushed(api: Api, document: dict[str, Any], folder: Path) -> Json:
    """A copy in which every `file:` is a version on the platform."""

    def graded(block: dict[str, Any]) -> dict[str, Any]:
        if not (path := _local(block.get("evaluator"), folder)):
            return block
        ref = push_evaluator(api, path, path.stem)["ref"]
        note(f"The evaluator is {ref}.")
        return block | {"evaluator": ref}

    pushed = {field: push_dataset(api, path, path.stem)["id"] for field, path in _data(document, folder).items()}
    return _with_blocks(document, folder, graded) | pushed


def with_files_looked_up(api: Api, document: dict[str, Any], folder: Path) -> tuple[Json, dict[str, Path]]:
    """The same, and nothing is sent: data that the platform holds already is named, an evaluator stands as its grader.

    What it does not hold is read here, as far as it can be, and returned by its field.
    """

    def graded(block: dict[str, Any]) -> dict[str, Any]:
        if not (path := _local(block.get("evaluator"), folder)):
            return block
        return {key: value for key, value in block.items() if key != "evaluator"} | {"grader": documents.read(path)}

    files = _data(document, folder)
    held = {field: version["id"] for field, path in files.items() if (version := held_version(api, path, path.stem))}
    absent = {field: path for field, path in files.items() if field not in held}
    for path in absent.values():
        require_rows(path)
    return _with_blocks(document, folder, graded) | held, absent


def _data(document: dict[str, Any], folder: Path) -> dict[str, Path]:
    """By field, the files of rows that it names."""
    fields = ("training_file", "validation_file")
    return {field: path for field in fields if (path := _local(document.get(field), folder))}


def _with_blocks(document: dict[str, Any], folder: Path, graded: Graded) -> dict[str, Any]:
    method = document.get("method")
    if not isinstance(method, dict):
        return dict(document)
    told = {key: graded(_with_grader(one, folder)) if isinstance(one, dict) else one for key, one in method.items()}
    return document | {"method": told}


def _with_grader(block: dict[str, Any], folder: Path) -> dict[str, Any]:
    path = _local(block.get("grader"), folder)
    return block | {"grader": documents.read(path)} if path else block


def _local(value: object, folder: Path) -> Path | None:
    """The file that it names, seen from the folder of the job's own file."""
    if not isinstance(value, str) or not value.startswith(LOCAL):
        return None
    return folder / value.removeprefix(LOCAL)
