"""`whetstone datasets`: data in."""

import hashlib
from json import loads
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
    newest = held_version(api, file, name)
    if newest is None:
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


def held_version(api: Api, file: Path, name: str) -> Json:
    """The dataset's newest version, if it holds this very file; else None. Raises Ended."""
    try:
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise refuse(f"{file} cannot be read: {error.strerror}.") from None
    newest = _newest(api, name)
    return newest if newest and newest["sha256"] == sha256 else None


def require_rows(file: Path) -> None:
    """As much as can be known of a file without the platform: every line is a row. Raises Ended."""
    rows = 0
    with file.open(encoding="utf-8-sig") as lines:
        try:
            for number, text in enumerate(lines, start=1):
                if text.strip():
                    rows += 1
                    _require_row(file, number, text)
        except UnicodeDecodeError:
            raise refuse(f"{file} is no text in UTF-8.") from None
    if not rows:
        raise refuse(f"{file} holds no rows.")


def _require_row(file: Path, number: int, text: str) -> None:
    try:
        row = loads(text)
    except ValueError as error:
        raise refuse(f"{file}, line {number} is not JSON: {error}.") from None
    if not isinstance(row, dict):
        raise refuse(f"{file}, line {number} is no JSON object.")


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
