"""Cursor pagination as OpenAI does it: `after` is the id of the last row seen, `has_more` says whether to go on."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.fault import Fault
from whetstone.api.answers import Page


class Row(TypedDict):
    id: str


M = TypeVar("M", bound=Model)
R = TypeVar("R", bound=Row)


def page(
    rows: QuerySet[M],
    shape: Callable[[M], R],
    *,
    after: str | None,
    limit: int,
    newest_first: bool = True,
) -> Page[R]:
    """One page of rows that have `created_at` and an id, in a stable order."""
    return page_of((rows,), shape, after=after, limit=limit, newest_first=newest_first)


def page_of(
    kinds: tuple[QuerySet[Any], ...],  # Any: rows of several models
    shape: Callable[[Any], R],
    *,
    after: str | None,
    limit: int,
    newest_first: bool = True,
) -> Page[R]:
    """The same of rows of several models, one order for all."""
    last = _place(kinds, after) if after is not None else None
    direction, side = ("-", "lt") if newest_first else ("", "gt")
    found: list[Any] = []
    for rows in kinds:
        if last is not None:
            beyond = Q(**{"created_at": last, f"pk__{side}": after})
            rows = rows.filter(Q(**{f"created_at__{side}": last}) | beyond)
        found += rows.order_by(f"{direction}created_at", f"{direction}id")[: limit + 1]
    if len(kinds) > 1:
        found.sort(key=lambda row: (row.created_at, row.pk), reverse=newest_first)
    return as_page([shape(row) for row in found[:limit]], has_more=len(found) > limit)


def as_page(rows: list[R], *, has_more: bool) -> Page[R]:
    first, last = (rows[0]["id"], rows[-1]["id"]) if rows else (None, None)
    return {"object": "list", "data": rows, "has_more": has_more, "first_id": first, "last_id": last}


def _place(kinds: tuple[QuerySet[Any], ...], after: str) -> Any:
    """When the row was made. Raises Fault request.invalid when there is none of this id."""
    for rows in kinds:
        found = rows.filter(pk=after).values_list("created_at", flat=True).first()
        if found is not None:
            return found
    raise Fault("request.invalid", field="after", detail=f"There is no row with the id “{after}”.")
