from pathlib import Path

from tests.trainer_worker.jobs import full, grpo, lora, make_spec
from tests.trainer_worker.other_side import OtherSide
from trainer_worker.worker import Worker
from whetstone.starter import data


def test_a_grpo_job_is_trained_and_reported_from_claim_to_model(side: OtherSide, worker: Worker, tiny: Path) -> None:
    held_out = list(data.problems("validation"))[:4]
    side.queue(make_spec(side, tiny, grpo(eval_interval=2, checkpoint_interval=2), held_out=held_out))
    worker.wake()
    finished = side.wait_for_end()
    assert finished.type == "finished", side.log
    assert [event.step for event in side.events("metrics")] == [1, 2, 3]
