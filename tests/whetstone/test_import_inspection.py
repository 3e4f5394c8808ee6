"""What comes into the hub is looked at first: weights, configs and adapters; refused, or known for what they are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.whetstone.imports import carried, code, imported, model_of, roots
from tests.whetstone.model_files import make_adapter, make_folder, make_shards, weights
from whetstone.artifacts.models import Blob
from whetstone.modelhub.begin import again
from whetstone.modelhub.models import Model

__all__ = ["roots"]


def headed(header: bytes, body: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + body


def one_tensor(shape: list[int], offsets: list[int], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param((2**40).to_bytes(8, "little") + b"{", id="header bomb"),
        pytest.param(headed(b"[" * 5000), id="deep header"),
        pytest.param(headed(b"{}", b"more"), id="bytes of nobody"),
        pytest.param(headed(json.dumps({"a": one_tensor([4], [0, 16])}).encode(), b"x" * 8), id="truncated"),
        pytest.param(
            headed(json.dumps({n: one_tensor([2], [0, 8]) for n in "ab"}).encode(), b"x" * 8), id="overlapping"
        ),
        pytest.param(headed(json.dumps({"a": one_tensor([2**40], [0, 8])}).encode(), b"x" * 8), id="too large"),
        pytest.param(headed(json.dumps({"a": one_tensor([-2], [0, 8])}).encode(), b"x" * 8), id="negative"),
        pytest.param(headed(json.dumps({"a": one_tensor([8], [0, 8], "PICKLE")}).encode(), b"x" * 8), id="type"),
    ],
)
def test_weights_that_cannot_be_trusted_are_refused(roots: Path, content: bytes) -> None:
    folder = make_folder(roots / "bad")
    (folder / "model.safetensors").write_bytes(content)
    assert code(imported(folder)) == "model.broken_weights"
    assert not Model.objects.exists()


@pytest.mark.parametrize(
    ("config", "fault", "told"),
    [
        ({"hidden_size": 16}, "model.config_lies", "model.embed_tokens.weight"),
        ({"vocab_size": 300}, "model.config_lies", "vocab_size"),
        ({"num_hidden_layers": 3}, "model.layers_missing", "2"),
        ({"num_hidden_layers": 1}, "model.config_lies", "model.layers.1"),
        ({"architectures": ["Qwen2Model"]}, "model.no_head", "Qwen2Model"),
        ({"architectures": ["MysteryForCausalLM"]}, "model.unknown_architecture", "MysteryForCausalLM"),
        ({"architectures": ["MineForCausalLM"], "auto_map": {"AutoModel": "m.M"}}, "model.own_code", "MineForCausalLM"),
        ({"vision_config": {}}, "model.not_text", "Qwen2ForCausalLM"),
        ({"architectures": ["Qwen2ForSequenceClassification"], "num_labels": 3}, "model.many_labels", "3"),
        ({"more": json.loads("[" * 40 + "]" * 40)}, "model.broken_json", "config.json"),
    ],
)
def test_a_config_that_lies_or_asks_too_much_is_refused(
    roots: Path, config: dict[str, Any], fault: str, told: str
) -> None:
    one = imported(make_folder(roots / "bad", config))
    assert code(one) == fault
    assert one.fault_report is not None
    assert told in one.fault_report.message


def test_a_shard_that_the_index_names_must_be_there(roots: Path) -> None:
    folder = make_shards(roots / "two")
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert code(imported(folder)) == "model.shard_missing"


def test_pickles_alone_are_refused_before_anything_is_stored(roots: Path) -> None:
    folder = make_folder(roots / "old", pytorch_model__bin=b"a pickle")
    (folder / "model.safetensors").unlink()
    one = imported(folder)
    assert (code(one), Blob.objects.count()) == ("model.only_pickles", 0)


def test_a_reward_model_is_known_by_its_head(roots: Path) -> None:
    folder = make_folder(roots / "judge", {"architectures": ["Qwen2ForSequenceClassification"], "num_labels": 1})
    assert code(imported(folder, "headless")) == "model.no_head"
    save_file(weights() | {"score.weight": np.zeros((1, 8), np.float32)}, folder / "model.safetensors")
    assert model_of(imported(folder)).task == "reward"


def test_experts_count_once_in_all_and_by_those_that_a_token_meets(roots: Path) -> None:
    told = {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe"}
    folder = make_folder(roots / "moe", told | {"num_experts": 4, "num_experts_per_tok": 1})
    experts = {
        f"model.layers.{layer}.mlp.experts.{n}.up_proj.weight": np.zeros((16, 8), np.float32)
        for layer in range(2)
        for n in range(4)
    }
    save_file(weights() | experts, folder / "model.safetensors")
    model = model_of(imported(folder))
    dense = sum(value.size for value in weights().values())
    assert (model.parameters, model.active_parameters) == (dense + 8 * 128, dense + 2 * 128)


def test_packed_weights_are_said_to_be_quantized(roots: Path) -> None:
    folder = make_folder(roots / "packed", {"quantization_config": {"quant_method": "gptq", "bits": 4}})
    packed = weights() | {"model.layers.0.mlp.gate_proj.qweight": np.zeros((1, 16), np.int32)}
    save_file(packed, folder / "model.safetensors")
    model = model_of(imported(folder))
    assert model.quantization == "gptq 4-bit"
    assert model.parameters == sum(value.size for value in weights().values()) + 16 * 8


def test_an_adapter_comes_in_on_its_base_alone(roots: Path) -> None:
    adapter = make_adapter(roots / "adapter", "tiny")
    missing = imported(adapter)
    assert code(missing) == "adapter.no_base"
    base = model_of(imported(make_folder(roots / "tiny")))
    again(missing)
    model = model_of(carried(missing))
    assert (model.base, model.is_adapter, model.parameters) == (base, True, base.parameters)
    assert {file.path for file in model.ref().files} >= {"model.safetensors", "adapter_model.safetensors"}


def test_an_adapter_for_another_base_is_refused_with_the_layer(roots: Path) -> None:
    imported(make_folder(roots / "tiny"))
    one = imported(make_adapter(roots / "adapter", "tiny", hidden=16))
    assert code(one) == "adapter.wrong_base"
    assert one.fault_report is not None
    assert "16×16, and it is 8×8" in one.fault_report.message
