"""`job.yaml`: the API's own JSON, with files of this machine where the API wants names."""

from pathlib import Path
from typing import Any

import yaml

from whetstone_cli import documents
from whetstone_cli.api import Api, Json
from whetstone_cli.datasets import push as push_dataset
from whetstone_cli.ends import refuse
from whetstone_cli.evaluators import push as push_evaluator
from whetstone_cli.say import note

LOCAL = "file:"


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


def with_files_pushed(api: Api, document: dict[str, Any], folder: Path, *, is_dry: bool) -> Json:
    """A copy in which every `file:` is a version on the platform. Dry: a grader is checked, and not saved."""
    job = dict(document)
    for field in ("training_file", "validation_file"):
        if path := _local(job.get(field), folder):
            job[field] = push_dataset(api, path, path.stem)["id"]
    method = job.get("method")
    if isinstance(method, dict):
        job["method"] = {key: _graded(api, block, folder, is_dry) for key, block in method.items()}
    return job


def _graded(api: Api, block: Any, folder: Path, is_dry: bool) -> Json:
    if not isinstance(block, dict):
        return block
    found = dict(block)
    if path := _local(block.get("grader"), folder):
        found["grader"] = documents.read(path)
    if path := _local(block.get("evaluator"), folder):
        if is_dry:
            del found["evaluator"]
            found["grader"] = documents.read(path)
        else:
            found["evaluator"] = push_evaluator(api, path, path.stem)["ref"]
            note(f"The evaluator is {found['evaluator']}.")
    return found


def _local(value: object, folder: Path) -> Path | None:
    """The file that it names, seen from the folder of the job's own file."""
    if not isinstance(value, str) or not value.startswith(LOCAL):
        return None
    return folder / value.removeprefix(LOCAL)
