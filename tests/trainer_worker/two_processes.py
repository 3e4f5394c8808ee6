"""One of two processes that train PPO together: writes down what it ends with. `torchrun … ASSIGNMENT`."""

import os
import sys
from hashlib import sha256
from pathlib import Path

from torch import nn

from contracts.method import PpoMethod
from trainer_worker.assignment import Assignment
from trainer_worker.attempt import prepare_process
from trainer_worker.methods import base, ppo
from trainer_worker.spool import SpoolWriter


def digest(model: nn.Module) -> str:
    return sha256(b"".join(weight.detach().numpy().tobytes() for weight in model.parameters())).hexdigest()


def main() -> None:
    assignment = Assignment.read(Path(sys.argv[1]))
    prepare_process(assignment)
    rank, method = os.environ["RANK"], assignment.spec.method
    assert isinstance(method, PpoMethod)
    trainer, _ = ppo.build(base.load(assignment, SpoolWriter(assignment.folder / f"spool-{rank}.jsonl")), method)
    trainer.train()
    ended_with = [digest(trainer.accelerator.unwrap_model(trainer.model)), digest(trainer.critic), trainer.critic.seen]
    (assignment.folder / f"ended-with-{rank}").write_text("\n".join(map(str, ended_with)))


if __name__ == "__main__":
    main()
