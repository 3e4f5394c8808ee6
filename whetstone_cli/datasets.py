"""`whetstone datasets`: data in."""

import hashlib
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from whetstone_cli import documents
from whetstone_cli.api import Api, Json, connect
from whetstone_cli.ends import Ended, refuse
from whetstone_cli.say import AsJson, as_json, line, note

app = typer.Typer(help="Datasets: rows of JSONL in numbered versions.", no_args_is_help=True)
Columns = list[dict[str, Any]]  # Any: JSON


@app.command("push")
def push_dataset(
    file: Annotated[Path, typer.Argument(help="JSON lines.")],
    name: Annotated[str, typer.Option(help="The dataset whose next version it becomes.")],
    mapping: Annotated[
        Path | None, typer.Option(help="Which column is what: JSON or YAML, as the API takes it.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Upload a file, unless the dataset's newest version is the same. Prints its reference, like sums@3."""
    found = push(connect(), file, name, _columns(mapping) if mapping else None)
    if json:
        return as_json(found)
    line(found["ref"])


def push(api: Api, file: Path, name: str, columns: Columns | None = None) -> Json:
    """The version that holds the file's rows, mapped so. Nothing is sent when the newest one does already."""
    try:
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise refuse(f"{file} cannot be read: {error.strerror}.") from None
    newest = _newest(api, name)
    if newest is None or newest["sha256"] != sha256:
        note(f"Uploading {file} as {name}…")
        with file.open("rb") as content:
            sent = {"files": {"file": (file.name, content)}, "data": {"purpose": "fine-tune", "dataset": name}}
            made = api.ask("POST", "/v1/files", **sent, timeout=None)
        newest = api.get(f"/api/v1/datasets/{made['id']}")
    if columns is not None and not _is_mapped(newest, columns):
        mapped = api.post(f"/api/v1/datasets/{newest['id']}/mapping", {"columns": columns})
        newest = api.get(f"/api/v1/datasets/{mapped['id']}")
    if not newest["shape"]:
        note(f"{newest['ref']} has no shape yet: say with --mapping what its columns are, or on its page.")
    return newest


def _newest(api: Api, name: str) -> Json:
    try:
        return api.get(f"/api/v1/datasets/{quote(name, safe='')}")
    except Ended as refusal:
        if refusal.reason in ("dataset.not_found", "not_found"):
            return None
        raise


def _is_mapped(version: Json, columns: Columns) -> bool:
    """Whether what is wanted is there; what the platform fills in beside it does not count."""
    there = version["mapping"]
    return len(there) == len(columns) and all(
        given.items() <= one.items() for one, given in zip(there, columns, strict=True)
    )


def _columns(file: Path) -> Columns:
    document = documents.read(file)
    found = document.get("columns") if isinstance(document, dict) else document
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise refuse(f"{file} is no mapping.", 'Write {"columns": [{"name": "question", "role": "prompt"}, …]}.')
    return found
