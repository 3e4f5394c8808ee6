"""The data hub."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import OuterRef, ProtectedError, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contracts.fault import Fault
from contracts.method import METHODS
from whetstone.accounts.models import User
from whetstone.accounts.scope import owned, person, team_of
from whetstone.api.errors import fault_json
from whetstone.datasets.answers import Lengths
from whetstone.datasets.delete import delete_version
from whetstone.datasets.expire import overdue
from whetstone.datasets.lines import read_rows
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.serves import why_not
from whetstone.datasets.split import Split, other_part, split_by_rows, split_by_share
from whetstone.labels.standing import standings
from whetstone.web import words
from whetstone.web.reading import READABLE, cells, readings

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

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
        "serves": _serves(version.shape),
        "readings": readings(version, rows, offset + 1) if version.shape in READABLE else None,
        "rows": list(enumerate((cells(version, row) for row in rows), start=offset + 1)),
        "characters": _characters(version),
        "origin": _origin(version),
        "overdue": overdue(version),
        "labels": standings(version.team, version.dataset.name),
        "previous": max(0, offset - ROWS_A_PAGE) if offset else None,
        "next": offset + ROWS_A_PAGE if offset + ROWS_A_PAGE < version.rows else None,
        "last": min(version.rows, offset + ROWS_A_PAGE),
        "first": offset + 1,
        "mapping": _mapping_data(version),
    }
    return render(request, "web/dataset.html", context)


def _serves(shape: str) -> list[tuple[str, str]]:
    """Methods with what speaks against them: those that are served first, then those with the same reason together."""
    found: dict[str, list[str]] = {"": []}
    for name, method in METHODS.items():
        found.setdefault(why_not(shape, method), []).append(str(words.METHODS[name]))
    return [(", ".join(names), reason) for reason, names in found.items() if names]


def _characters(version: DatasetVersion) -> "list[tuple[StrOrPromise, Lengths]]":
    """How long prompts and answers are."""
    names = words.PARTS if version.shape == "preference" else words.PARTS | {"answer": _("Answer")}
    return [(names[part], lengths) for part, lengths in version.answers.characters.items()]


def _origin(version: DatasetVersion) -> dict[str, Any] | None:
    """What a part was split from and its other part, as far as they are still there."""
    if not version.origin:
        return None
    mine = owned(DatasetVersion, version.team).select_related("dataset")
    return {
        "dataset": version.origin["dataset"],
        "whole": mine.filter(id=version.origin["id"]).first(),
        "is_held_out": version.origin["side"] == "held-out",
        "other": other_part(version),
    }


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
def split(request: HttpRequest, version_id: str) -> HttpResponse:
    """Take held-out rows aside: so many rows, or so many in a hundred."""
    version = _find(request, version_id)
    try:
        made = _split(person(request), version, request.POST.get("amount", ""), request.POST.get("unit", ""))
    except Fault as fault:
        messages.error(request, fault_json(fault.report)["message"])
        return redirect("dataset", version_id)
    counts = {"training": intcomma(made.training.rows), "held_out": intcomma(made.held_out.rows)}
    messages.success(request, _("Split: %(training)s rows to train on, %(held_out)s held out.") % counts)
    return redirect("dataset", made.training.id)


def _split(user: User, version: DatasetVersion, amount: str, unit: str) -> Split:
    """Raises Fault request.invalid for an amount that is none."""
    try:
        number = float(amount)
    except ValueError:
        number = 0.0
    if unit == "rows" and number >= 1:
        return split_by_rows(user, version, int(number))
    if unit == "percent" and 0 < number < 100:
        return split_by_share(user, version, number / 100)
    raise Fault("request.invalid", field="amount", detail=_("Give a number of rows, or a share between 0 and 100%."))


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
