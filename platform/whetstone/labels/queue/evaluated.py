"""What two models answered to the same rows in their evaluations."""

from collections.abc import Iterator

from contracts.fault import Fault
from whetstone.evaluations.answers import Answer, answers_to_rows
from whetstone.evaluations.models import Evaluation
from whetstone.evaluations.scores import scores_of
from whetstone.labels.queue.pair import Pair
from whetstone.labels.queue.turns import Turns
from whetstone.labels.said import Candidate

ROWS_AT_ONCE = 50


class Evaluated:
    def __init__(self, one: Evaluation, other: Evaluation) -> None:
        """Raises Fault request.invalid where they did not ask the same dataset."""
        if one.job.validation_id is None or one.job.validation_id != other.job.validation_id:
            raise Fault("request.invalid", field="source", detail="These evaluations asked different datasets.")
        self.one, self.other = one, other
        self._turns = Turns(one.job.validation)

    def pairs(self, start: int) -> Iterator[Pair | None]:
        """The first answer of each to each row; none where they wrote the same, or where it is no longer stored."""
        rows = sorted(scores_of(self.one.job).rows.keys() & scores_of(self.other.job).rows.keys())[start:]
        for chunk in (rows[n : n + ROWS_AT_ONCE] for n in range(0, len(rows), ROWS_AT_ONCE)):
            ours, theirs = (answers_to_rows(one, chunk) for one in (self.one, self.other))
            for row in chunk:
                yield self._pair(ours.get(row), theirs.get(row))

    def _pair(self, ours: list[Answer] | None, theirs: list[Answer] | None) -> Pair | None:
        one, other = ((answers[0].stored if answers else None) for answers in (ours, theirs))
        if one is None or other is None or one["completion"] == other["completion"]:
            return None
        names = self.one.job.base.name, self.other.job.base.name
        texts = one["completion"], other["completion"]
        answers = tuple(Candidate(text=text, model=name) for text, name in zip(texts, names, strict=True))
        return Pair(self._turns.of(one["prompt"]), answers, f"evaluations:{self.one.pk},{self.other.pk}")
