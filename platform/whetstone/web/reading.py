"""A row as a person reads it: who says what, and which answer is better."""

from dataclasses import dataclass

import orjson
from pydantic import JsonValue

from contracts.dataset import PreparedRow, Role, Row, prepare
from whetstone.datasets.models import DatasetVersion

# Parts that are shown as the conversation, and not once more as columns.
SHOWN: frozenset[Role] = frozenset(
    {"messages", "system", "prompt", "completion", "chosen", "rejected", "label", "ignored"}
)
READABLE = ("chat", "preference", "labelled")


@dataclass(frozen=True)
class Reading:
    """One row, numbered from 1."""

    number: int
    row: PreparedRow
    others: list[tuple[str, str]]
    """Columns that only a grader reads."""


def readings(version: DatasetVersion, rows: list[dict[str, JsonValue]], first: int) -> list[Reading]:
    roles = {column.name: column.role for column in version.column_mapping.columns}
    others = [name for name in version.columns if roles.get(name, "item") not in SHOWN]
    return [
        Reading(number, prepare(row, version.column_mapping), [(name, shown(row.get(name))) for name in others])
        for number, row in enumerate(rows, start=first)
    ]


def cells(version: DatasetVersion, row: Row) -> list[str]:
    """What the columns hold, in the file's order."""
    return [shown(row.get(name)) for name in version.columns]


def shown(cell: JsonValue) -> str:
    if cell is None:
        return "–"
    return cell if isinstance(cell, str) else orjson.dumps(cell).decode()
