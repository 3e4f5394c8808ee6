"""Cursor pagination as OpenAI does it: `after` is the id of the last row seen, `has_more` says whether to go on."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from contracts.fault import Fault

M = TypeVar("M", bound=Model)


def page(
    rows: QuerySet[M],
    shape: Callable[[M], dict[str, Any]],
    *,
    after: str | None,
    limit: int,
    newest_first: bool = True,
) -> dict[str, Any]:
    """One page of rows that have `created_at` and an id, in a stable order."""
    direction = "-" if newest_first else ""
    rows = rows.order_by(f"{direction}created_at", f"{direction}id")
    if after is not None:
        last = rows.filter(pk=after).values_list("created_at", flat=True).first()
        if last is None:
            raise Fault("request.invalid", field="after", detail=f"There is no row with the id “{after}”.")
        side = "lt" if newest_first else "gt"
        rows = rows.filter(Q(**{f"created_at__{side}": last}) | Q(**{"created_at": last, f"pk__{side}": after}))
    found = list(rows[: limit + 1])
    shown = [shape(row) for row in found[:limit]]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return {"object": "list", "data": shown, "has_more": len(found) > limit} | ends
