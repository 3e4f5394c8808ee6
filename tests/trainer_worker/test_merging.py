"""Merging an adapter, by a real worker."""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from contracts.event import Failed, Finished
from contracts.job import ModelRef
from contracts.merging import MergeSpec
from tests.trainer_worker.jobs import PARAMETERS, tiny_model
from tests.trainer_worker.other_side import OtherSide
from tests.trainer_worker.test_attempts import weights
from trainer_worker.worker import Worker


def adapter_and_base(folder: Path, rank: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Both in one folder, as a worker finds them; and one layer's weights, with and without the adapter."""
    base = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tiny_model(folder)))
    base.save_pretrained(folder)
    plain = base.model.layers[0].self_attn.q_proj.weight.detach().clone()
    both = get_peft_model(base, LoraConfig(r=rank, target_modules=["q_proj"], init_lora_weights=False))
    both.save_pretrained(folder)
    return both.merge_and_unload().model.layers[0].self_attn.q_proj.weight.detach(), plain


def spec_of(side: OtherSide, folder: Path) -> MergeSpec:
    return MergeSpec(
        job="merge-1", model=ModelRef(name="taste", files=side.store_folder(folder), parameters=PARAMETERS)
    )


def test_an_adapter_and_its_base_become_one_model(side: OtherSide, worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    wanted, plain = adapter_and_base(tmp_path / "both")
    side.queue(spec_of(side, tmp_path / "both"))
    worker.wake()
    end = side.wait_for_end()
    assert isinstance(end, Finished), side.log
    names = {file.path for file in end.files}
    assert {"model.safetensors", "config.json", "tokenizer.json", "adapter/adapter_model.safetensors"} <= names
    assert "adapter_config.json" not in names
    merged = weights(side, end)["model.layers.0.self_attn.q_proj.weight"]
    assert torch.allclose(merged, wanted, atol=1e-6)
    assert not torch.allclose(merged, plain, atol=1e-3)
    assert (end.task, end.trained_tokens) == ("text", 0)


def test_an_adapter_for_another_base_ends_with_a_sentence(side: OtherSide, worker: Worker, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    adapter_and_base(folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"r": 5}))
    side.queue(spec_of(side, folder))
    worker.wake()
    end = side.wait_for_end()
    assert isinstance(end, Failed), side.log
    assert end.fault.code == "adapter.unmergeable"
    assert "size mismatch" in end.fault.message
