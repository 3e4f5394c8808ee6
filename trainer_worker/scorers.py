"""Reward models beside the model that is trained: what graders reach through their port."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from contracts.fault import Fault
from graders import Conversation, Grader, Port, Unreachable, runs_code
from graders.sandbox import Jails, Unsafe, walls
from trainer_worker.outside import Outside
from trainer_worker.pretrained import Precise, use_bf16
from trainer_worker.scorer import Scorer, load_scorer


@dataclass(frozen=True)
class LocalScorers:
    """The reward models of this process, by the names that graders call them."""

    models: Mapping[str, Scorer]

    def score(self, model: str, conversations: Sequence[Conversation]) -> list[float | None]:
        """As graders.Scorers says."""
        if model not in self.models:
            raise Unreachable(f"The reward model “{model}” was not brought along.")
        return self.models[model].score(conversations)


def load_port(grader: Grader | None, folders: Mapping[str, Path], h: Precise, attempt: Path | None = None) -> Port:
    """The reward models in these folders, on the device and in the precision of the training; jails for code; and what
    the worker relays through the attempt's folder.

    Leaves the random numbers as they were: a training must not depend on who watches it.

    Raises:
        Fault: evaluator.not_a_reward_model, or grader.no_jail.
    """
    if grader is not None and runs_code(grader):
        _require_walls()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    in_bf16 = use_bf16(h)
    with torch.random.fork_rng(devices=devices):
        scorers = LocalScorers({name: load_scorer(name, folder, in_bf16=in_bf16) for name, folder in folders.items()})
    outside = Outside(attempt) if attempt else None
    return Port(scorers=scorers, jails=Jails(), judges=outside, embedders=outside, services=outside)


def _require_walls() -> None:
    try:
        walls()
    except Unsafe as error:
        raise Fault("grader.no_jail", detail=str(error)) from None
