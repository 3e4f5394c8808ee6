"""`whetstone score`: how good a reward model finds answers."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from whetstone_cli.api import Json, connect
from whetstone_cli.ends import Ended, Exit, refuse
from whetstone_cli.say import note

AT_ONCE = 100


def score(
    model: Annotated[str, typer.Argument(help="A deployment by its name, or a reward model of the hub.")],
    rows: Annotated[Path, typer.Argument(help="JSON lines, each with prompt and answer, or with messages.")],
) -> None:
    """Print every row with its `score`, as JSON lines; where it has none, with the `error` that says why.

    Exit codes: 0 all are scored; 3 some are not.
    """
    api, lost = connect(patience_s=300), 0
    for some in _some(list(_read(rows))):
        asked = {"model": model, "input": [_input(row) for row in some]}
        for row, told in zip(some, api.post("/api/v1/scores", asked)["data"], strict=True):
            said = {name: told[name] for name in ("score", "error") if name in told}
            sys.stdout.write(json.dumps(row | said, ensure_ascii=False) + "\n")
            lost += told["score"] is None
    if lost:
        raise Ended(Exit.UNKNOWN, f"{lost} rows have no score.", "Each says why in its “error”.")


def _some(rows: list[Json]) -> Iterator[list[Json]]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _input(row: Json) -> Json:
    return row["messages"] if "messages" in row else {"prompt": row["prompt"], "answer": row["answer"]}


def _read(path: Path) -> Iterator[Json]:
    """Raises Ended, before anything is sent."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise refuse(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise refuse(f"{path} is no text in UTF-8.") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _row(path, number, line)
    if not any(map(str.strip, lines)):
        note(f"{path} holds no rows.")


def _row(path: Path, number: int, line: str) -> Json:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise refuse(f"{path}, line {number}, is not JSON: {error}.") from None
    if not isinstance(row, dict) or not ("messages" in row or {"prompt", "answer"} <= row.keys()):
        raise refuse(f"{path}, line {number}, has neither prompt and answer nor messages.")
    return row
