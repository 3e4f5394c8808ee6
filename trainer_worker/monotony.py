"""A grader that says the same of every answer teaches nothing: a job that has seen nothing else is stopped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from transformers import TrainerCallback, TrainerControl, TrainerState

from contracts.fault import Fault
from trainer_worker.rewards import GraderReward, Scored

BATCHES = 20
"""So many batches in which all scores are one and the same, from the first on, are no accident."""
EVIDENCE_CHARACTERS = 2000

Logged = Mapping[str, Any]


@dataclass
class Monotony(TrainerCallback):  # type: ignore[misc]  # transformers' base is untyped
    """Reads the trainer's own history, which its checkpoints hold: a resumed job ends where an undisturbed one does."""

    reward: GraderReward
    flush: Callable[[], None]
    """Hands on the rollouts that are still held back, so that the answers can be looked at."""

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        score = only_score(state.log_history)
        if score is None:
            return
        self.flush()
        raise Fault("grader.constant", evidence=_evidence(self.reward.latest), batches=BATCHES, score=f"{score:g}")


def only_score(history: Sequence[Logged]) -> float | None:
    """The score of every answer so far, once there are enough batches. None if any two differ."""
    batches = [logged for logged in history if "reward_std" in logged]
    if len(batches) < BATCHES:
        return None
    first: float | None = _single(batches[0])
    return first if all(_single(logged) == first for logged in batches) else None


def _single(logged: Logged) -> float | None:
    """The one score that a batch's answers got, before any penalty for their length."""
    if logged.get("score_std", logged["reward_std"]) != 0:
        return None
    score: float | None = logged.get("score_mean", logged["reward"])
    return score


def _evidence(scored: Scored | None) -> str | None:
    if scored is None:
        return None
    prompt, receipt = scored.prompts[0][-1]["content"], orjson.dumps(scored.grades[0].to_json()).decode()
    return f"{prompt}\n---\n{scored.texts[0]}\n---\n{receipt}"[:EVIDENCE_CHARACTERS]
