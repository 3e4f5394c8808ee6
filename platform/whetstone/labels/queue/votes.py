"""Pairs that others have labelled: whoever labels them again shows how far people agree."""

from collections.abc import Iterator

from django.db.models import Min

from whetstone.accounts.models import Team
from whetstone.accounts.scope import owned
from whetstone.labels.models import Label
from whetstone.labels.queue.pair import Pair


class Votes:
    def __init__(self, team: Team, dataset: str) -> None:
        self.team, self.dataset = team, dataset

    def pairs(self, start: int) -> Iterator[Pair | None]:
        """Each once, in the order in which they were labelled first."""
        labels = owned(Label, self.team).filter(dataset=self.dataset, kind="preference", is_withdrawn=False)
        first = labels.order_by().values("key").annotate(at=Min("created_at")).order_by("at", "key")
        for row in first[start:].iterator():
            label = labels.filter(key=row["key"]).order_by("created_at").first()
            yield Pair(label.said.prompt, label.said.answers, label.said.source) if label else None
