"""The data hub."""

import orjson
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import OuterRef, ProtectedError, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from pydantic import JsonValue

from whetstone.accounts.scope import owned, person, team_of
from whetstone.datasets.delete import delete_version
from whetstone.datasets.ingest import read_rows
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.serves import METHODS, why_not
from whetstone.web import words

ROWS_A_PAGE = 20
PREVIEW_ROWS = 5


@login_required
@require_safe
def datasets(request: HttpRequest) -> HttpResponse:
    """The newest version of each."""
    versions = owned(DatasetVersion, team_of(person(request))).select_related("dataset", "blob")
    newest = versions.filter(dataset=OuterRef("dataset")).order_by("-number").values("id")[:1]
    found = versions.filter(id=Subquery(newest))
    rows = [(version, words.SHAPES[version.shape]) for version in found]
    return render(request, "web/datasets.html", {"datasets": rows})


@login_required
@require_safe
def new(request: HttpRequest) -> HttpResponse:
    return render(request, "web/dataset_new.html", {"name": request.GET.get("name", "")})


@login_required
@require_safe
def dataset(request: HttpRequest, version_id: str) -> HttpResponse:
    version = _find(request, version_id)
    offset = _offset(request, version)
    rows = read_rows(version, offset, ROWS_A_PAGE)
    context = {
        "version": version,
        "shape": words.SHAPES[version.shape],
        "versions": version.dataset.versions.order_by("-number"),
        "serves": [(words.METHODS[method], why_not(version, method)) for method in METHODS],
        "rows": list(
            enumerate(([_shown(row.get(name)) for name in version.columns] for row in rows), start=offset + 1)
        ),
        "previous": max(0, offset - ROWS_A_PAGE) if offset else None,
        "next": offset + ROWS_A_PAGE if offset + ROWS_A_PAGE < version.rows else None,
        "last": min(version.rows, offset + ROWS_A_PAGE),
        "first": offset + 1,
        "mapping": _mapping_data(version),
    }
    return render(request, "web/dataset.html", context)


def _shown(cell: JsonValue) -> str:
    if cell is None:
        return "–"
    return cell if isinstance(cell, str) else orjson.dumps(cell).decode()


def _mapping_data(version: DatasetVersion) -> dict[str, object]:
    """What <column-mapping> begins with."""
    return {
        "dataset": version.id,
        "columns": version.columns,
        "mapping": [column.model_dump() for column in version.column_mapping.columns],
        "rows": [{"number": n, "row": row} for n, row in enumerate(read_rows(version, 0, PREVIEW_ROWS), start=1)],
        "datasets_url": reverse("datasets") + "/",
    }


@login_required
@require_POST
def delete(request: HttpRequest, version_id: str) -> HttpResponse:
    version = _find(request, version_id)
    try:
        delete_version(version)
    except ProtectedError:
        messages.error(request, _("Jobs still use this version, so it was not deleted."))
        return redirect("dataset", version_id)
    messages.success(request, _("%(dataset)s was deleted.") % {"dataset": version})
    return redirect("datasets")


def _find(request: HttpRequest, version_id: str) -> DatasetVersion:
    versions = owned(DatasetVersion, team_of(person(request))).select_related("dataset", "blob", "created_by")
    return get_object_or_404(versions, id=version_id)


def _offset(request: HttpRequest, version: DatasetVersion) -> int:
    asked = request.GET.get("offset", "")
    return min(int(asked), max(0, version.rows - 1)) if asked.isdecimal() else 0
