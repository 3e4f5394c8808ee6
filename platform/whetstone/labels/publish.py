"""The next version of a dataset: the rows of the one before, with what was labelled since."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import reduce
from operator import or_
from typing import IO, NamedTuple

import orjson
from django.db import transaction
from django.db.models import Q

from contracts.fault import Fault
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.artifacts.disk import require_room
from whetstone.artifacts.store import open_blob, put
from whetstone.datasets.keep import Contents, keep, scanned
from whetstone.datasets.lines import BYTE_ORDER_MARK, rows_of
from whetstone.datasets.models import Dataset, DatasetVersion
from whetstone.datasets.scan import scan
from whetstone.datasets.statistics import prove
from whetstone.labels.destination import destination, layout_of
from whetstone.labels.layout import KEY, Layout
from whetstone.labels.models import Label
from whetstone.labels.said import KIND, Kind
from whetstone.labels.verdicts import Outcome, outcome_of

TRIES = 3
"""How often it is begun anew when somebody else made a version meanwhile."""


class New(NamedTuple):
    """A label as it stood when the file was begun."""

    id: str
    revision: int
    key: str
    kind: Kind


def publish(user: User, team: Team, dataset: str) -> DatasetVersion:
    """One row for each thing that was labelled, by the majority of those who labelled it. What was changed or withdrawn
    since the last version takes its old row's place, or takes it away.

    Raises:
        Fault: label.nothing_new, .no_rows, .wrong_shape, .does_not_fit, .being_published, platform.disk_low.
    """
    require_room()
    for _try in range(TRIES):
        if (made := _publish(user, team, dataset)) is not None:
            return made
    raise Fault("label.being_published", field="dataset", dataset=dataset)


def _publish(user: User, team: Team, dataset: str) -> DatasetVersion | None:
    """None when the dataset has got another version while the file was written."""
    labels = owned(Label, team).filter(dataset=dataset, is_new=True)
    rows = labels.values_list("id", "revision", "key", "kind")
    new = [New(name, revision, key, KIND.validate_python(kind)) for name, revision, key, kind in rows]
    if not new:
        raise Fault("label.nothing_new", field="dataset", dataset=dataset)
    kind = new[0].kind
    before = destination(team, dataset, kind)
    layout = layout_of(before, kind)
    keys = {one.key for one in new}
    with tempfile.TemporaryFile() as file:
        file.writelines(_kept(before, keys))
        kept = file.tell()
        file.writelines(_made(layout, outcomes(team, dataset, kind, keys)))
        if not file.tell() or (before is not None and file.tell() == kept == before.blob.size):
            raise Fault("label.no_rows", field="dataset", dataset=dataset)
        contents = _contents(team, f"{dataset}.jsonl", before, file, layout)
    return _keep(user, team, dataset, before, contents, new)


def outcomes(team: Team, dataset: str, kind: Kind, keys: set[str]) -> list[tuple[str, Outcome]]:
    """What was said of these things, in the order in which they were labelled first."""
    said: dict[str, list[Label]] = defaultdict(list)
    rows = owned(Label, team).filter(dataset=dataset, kind=kind, is_withdrawn=False)
    for label in rows.order_by("created_at", "id").iterator():
        if label.key in keys:
            said[label.key].append(label)
    found = [(key, outcome_of(labels)) for key, labels in said.items()]
    return [(key, outcome) for key, outcome in found if outcome is not None]


def _kept(before: DatasetVersion | None, keys: set[str]) -> Iterator[bytes]:
    """Rows of the version before that nobody has said anything new about."""
    if before is None:
        return
    with ExitStack() as files:
        for _line, _offset, raw, row in rows_of(files.enter_context(open_blob(before.blob))):
            if row.get(KEY) not in keys:
                yield raw.removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n") + b"\n"


def _made(layout: Layout, found: Sequence[tuple[str, Outcome]]) -> Iterator[bytes]:
    for key, one in found:
        row = layout.row(one.kind, one.prompt, one.answers, is_good=one.is_good)
        yield orjson.dumps(row | {KEY: key, "written_by": one.written_by, "votes": one.votes}) + b"\n"


def _contents(team: Team, filename: str, before: DatasetVersion | None, file: IO[bytes], layout: Layout) -> Contents:
    file.seek(0)
    found = scan(file)
    file.seek(0)
    answers = prove(file, layout.mapping)
    file.seek(0)
    facts = scanned(put(team, file), found, filename, before.purpose if before else "fine-tune")
    return Contents(**facts, mapping=layout.mapping, answers=answers)


@transaction.atomic
def _keep(
    user: User, team: Team, dataset: str, before: DatasetVersion | None, contents: Contents, new: list[New]
) -> DatasetVersion | None:
    """What was said again while the file was written is still new afterwards."""
    row = Dataset.objects.select_for_update().get_or_create(team=team, name=dataset)[0]
    newest = row.versions.order_by("-number").first()
    if newest != before:
        return None
    version = keep(user, team, dataset, contents)
    for batch in (new[start : start + 200] for start in range(0, len(new), 200)):
        unchanged = owned(Label, team).filter(reduce(or_, (Q(id=one.id, revision=one.revision) for one in batch)))
        unchanged.filter(is_withdrawn=True).delete()
        unchanged.update(is_new=False)
        owned(Label, team).filter(id__in=[one.id for one in batch]).update(was_published=True)
    return version
