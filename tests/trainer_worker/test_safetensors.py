"""Weights are read from safetensors alone, and no file that a model or a checkpoint brings is run."""

import io
import itertools
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from contracts.event import ResumePoint
from contracts.fault import Fault
from contracts.job import FileRef, ModelRef
from tests.trainer_worker.jobs import PARAMETERS, full, lora, make_spec
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import finished, weights
from trainer_worker.cache import inside
from trainer_worker.checkpoints import check, seal
from trainer_worker.worker import Worker
from whetstone.starter import data

HELD_OUT = list(itertools.islice(data.demonstrations(44), 40, 44))


class Harm:
    """Makes a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:  # Any: as the standard library types it
        return os.mkdir, (str(self.mark),)


def unpack(side: OtherSide, files: tuple[FileRef, ...], folder: Path) -> Path:
    for ref in files:
        place = inside(folder, ref.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(side.blobs[ref.sha256])
    return folder


def test_what_an_adapter_was_merged_into_is_a_base_like_any_other(
    side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path
) -> None:
    side.queue(make_spec(side, tiny, lora(learning_rate=0.01), held_out=HELD_OUT))
    worker.wake()
    first = finished(side)
    left_at = side.events("evaluation")[-1].values["loss"]
    assert any(ref.path.startswith("adapter/") for ref in first.files)
    merged = unpack(side, first.files, tmp_path / "merged")

    side.reports.clear()
    side.queue(make_spec(side, merged, lora(learning_rate=0.01), job="ftjob-2", held_out=HELD_OUT))
    worker.wake()
    second = finished(side)
    told = [event.values["loss"] for event in side.events("evaluation")]
    assert told[0] == pytest.approx(left_at, rel=1e-4)
    assert told[-1] < told[0]
    assert weights(side, second).keys() == weights(side, first).keys()


def test_a_model_with_weights_of_another_kind_is_refused_before_it_is_read(
    side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path
) -> None:
    harmful = side.store(pickle.dumps(Harm(tmp_path / "harmed")), "pytorch_model.bin")
    spec = make_spec(side, tiny, full())
    model = ModelRef(name="brought", files=(*spec.model.files, harmful), parameters=PARAMETERS)
    side.queue(spec.model_copy(update={"model": model}))
    worker.wake()
    fault = side.wait_for_end().fault
    assert (fault.code, fault.cause) == ("model.not_safetensors", "user")
    assert "pytorch_model.bin" in fault.message
    assert not (tmp_path / "harmed").exists()


def poisoned(file: Path, mark: Path) -> None:
    """Let torch's file of a state bring more than numbers: the same archive with another pickle in it."""
    content = io.BytesIO(file.read_bytes())
    with zipfile.ZipFile(content) as before, zipfile.ZipFile(file, "w") as after:
        for name in before.namelist():
            data = pickle.dumps(Harm(mark), protocol=2) if name.endswith("/data.pkl") else before.read(name)
            after.writestr(name, data)


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_no_code_in_a_checkpoint_is_run_even_if_its_manifest_vouches_for_it(
    side: OtherSide, worker: Worker, tiny: Path, tmp_path: Path, name: str
) -> None:
    spec = make_spec(side, tiny, full(max_steps=2, checkpoint_interval=1))
    side.queue(spec)
    worker.wake()
    finished(side)
    saved = side.events("checkpoint")[0]
    folder = unpack(side, saved.files, tmp_path / "checkpoint")
    poisoned(folder / name, tmp_path / "harmed")
    (folder / "manifest.json").unlink()
    seal(folder, saved.step)

    side.reports.clear()
    side.queue(spec, attempt=2, resume=ResumePoint(step=saved.step, files=side.store_folder(folder)))
    worker.wake()
    fault = side.wait_for_end().fault
    assert fault.code == "job.training_failed"
    assert "weights_only" in (fault.evidence or "")
    assert not (tmp_path / "harmed").exists()


def test_a_checkpoint_with_a_file_that_its_manifest_does_not_know_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    seal(tmp_path, step=5)
    check(tmp_path, step=5)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "pytorch_model.bin").write_bytes(pickle.dumps(1))
    with pytest.raises(Fault, match=r"more/pytorch_model\.bin is not in its manifest"):
        check(tmp_path, step=5)
