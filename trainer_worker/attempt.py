"""One attempt, inside its training process: prepare -> train -> save -> finish. It has no network and no secret."""

import os
import sys
import traceback
from pathlib import Path

import torch

from contracts.event import Failed
from contracts.fault import Fault, FaultReport
from trainer_worker import disk, memory
from trainer_worker.assignment import Assignment, EvaluationWork, MergeWork, Work, read_work
from trainer_worker.evaluation import evaluate
from trainer_worker.lifeline import die_with
from trainer_worker.merging import merge
from trainer_worker.methods import train
from trainer_worker.needs import advice
from trainer_worker.orders import Interrupted
from trainer_worker.scratch import join_trainers
from trainer_worker.spool import SpoolWriter

EVIDENCE_CHARACTERS = 6000


def carry_out(assignment: Work) -> int:
    """Do the work and say in the spool how it ended. Returns the process's exit status."""
    try:
        spool = SpoolWriter(assignment.spool)
        try:
            _do(assignment, spool)
        except Interrupted:
            return 0
        except Exception as error:
            spool.append(Failed(fault=_fault_of(error, assignment)))
            return 1
    except OSError as error:
        if not disk.is_full(error):
            raise
        return disk.EXIT_STATUS
    return 0


def _do(assignment: Work, spool: SpoolWriter) -> None:
    if isinstance(assignment, EvaluationWork):
        evaluate(assignment, spool)
    if isinstance(assignment, MergeWork):
        merge(assignment, spool)
    if isinstance(assignment, Assignment):
        train(assignment, spool)


def prepare_process(assignment: Work) -> None:
    """Undo what is right for the launcher and wrong for a training."""
    os.environ["OMP_NUM_THREADS"] = str(assignment.threads)
    os.environ.pop("TOKENIZERS_PARALLELISM", None)
    torch.set_num_threads(assignment.threads)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # both are text files here


def _fault_of(error: Exception, assignment: Work) -> FaultReport:
    if isinstance(error, Fault):
        return error.report
    if disk.is_full(error):
        return disk.full(assignment)
    traceback.print_exc()
    if memory.has_run_out(error):
        return _report("job.out_of_memory", how=_first_line(error), smaller=advice(assignment))
    return _report("job.training_failed", detail=f"{type(error).__name__}: {_first_line(error)}")


def _report(code: str, **params: str) -> FaultReport:
    return FaultReport(code=code, params=dict(params), evidence=traceback.format_exc()[-EVIDENCE_CHARACTERS:])


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:500]


if __name__ == "__main__":  # one of torchrun's processes
    die_with(os.getppid())
    given = read_work(Path(sys.argv[1]))
    with join_trainers(given.scratch):
        prepare_process(given)
        sys.exit(carry_out(given))
