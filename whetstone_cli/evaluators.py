"""`whetstone evaluators`: saved graders, compared and tried."""

from pathlib import Path
from typing import Annotated

import typer

from whetstone_cli import documents
from whetstone_cli.api import Api, Json, connect
from whetstone_cli.say import AsJson, as_json, line, table

app = typer.Typer(help="Evaluators: saved graders in numbered versions.", no_args_is_help=True)
Either = Annotated[str, typer.Argument(help="A saved evaluator (math@3, or math for the newest), or a grader's file.")]
WIDEST = 60


@app.command("push")
def push_evaluator(
    file: Annotated[Path, typer.Argument(help="The grader: JSON or YAML.")],
    name: Annotated[str, typer.Option(help="The evaluator whose next version it becomes.")],
    note: Annotated[str, typer.Option(help="What changed.")] = "",
    json: AsJson = False,
) -> None:
    """Save a grader, unless the newest version is the same. Prints its reference, like math@3."""
    found = push(connect(), file, name, note)
    if json:
        return as_json(found)
    line(found["ref"])


def push(api: Api, file: Path, name: str, note: str = "") -> Json:
    return api.post("/api/v1/evaluators", {"name": name, "grader": documents.read(file), "note": note})


@app.command()
def diff(
    left: Either,
    right: Either,
    on: Annotated[str | None, typer.Option(help="A dataset whose rows both grade, like sums@2.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many of its rows.")] = 500,
    json: AsJson = False,
) -> None:
    """What differs between two graders: in their JSON, and in what they give the same answers."""
    body = {"left": _grader(left), "right": _grader(right)} | ({"dataset": on, "limit": rows} if on else {})
    found = connect().post("/api/v1/evaluators/diff", body)
    if json:
        return as_json(found)
    table(
        ("place", "left", "right"),
        [(one["path"], _short(one["left"]), _short(one["right"])) for one in found["changes"]],
    )
    if scores := found.get("scores"):
        numbers = {name: value for name, value in scores.items() if isinstance(value, int | float)}
        line("")
        table(("on the rows", ""), [(name.replace("_", " "), value) for name, value in numbers.items()])


@app.command("try")
def try_evaluator(
    evaluator: Either,
    on: Annotated[str, typer.Option(help="The dataset, like sums@2.")],
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many of its rows.")] = 5,
    json: AsJson = False,
) -> None:
    """Grade the answers that a dataset's rows hold."""
    found = connect().post("/api/v1/graders/try", named_grader(evaluator) | {"dataset": on, "limit": rows})
    if json:
        return as_json(found)
    table(
        ("row", "score", "answer"),
        [(one["row"] + 1, one["grade"]["score"], _short(one["sample"].get("output_text"))) for one in found["grades"]],
    )
    numbers = {name: value for name, value in found["summary"].items() if isinstance(value, int | float)}
    line("")
    table(("summary", ""), [(name.replace("_", " "), value) for name, value in numbers.items()])


def named_grader(given: str) -> dict[str, Json]:
    """As requests take it: a saved one by its name, or a file's JSON."""
    found = _grader(given)
    return {"evaluator": found} if isinstance(found, str) else {"grader": found}


def _grader(given: str) -> Json:
    """A file is known by its ending: an evaluator's name may be that of a file that happens to lie here."""
    path = Path(given)
    return documents.read(path) if path.suffix in (".json", ".yaml", ".yml") else given


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
