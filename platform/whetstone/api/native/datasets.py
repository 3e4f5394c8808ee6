"""Datasets: their rows, and which column is what."""

from typing import Annotated, get_args

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field, JsonValue
from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from contracts.dataset import Column, Shape
from contracts.fault import Fault
from whetstone.api.answers import described, one_of
from whetstone.api.caller import caller
from whetstone.datasets.find import find_version
from whetstone.datasets.lines import read_rows
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.remap import map_columns
from whetstone.datasets.split import split_by_rows, split_by_share
from whetstone.jobs.fit import Fit, fit
from whetstone.modelhub.find import find_model

router = Router(tags=["datasets"])


Trains = Annotated[str, one_of(*get_args(Shape))]


class Mapping(Schema):
    columns: list[Column]


class Part(Schema):
    """How much is held out: one of the two."""

    share: float | None = Field(None, gt=0, lt=1)
    rows: int | None = Field(None, ge=1)


@described
class DatasetJson(TypedDict):
    """One version of a dataset."""

    id: str
    name: str
    version: int
    ref: str
    """`name@version`."""
    rows: int
    shape: Trains | None
    """What its rows can train; null until its columns are mapped."""
    mapping: list[Column]
    sha256: str
    """Of the file's bytes."""
    bytes: int
    created_at: int
    expires_at: int | None
    """When it is deleted, unless a job uses it."""


class NumberedRow(TypedDict):
    number: int
    row: JsonValue


class RowsJson(TypedDict):
    rows: list[NumberedRow]
    total: int


class NotCounted(TypedDict):
    """Nothing: the model has no tokenizer, or the dataset no mapping."""


class MappedJson(TypedDict):
    id: str
    version: int
    ref: str
    shape: Trains | None


class PartJson(TypedDict):
    id: str
    ref: str
    rows: int


@described
class SplitJson(TypedDict):
    training: PartJson
    held_out: PartJson
    share: float
    """Asked for again, it gives the same two datasets."""


@router.get("/{dataset}")
def retrieve(request: HttpRequest, dataset: str) -> DatasetJson:
    """One version: an id, `name@2`, or `name` for the newest. `sha256` is of the file's bytes."""
    version = find_version(caller(request).team, dataset, param="dataset")
    return {
        "id": version.id,
        "name": version.dataset.name,
        "version": version.number,
        "ref": str(version),
        "rows": version.rows,
        "shape": version.shape or None,
        "mapping": [*version.column_mapping.columns],
        "sha256": version.blob.sha256,
        "bytes": version.blob.size,
        "created_at": int(version.created_at.timestamp()),
        "expires_at": int(version.expires_at.timestamp()) if version.expires_at else None,
    }


@router.get("/{dataset}/rows")
def rows(
    request: HttpRequest,
    dataset: str,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 20,
) -> RowsJson:
    version = find_version(caller(request).team, dataset, param="dataset")
    found = read_rows(version, offset, limit)
    return {
        "rows": [{"number": offset + n, "row": row} for n, row in enumerate(found, start=1)],
        "total": version.rows,
    }


@router.get("/{dataset}/tokens")
def tokens(request: HttpRequest, dataset: str, model: str) -> Fit | NotCounted:
    """How long the rows are in tokens of a model; nothing for a model without a tokenizer."""
    team = caller(request).team
    return fit(find_version(team, dataset, param="dataset"), find_model(team, model)) or {}


@router.post("/{dataset}/mapping")
def map_dataset(request: HttpRequest, dataset: str, body: Mapping) -> MappedJson:
    """Say what each column is. Makes the dataset's next version."""
    who = caller(request)
    version = find_version(who.team, dataset, param="dataset")
    mapped = map_columns(who.user, version, tuple(body.columns))
    return {"id": mapped.id, "version": mapped.number, "ref": str(mapped), "shape": mapped.shape or None}


@router.post("/{dataset}/split")
def split_dataset(request: HttpRequest, dataset: str, body: Part) -> SplitJson:
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


def _part(version: DatasetVersion) -> PartJson:
    return {"id": version.id, "ref": str(version), "rows": version.rows}
