"""TRL's trainers, drawing from our sampler: that they still ask as they did, and what they are answered."""

import inspect
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from trl import GRPOTrainer, RLOOTrainer

from tests.trainer_worker.trainers import grpo_trainer, one_batch
from trainer_worker.batch import can_lead
from trainer_worker.pretrained import render


@pytest.mark.parametrize(
    ("trainer", "asked"),
    [
        (GRPOTrainer, ["self", "prompt_ids", "images", "multimodal_fields", "num_generations", "has_tool_images"]),
        (RLOOTrainer, ["self", "prompt_ids", "images", "multimodal_fields"]),
    ],
)
def test_trl_asks_for_completions_as_it_did(trainer: Any, asked: list[str]) -> None:
    assert list(inspect.signature(trainer._generate_single_turn).parameters) == asked


@pytest.mark.parametrize("trainer", [GRPOTrainer, RLOOTrainer])
def test_trl_asks_for_logprobs_as_it_did(trainer: Any) -> None:
    asked = list(inspect.signature(trainer._get_per_token_logps_and_entropies).parameters)
    assert asked[:5] == ["self", "model", "input_ids", "attention_mask", "logits_to_keep"]


def test_trl_reads_prompts_as_it_did(tiny: Path, tmp_path: Path) -> None:
    """Resampling asks for this: ids first, and no images."""
    trainer = grpo_trainer(tiny, tmp_path)
    rows = trainer.train_dataset[:2]["prompt"]
    ids, images, more = trainer._tokenize_prompts(list(rows))
    texts = [render(trainer.processing_class, turns, to_be_answered=True) for turns in rows]
    assert ids == trainer.processing_class(texts, add_special_tokens=False)["input_ids"]
    assert (images, more) == (None, {})


@pytest.mark.parametrize("beta", [0.0, 0.1])
@pytest.mark.parametrize("cycle", [{"num_iterations": 2}, {"num_minibatches": 2}])
def test_the_old_logprobs_are_the_samplers_and_those_that_trl_would_compute(
    tiny: Path, tmp_path: Path, beta: float, cycle: dict[str, Any]
) -> None:
    trainer = grpo_trainer(tiny, tmp_path, temperature=0.7, beta=beta, **cycle)
    batch = one_batch(trainer)
    computed = _forward(trainer, batch)
    mask = batch["completion_mask"].bool()
    assert torch.allclose(batch["old_per_token_logps"][mask], computed[mask], atol=2e-5)
    assert not torch.equal(batch["old_per_token_logps"][mask], computed[mask]), "they were computed after all"
    assert trainer._drawn_logprobs is None


def test_trl_computes_the_old_logprobs_where_the_samplers_mean_something_else(tiny: Path, tmp_path: Path) -> None:
    trainer = grpo_trainer(tiny, tmp_path, num_iterations=2)
    trainer.keeps_logprobs = False
    batch = one_batch(trainer)
    mask = batch["completion_mask"].bool()
    assert torch.equal(batch["old_per_token_logps"][mask], _forward(trainer, batch)[mask])


def test_an_adapters_reference_is_computed_and_never_taken_from_the_sampler(tiny: Path, tmp_path: Path) -> None:
    trainer = grpo_trainer(tiny, tmp_path, rank=4, beta=0.1)
    with torch.no_grad():
        for name, parameter in trainer.model.named_parameters():
            if "lora_B" in name:
                parameter.add_(0.5)
    batch = one_batch(trainer)
    with trainer.model.disable_adapter():
        expected = _forward(trainer, batch)
    mask = batch["completion_mask"].bool()
    assert "old_per_token_logps" not in batch
    assert torch.allclose(batch["ref_per_token_logps"][mask], expected[mask], atol=1e-6)


def test_a_model_that_is_left_to_generate_trains_with_the_logprobs_of_trl(tiny: Path, tmp_path: Path) -> None:
    model = tmp_path / "sliding"
    shutil.copytree(tiny, model)
    config = json.loads((model / "config.json").read_bytes())
    sliding = {"model_type": "mistral", "architectures": ["MistralForCausalLM"], "sliding_window": 4}
    (model / "config.json").write_text(json.dumps(config | sliding))
    trainer = grpo_trainer(model, tmp_path / "job", num_iterations=2)
    assert not can_lead(trainer.model)
    batch = one_batch(trainer)
    mask = batch["completion_mask"].bool()
    assert torch.equal(batch["old_per_token_logps"][mask], _forward(trainer, batch)[mask])


def _forward(trainer: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Log-probs of the completions by TRL's own forward pass."""
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
    ask: Any = GRPOTrainer._get_per_token_logps_and_entropies
    with torch.no_grad():
        logprobs: torch.Tensor = ask(trainer, trainer.model, ids, mask, batch["completion_ids"].shape[1])[0]
    return logprobs
