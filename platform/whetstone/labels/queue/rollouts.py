"""Two answers of one prompt from a training: those with the highest and the lowest reward of a group."""

from collections.abc import Iterator
from itertools import islice

from contracts.dataset import prepare
from contracts.fault import Fault
from whetstone.artifacts.store import open_blob
from whetstone.datasets.lines import rows_of
from whetstone.jobs.models import Job
from whetstone.jobs.rollouts import Extremes, extremes
from whetstone.labels.queue.pair import Pair
from whetstone.labels.said import Candidate, PromptTurn

GROUPS_AT_ONCE = 50
MOST_ROWS = 100_000
"""Of the job's dataset, in which the turns of a prompt are looked up."""


class Rollouts:
    def __init__(self, job: Job) -> None:
        self.job = job
        self._turns: dict[str, tuple[PromptTurn, ...]] | None = None

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
        return Pair(self._turns_of(group["prompt"]), answers, f"job:{self.job.id}")

    def _turns_of(self, prompt: str) -> tuple[PromptTurn, ...]:
        """A rollout keeps the text of its prompt without roles: the dataset still knows them."""
        if self._turns is None:
            self._turns = self._by_text()
        return self._turns.get(prompt) or (PromptTurn(role="user", content=prompt),)

    def _by_text(self) -> dict[str, tuple[PromptTurn, ...]]:
        version = self.job.training
        found: dict[str, tuple[PromptTurn, ...]] = {}
        if version is None:
            return found
        with open_blob(version.blob) as file:
            for _line, _offset, _raw, row in islice(rows_of(file), MOST_ROWS):
                turns = prepare(row, version.column_mapping).prompt
                if len(turns) > 1 or turns[0].role != "user":
                    text = "\n\n".join(turn.content for turn in turns)
                    found[text] = tuple(PromptTurn(role=turn.role, content=turn.content) for turn in turns)
        return found
