"""Two answers of one prompt from a training: those with the highest and the lowest reward of a group."""

from collections.abc import Iterator

from contracts.fault import Fault
from whetstone.jobs.models import Job
from whetstone.jobs.rollouts import Extremes, extremes
from whetstone.labels.queue.pair import Pair
from whetstone.labels.queue.turns import Turns
from whetstone.labels.said import Candidate

GROUPS_AT_ONCE = 50


class Rollouts:
    def __init__(self, job: Job) -> None:
        self.job = job
        self._turns = Turns(job.training)

    def pairs(self, start: int) -> Iterator[Pair | None]:
        """Newest steps first. Raises Fault job.no_rollouts."""
        while groups := self._read(start):
            for group in groups:
                yield self._pair(group)
            start += len(groups)

    def _read(self, start: int) -> list[Extremes]:
        try:
            found = extremes(self.job, limit=GROUPS_AT_ONCE, offset=start)
        except FileNotFoundError:  # retention was faster
            found = None
        if found is None:
            raise Fault("job.no_rollouts", field="source", job=self.job.label)
        return found

    def _pair(self, group: Extremes) -> Pair:
        model = f"{self.job.label} · {group['step']}"
        answers = tuple(Candidate(text=text, model=model) for text in (group["best"], group["worst"]))
        return Pair(self._turns.of(group["prompt"]), answers, f"job:{self.job.id}")
