"""What a command prints: its result on stdout, as JSON or for people; everything else on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def note(sentence: str) -> None:
    """For a person who watches; a pipeline's log has it too."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, markup=False)


def as_json(document: Any) -> None:  # Any: JSON
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Nothing that a name holds is read as markup."""
    shown = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(Text(_said(cell)) for cell in row))
    Console(highlight=False).print(shown)


def progress() -> Progress:
    """Of files, for a person who watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def when(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _said(cell: object) -> str:
    if cell is None:
        return "–"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
