"""What happens around the steps of any trainer: orders, metrics, evaluations, checkpoints."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from contracts.event import MOST_ROWS_TOLD, CheckpointSaved, Evaluation, Metrics, Phase
from contracts.fault import Fault
from contracts.method import Hyperparameters
from contracts.resolve import fixed
from trainer_worker.assignment import Assignment
from trainer_worker.checkpoints import seal
from trainer_worker.evaluate import Examination, Findings, examine
from trainer_worker.orders import TO_END, TO_SAVE, Interrupted, OrderBook
from trainer_worker.spool import SpoolWriter

# Sums and clocks of the trainer that say nothing about a step.
NOT_METRICS = frozenset(
    {"epoch", "total_flos", "train_loss", "train_runtime", "train_samples_per_second", "train_steps_per_second"}
)

EVALUATION_OWED = "evaluation_owed"
"""A file of a checkpoint that was saved in a hurry: its step was due to be evaluated, and was not."""


class NothingLeft(Exception):
    """The checkpoint stands at the last step: what was loaded is the trained model. No fault."""


@dataclass
class Watch(TrainerCallback):  # type: ignore[misc]  # transformers' base is untyped
    """Every trainer gets one. Only the first process of several speaks."""

    assignment: Assignment
    h: Hyperparameters
    spool: SpoolWriter
    examinations: list[Examination]
    after_step: Callable[[], None] = lambda: None
    """Runs once a step's metrics are reported: a place for rollouts."""
    before_checkpoint: Callable[[], None] = lambda: None
    speaks: bool = True
    step: int = 0
    trained_tokens: int = 0
    _began_at: int = 0
    _owes_evaluation: bool = False
    _orders: OrderBook = field(init=False)

    def __post_init__(self) -> None:
        self._orders = OrderBook(self.assignment.orders)
        self.trained_tokens = self.assignment.trained_tokens

    def obey(self) -> None:
        """Wait while the lease is unsure. Raises Interrupted when there is to be no further step.

        An order to save is obeyed after the step in which it comes, unless there is nothing to save, or nothing to
        train for because the lease is over.
        """
        order = self._orders.when_held()
        is_pointless = self.step == self._began_at or not self._orders.is_held
        if order in TO_END or (order in TO_SAVE and is_pointless):
            raise Interrupted

    def say_phase(self, name: Any) -> None:  # Any: Phase checks the word
        if self.speaks:
            self.spool.append(Phase(name=name))

    def evaluate(self, model: Any) -> None:
        """Score the held-out data now and report it under the present step."""
        if not self.examinations:
            return
        self.say_phase("evaluating")
        found = examine(model, self.examinations)
        if self.speaks:
            self.spool.append(_evaluation(self.step, found))
        self.say_phase("training")

    def on_train_begin(
        self, args: Any, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        self.step = self._began_at = state.global_step
        self.obey()
        resume = self.assignment.resume
        if state.global_step == 0 or (resume is not None and (resume / EVALUATION_OWED).exists()):
            self.evaluate(model)
        if state.global_step >= state.max_steps:
            raise NothingLeft  # the trainer would take one more step
        self.say_phase("training")

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.obey()

    def on_substep_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._orders.now().order in TO_END:
            raise Interrupted

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.step = state.global_step
        is_last = state.global_step >= state.max_steps
        stops = not is_last and self._is_between_batches and self._orders.now().order in TO_SAVE
        is_due = is_last or self.step % int(fixed(self.h.eval_interval)) == 0
        control.should_log = True
        control.should_evaluate = is_due and not stops
        control.should_save = stops or is_last or self.step % int(fixed(self.h.checkpoint_interval)) == 0
        control.should_training_stop |= stops
        self._owes_evaluation = is_due and stops

    def on_log(
        self, args: Any, state: TrainerState, control: TrainerControl, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        logs = logs or {}
        if "loss" not in logs:  # the summary at the end of the training
            return
        if not math.isfinite(logs["loss"]):
            raise Fault("job.loss_not_finite", value=str(logs["loss"]), step=state.global_step)
        values = {
            name: float(value)
            for name, value in logs.items()
            if name not in NOT_METRICS and isinstance(value, int | float) and math.isfinite(value)
        }
        self.trained_tokens = int(values.get("num_tokens", self.trained_tokens))
        if self.speaks:
            self.spool.append(Metrics(step=state.global_step, values=values))
        self.after_step()

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        control.should_save = False  # the trainer asks twice at the end of an epoch
        self.before_checkpoint()
        if self.speaks:
            folder = self.assignment.checkpoint(state.global_step)
            if self._owes_evaluation:
                (folder / EVALUATION_OWED).write_text("The next attempt evaluates this step first.\n")
            self.spool.append(CheckpointSaved(step=state.global_step, files=seal(folder, state.global_step)))
        self.say_phase("training")

    @property
    def _is_between_batches(self) -> bool:
        """Whether a checkpoint would hold all that the next step needs: completions in use are not part of it."""
        return self.step % self.h.cycle == 0


def _evaluation(step: int, found: Findings) -> Evaluation:
    """Without what is no number: JSON has no word for it."""
    values = {name: value for name, value in found.values.items() if math.isfinite(value)}
    rows = {
        name: parts
        for name, parts in found.rows.items()
        if name in values and len(parts) <= MOST_ROWS_TOLD and all(map(math.isfinite, parts))
    }
    return Evaluation(step=step, values=values, rows=rows)
