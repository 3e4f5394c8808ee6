"""The dataset that labels go into, and whether it takes them."""

from contracts.dataset import prepare
from contracts.fault import Fault
from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.datasets.models import DatasetVersion
from whetstone.labels.layout import Layout
from whetstone.labels.models import Label
from whetstone.labels.said import KIND, MAKES, Kind, PromptTurn

PROBE = (PromptTurn(role="system", content="s"), PromptTurn(role="user", content="q"))


def newest_version(team: Team, dataset: str) -> DatasetVersion | None:
    rows = owned(DatasetVersion, team).select_related("dataset", "blob", "team")
    return rows.filter(dataset__name=dataset).order_by("-number").first()


def destination(team: Team, dataset: str, kind: Kind) -> DatasetVersion | None:
    """Its newest version. None when there is none yet, which takes every kind.

    Raises:
        Fault: label.wrong_shape or label.does_not_fit: said now, and not when hundreds of labels wait for it.
    """
    found = newest_version(team, dataset)
    if found is None:
        _refuse_another_kind(team, dataset, kind)
        return None
    if found.shape != MAKES[kind]:
        shape = found.shape or "–"
        raise Fault("label.wrong_shape", field="dataset", dataset=str(found), shape=shape, needed=MAKES[kind])
    layout = layout_of(found, kind)
    try:
        prepare(layout.row(kind, PROBE, ("a", "b")), layout.mapping)
    except ValueError as error:
        raise Fault("label.does_not_fit", field="dataset", dataset=str(found), detail=str(error)) from None
    return found


def _refuse_another_kind(team: Team, dataset: str, kind: Kind) -> None:
    other = owned(Label, team).filter(dataset=dataset).exclude(kind=kind).values_list("kind", flat=True).first()
    if other is not None:
        shape = MAKES[KIND.validate_python(other)]
        raise Fault("label.wrong_shape", field="dataset", dataset=dataset, shape=shape, needed=MAKES[kind])


def layout_of(version: DatasetVersion | None, kind: Kind) -> Layout:
    """Of the next version."""
    if version is None:
        return Layout.own(MAKES[kind])
    return Layout(tuple(version.columns), version.column_mapping).with_labels()
