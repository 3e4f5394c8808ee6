"""Datasets: their rows, and which column is what."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from contracts.dataset import Column
from whetstone.api.caller import caller
from whetstone.datasets.find import find_version
from whetstone.datasets.ingest import map_columns, read_rows

router = Router(tags=["datasets"])


class Mapping(Schema):
    columns: list[Column]


@router.get("/{dataset}/rows")
def rows(
    request: HttpRequest,
    dataset: str,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 20,
) -> dict[str, Any]:
    version = find_version(caller(request).team, dataset, param="dataset")
    found = read_rows(version, offset, limit)
    return {
        "rows": [{"number": offset + n, "row": row} for n, row in enumerate(found, start=1)],
        "total": version.rows,
    }


@router.post("/{dataset}/mapping")
def map_dataset(request: HttpRequest, dataset: str, body: Mapping) -> dict[str, Any]:
    """Say what each column is. Makes the dataset's next version."""
    who = caller(request)
    version = find_version(who.team, dataset, param="dataset")
    mapped = map_columns(who.user, version, tuple(body.columns))
    return {"id": mapped.id, "version": mapped.number, "ref": str(mapped), "shape": mapped.shape}
