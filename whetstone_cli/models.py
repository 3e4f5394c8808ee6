"""`whetstone models`: what there is to start from, and what was trained, taken along."""

from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from rich.progress import Progress, TaskID

from whetstone_cli.api import connect
from whetstone_cli.ends import refuse
from whetstone_cli.fetch import fetch
from whetstone_cli.imports import import_model, push
from whetstone_cli.say import AsJson, as_json, line, progress, table, when
from whetstone_cli.wait import end_as, wait

app = typer.Typer(help="Models of the hub.", no_args_is_help=True)
app.command("import")(import_model)
app.command()(push)
SUMS, ADAPTER = "SHA256SUMS", "adapter/"
MERGES = "/api/v1/merges"


@app.command("list")
def list_models(json: AsJson = False) -> None:
    """What there is to start from, and what was trained."""
    found = connect().get("/v1/models")["data"]
    if json:
        return as_json(found)
    table(
        ("model", "task", "parameters", "made"),
        [(one["id"], one["task"], one["parameters"], when(one["created"])) for one in found],
    )


@app.command()
def merge(
    name: Annotated[str, typer.Argument(help="An adapter of the hub.")],
    to: Annotated[str, typer.Option("--as", help="Its name. Without: the adapter's and “-merged”.")] = "",
    waits: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the model.")] = True,
    json: AsJson = False,
) -> None:
    """Let a worker make a whole model of an adapter and its base."""
    api = connect()
    found = api.post(MERGES, {"adapter": name, "name": to})
    if waits:
        found = wait(api, found["id"], at=MERGES)
        end_as(found)
    if json:
        return as_json(found)
    line(found["model"])


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="Like ft:starter:team:sums:1a2b3c4d.")],
    to: Annotated[Path | None, typer.Option(help="The folder. Without it: one of the model's name, here.")] = None,
    json: AsJson = False,
) -> None:
    """Download a model's files, each checked against its SHA-256; begin again where it broke off."""
    api = connect()
    model = api.get(f"/api/v1/models/{quote(name)}")
    folder = to or Path(name.replace(":", "-").replace("/", "-"))
    files = [one for one in model["files"] if not one["path"].startswith(ADAPTER)]
    if not files:
        raise refuse(f"{name} has no files.")
    with progress() as bar:
        for file in files:
            task = bar.add_task(file["path"], total=file["size"])
            fetch(api, model["name"], file, folder, partial(_show, bar, task))
    (folder / SUMS).write_text("".join(f"{one['sha256']}  {one['path']}\n" for one in files), encoding="utf-8")
    if json:
        return as_json({"model": model["name"], "folder": str(folder), "files": files})
    line(str(folder))


def _show(bar: Progress, task: TaskID, size: int) -> None:
    bar.update(task, completed=size)
