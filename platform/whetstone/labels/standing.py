"""How a dataset's labels stand: what is new, what it will become, and how far people agree."""

from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.labels.agreement import Agreement, agreement
from whetstone.labels.models import Label
from whetstone.labels.said import KIND, Kind
from whetstone.labels.verdicts import word_of


@dataclass(frozen=True)
class Standing:
    """Of one dataset that labels go into."""

    dataset: str
    kind: Kind
    labels: int
    new: int
    """Not in a version yet, what was changed or withdrawn since the last one included."""
    people: int
    verdicts: dict[str, int]
    agreement: Agreement | None


def standings(team: Team, dataset: str | None = None) -> list[Standing]:
    """Of every dataset that labels go into, by name; or of this one."""
    mine = owned(Label, team).filter(**({} if dataset is None else {"dataset": dataset}))
    counted = (
        mine.order_by()
        .values("dataset", "kind")
        .annotate(
            labels=Count("id", filter=Q(is_withdrawn=False)),
            new=Count("id", filter=Q(is_new=True)),
            people=Count("user", distinct=True, filter=Q(is_withdrawn=False)),
        )
    )
    return [
        Standing(
            dataset=row["dataset"],
            kind=(kind := KIND.validate_python(row["kind"])),
            labels=row["labels"],
            new=row["new"],
            people=row["people"],
            verdicts=_verdicts(mine, row["dataset"]),
            agreement=agreement(_judged(mine, row["dataset"], kind)) if row["people"] > 1 else None,
        )
        for row in counted.order_by("dataset")
    ]


def _verdicts(mine: "QuerySet[Label]", dataset: str) -> dict[str, int]:
    rows = mine.filter(dataset=dataset, is_withdrawn=False).order_by()
    return dict(Counter(rows.values_list("verdict", flat=True)))


def _judged(mine: "QuerySet[Label]", dataset: str, kind: Kind) -> dict[Hashable, dict[Hashable, Hashable]]:
    """By thing and person. Corrections are not judgements: each is its author's own."""
    judged: dict[Hashable, dict[Hashable, Hashable]] = defaultdict(dict)
    if kind == "edit":
        return judged
    rows = mine.filter(dataset=dataset, is_withdrawn=False)
    shared = rows.order_by().values("key").annotate(n=Count("id")).filter(n__gt=1).values("key")
    for label in rows.filter(key__in=shared).iterator():
        judged[label.key][label.user_id] = word_of(label.said)
    return judged
