"""What an answer that was sampled by a job was an answer to."""

from functools import cached_property
from itertools import islice

from contracts.dataset import prepare
from whetstone.artifacts.store import open_blob
from whetstone.datasets.lines import rows_of
from whetstone.datasets.models import DatasetVersion
from whetstone.labels.said import PromptTurn

MOST_ROWS = 100_000
"""Of the job's dataset, in which the turns of a prompt are looked up."""


class Turns:
    """A rollout keeps the text of its prompt without roles: the dataset still knows them."""

    def __init__(self, version: DatasetVersion | None) -> None:
        self.version = version

    def of(self, prompt: str) -> tuple[PromptTurn, ...]:
        return self._known.get(prompt) or (PromptTurn(role="user", content=prompt),)

    @cached_property
    def _known(self) -> dict[str, tuple[PromptTurn, ...]]:
        """Those that are more than one message of the user."""
        found: dict[str, tuple[PromptTurn, ...]] = {}
        if self.version is None:
            return found
        with open_blob(self.version.blob) as file:
            for _line, _offset, _raw, row in islice(rows_of(file), MOST_ROWS):
                turns = prepare(row, self.version.column_mapping).prompt
                if len(turns) > 1 or turns[0].role != "user":
                    text = "\n\n".join(turn.content for turn in turns)
                    found[text] = tuple(PromptTurn(role=turn.role, content=turn.content) for turn in turns)
        return found
