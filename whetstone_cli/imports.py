"""`whetstone models import` and `push`: a model goes into the hub, and the command waits until it is there."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from whetstone_cli.api import Api, Json, connect
from whetstone_cli.ends import Ended, Exit, refuse
from whetstone_cli.say import AsJson, as_json, line, note, progress

IMPORTS = "/api/v1/imports"
PART = 8 * 1024 * 1024
POLL_S = 1.0
GOING = ("uploading", "queued", "running")
Name = Annotated[str, typer.Option(help="What the model is called on the platform. Without: as it is called there.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the model is in the hub.")]


def import_model(
    source: Annotated[str, typer.Argument(help="hf:ORG/NAME, hf:ORG/NAME@REVISION, or folder:/path on the server.")],
    name: Name = "",
    token: Annotated[str, typer.Option(help="Name of the secret that holds a token of the hub.")] = "",
    wait: Wait = True,
    json: AsJson = False,
) -> None:
    """Import a model from a hub of models, or from a folder of the platform's server."""
    api = connect()
    one = api.post(IMPORTS, {"source": _source(source, token), "name": name})
    _end(api, one, wait, json)


def push(
    folder: Annotated[Path, typer.Argument(help="As transformers' save_pretrained writes it.")],
    name: Name = "",
    wait: Wait = True,
    json: AsJson = False,
) -> None:
    """Upload a model's folder. The same command goes on where an earlier one broke off."""
    api = connect()
    files = _files(folder)
    one = _announced(api, name or folder.resolve().name, files)
    with progress() as bar:
        task = bar.add_task(one["name"], total=sum(file["size"] for file in one["files"]))
        for file in one["files"]:
            bar.advance(task, file["received"] or 0)
            _send(api, one["id"], file, files[file["path"]], lambda sent: bar.advance(task, sent))
    _end(api, one, wait, json)


def _source(source: str, token: str) -> dict[str, str]:
    kind, _, place = source.partition(":")
    if kind == "folder" and place:
        return {"type": "folder", "folder": place}
    if kind != "hf" or not place:
        raise refuse(f"“{source}” is no source.", "Write hf:ORG/NAME@REVISION or folder:/path.")
    repo, _, revision = place.partition("@")
    return {"type": "hub", "repo": repo, "revision": revision, "token": token}


def _files(folder: Path) -> dict[str, Path]:
    """By their paths below the folder, without what is hidden."""
    if not folder.is_dir():
        raise refuse(f"{folder} is no folder.")
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    found = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path for name, path in found.items() if not any(part.startswith(".") for part in name.split("/"))}


def _announced(api: Api, name: str, files: dict[str, Path]) -> Json:
    """The import that the files go into: one that broke off, where it announced the same files, or a new one."""
    note("Reading the files…")
    sums = {path: {"path": path, "size": file.stat().st_size, "sha256": _sha256(file)} for path, file in files.items()}
    for one in api.get(IMPORTS, limit=100)["data"]:
        if one["state"] == "uploading" and one["name"] == name:
            begun = api.get(f"{IMPORTS}/{one['id']}")
            if all(sums.get(file["path"], {}).get("size") == file["size"] for file in begun["files"]):
                return begun
    made = api.post(IMPORTS, {"source": {"type": "upload", "files": [*sums.values()]}, "name": name})
    if made["left_out"]:
        note(f"Left out: {', '.join(made['left_out'])}")
    return api.get(f"{IMPORTS}/{made['id']}")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _send(api: Api, import_id: str, file: Json, path: Path, tell: Callable[[int], None]) -> None:
    address = f"{IMPORTS}/{import_id}/files/{quote(file['path'])}"
    with path.open("rb") as content:
        offset = content.seek(file["received"] or 0)
        while part := content.read(PART):
            api.ask("PUT", address, params={"offset": offset}, content=part)
            offset += len(part)
            tell(len(part))


def _end(api: Api, one: Json, wait: bool, json: bool) -> None:
    """Raises Ended when it failed."""
    found = _awaited(api, one["id"]) if wait else api.get(f"{IMPORTS}/{one['id']}")
    if json:
        as_json(found)
    if found["state"] == "failed":
        raise Ended(Exit.REFUSED, found["error"]["message"], found["error"]["next_step"])
    if not json:
        line(found["model"] or found["id"])


def _awaited(api: Api, import_id: str) -> Json:
    told = ""
    with progress() as bar:
        task = bar.add_task("Importing", total=None)
        while (one := api.get(f"{IMPORTS}/{import_id}"))["state"] in GOING:
            bar.update(task, total=one["bytes_total"], completed=one["bytes_done"])
            if one["error"] and one["error"]["message"] != told:
                told = one["error"]["message"]
                note(f"{told} It is tried again.")
            time.sleep(POLL_S)
    return one
