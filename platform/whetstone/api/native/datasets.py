"""Datasets: their rows, and which column is what."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from contracts.dataset import Column
from contracts.fault import Fault
from whetstone.api.caller import caller
from whetstone.datasets.find import find_version
from whetstone.datasets.lines import read_rows
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.remap import map_columns
from whetstone.datasets.split import split_by_rows, split_by_share
from whetstone.jobs.fit import fit
from whetstone.modelhub.find import find_model

router = Router(tags=["datasets"])


class Mapping(Schema):
    columns: list[Column]


class Part(Schema):
    """How much is held out: one of the two."""

    share: float | None = Field(None, gt=0, lt=1)
    rows: int | None = Field(None, ge=1)


@router.get("/{dataset}")
def retrieve(request: HttpRequest, dataset: str) -> dict[str, Any]:
    """One version: an id, `name@2`, or `name` for the newest. `sha256` is of the file's bytes."""
    version = find_version(caller(request).team, dataset, param="dataset")
    return {
        "id": version.id,
        "name": version.dataset.name,
        "version": version.number,
        "ref": str(version),
        "rows": version.rows,
        "shape": version.shape or None,
        "mapping": version.mapping.get("columns", []),
        "sha256": version.blob.sha256,
        "bytes": version.blob.size,
        "created_at": int(version.created_at.timestamp()),
    }


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


@router.get("/{dataset}/tokens")
def tokens(request: HttpRequest, dataset: str, model: str) -> dict[str, Any]:
    """How long the rows are in tokens of a model; nothing for a model without a tokenizer."""
    team = caller(request).team
    found = fit(find_version(team, dataset, param="dataset"), find_model(team, model))
    return found.model_dump() if found else {}


@router.post("/{dataset}/mapping")
def map_dataset(request: HttpRequest, dataset: str, body: Mapping) -> dict[str, Any]:
    """Say what each column is. Makes the dataset's next version."""
    who = caller(request)
    version = find_version(who.team, dataset, param="dataset")
    mapped = map_columns(who.user, version, tuple(body.columns))
    return {"id": mapped.id, "version": mapped.number, "ref": str(mapped), "shape": mapped.shape}


@router.post("/{dataset}/split")
def split_dataset(request: HttpRequest, dataset: str, body: Part) -> dict[str, Any]:
    """Take held-out rows aside. Makes two datasets; the same split of the same file makes the same two."""
    who = caller(request)
    version = find_version(who.team, dataset, param="dataset")
    if body.share is not None and body.rows is None:
        made = split_by_share(who.user, version, body.share)
    elif body.rows is not None and body.share is None:
        made = split_by_rows(who.user, version, body.rows)
    else:
        raise Fault("request.invalid", field="share", detail="Give either a share or a number of rows.")
    return {"training": _part(made.training), "held_out": _part(made.held_out), "share": made.share}


def _part(version: DatasetVersion) -> dict[str, Any]:
    return {"id": version.id, "ref": str(version), "rows": version.rows}
