"""How each method trains: a contract in, a trained model out."""

from contextlib import suppress

from transformers import Trainer

from contracts.event import Finished, Phase
from contracts.method import (
    CanonicalMethod,
    DpoMethod,
    FullMethod,
    GrpoMethod,
    KtoMethod,
    LoraMethod,
    PpoMethod,
    RewardModelMethod,
    RlooMethod,
)
from trainer_worker.assignment import Assignment
from trainer_worker.callbacks import NothingLeft, Watch
from trainer_worker.checkpoints import check
from trainer_worker.memory import peak_bytes
from trainer_worker.methods.base import Base, load
from trainer_worker.models import files_of, parameters_of, save
from trainer_worker.orders import Interrupted
from trainer_worker.spool import SpoolWriter


def train(assignment: Assignment, spool: SpoolWriter) -> None:
    """From a folder of files to a trained model in `assignment.final_model`, every step of it in the spool.

    Raises:
        Fault: for what the user can mend.
        Interrupted: when an order ended it before its last step.
    """
    base = load(assignment, spool)
    trainer, watch = _build(base, assignment.spec.method)
    _run(trainer, assignment)
    if trainer.state.global_step < trainer.state.max_steps:
        raise Interrupted  # paused or drained: its checkpoint is in the spool
    if trainer.is_world_process_zero():
        _finish(base, trainer, watch)


def _build(base: Base, method: CanonicalMethod) -> tuple[Trainer, Watch]:
    from trainer_worker.methods import dpo, grpo, kto, ppo, reward_model, rloo, sft

    match method:
        case FullMethod() | LoraMethod():
            return sft.build(base, method)
        case DpoMethod():
            return dpo.build(base, method)
        case KtoMethod():
            return kto.build(base, method)
        case RewardModelMethod():
            return reward_model.build(base, method)
        case GrpoMethod():
            return grpo.build(base, method)
        case PpoMethod():
            return ppo.build(base, method)
        case RlooMethod():
            return rloo.build(base, method)


def _run(trainer: Trainer, assignment: Assignment) -> None:
    if assignment.resume is None:
        trainer.train()
        return
    check(assignment.resume, assignment.from_step)
    with suppress(NothingLeft):
        trainer.train(resume_from_checkpoint=str(assignment.resume))


def _finish(base: Base, trainer: Trainer, watch: Watch) -> None:
    base.spool.append(Phase(name="saving"))
    folder = base.assignment.final_model
    model = save(trainer.accelerator.unwrap_model(trainer.model), base.tokenizer, folder, base.assignment.model)
    base.spool.append(
        Finished(
            step=trainer.state.global_step,
            files=files_of(folder),
            parameters=parameters_of(model),
            trained_tokens=watch.trained_tokens,
            task=base.assignment.spec.method.makes,
            peak_memory=peak_bytes(),
        )
    )
