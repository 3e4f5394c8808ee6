"""How much memory a training needs, and what would need less."""

from typing import Any

import pytest

from contracts.estimate import Shape, Workload, adapter_parameters, estimate, needs_checkpointing, smaller
from contracts.method import CanonicalMethod, LoraAdapter
from contracts.resolve import Facts, resolve
from tests.contracts.methods import method_of

# Qwen2.5-0.5B's config, as far as it matters.
CONFIG: dict[str, Any] = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
}
HALF_A_BILLION = 494_032_768
SHAPE = Shape.of(CONFIG, HALF_A_BILLION)
LOAD = Workload(shape=SHAPE, tokens=512, bf16=False)
GB = 1e9


def resolved(kind: str, adapter: bool = False, **hyperparameters: Any) -> CanonicalMethod:
    method = method_of(kind, LoraAdapter() if adapter else None, **hyperparameters)
    return resolve(method, Facts(rows=1000, parameters=HALF_A_BILLION))


def test_a_config_says_what_counts() -> None:
    assert (SHAPE.layers, SHAPE.query, SHAPE.key_value) == (24, 896, 128)
    assert Shape.of({"text_config": CONFIG}, 1) == Shape.of(CONFIG, 1)
    gpt2 = {"n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257}
    assert (Shape.of(gpt2, 1).intermediate, Shape.of(gpt2, 1).key_value) == (3072, 768)


@pytest.mark.parametrize("config", [{}, {"hidden_size": 8}, {**CONFIG, "num_attention_heads": 0}])
def test_a_config_of_something_else_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="describes no decoder"):
        Shape.of(config, 1)


def test_full_training_keeps_sixteen_bytes_a_parameter() -> None:
    assert estimate(resolved("full"), LOAD, checkpointing=False).kept == 16 * HALF_A_BILLION


@pytest.mark.parametrize(("bf16", "bytes_a_parameter"), [(False, 4), (True, 2)])
def test_a_reward_model_that_is_asked_lies_beside_the_policy(bf16: bool, bytes_a_parameter: int) -> None:
    alone, method = LOAD.model_copy(update={"bf16": bf16}), resolved("grpo")
    beside = alone.model_copy(update={"scorers": (SHAPE, SHAPE)})
    found, before = (estimate(method, load, checkpointing=False) for load in (beside, alone))
    assert found.kept - before.kept == 2 * bytes_a_parameter * HALF_A_BILLION
    assert found.scoring > before.scoring == 0
    assert found.peak > before.peak


def test_scoring_counts_where_neither_learning_nor_sampling_needs_as_much() -> None:
    method = resolved("grpo", batch_size=1, micro_batch_size=1, num_generations=2, max_completion_length=1)
    load = LOAD.model_copy(update={"tokens": 8, "scorers": (SHAPE,)})
    found = estimate(method, load, checkpointing=True)
    assert found.scoring > max(found.activations, found.sampling)
    assert found.peak == pytest.approx(found.kept + found.scoring, rel=0.1)


@pytest.mark.parametrize(
    ("kind", "hyperparameters", "bytes_a_parameter"),
    [
        ("grpo", {"beta": 0.0}, 16),
        ("grpo", {"beta": 0.04}, 20),
        ("rloo", {}, 20),
        ("dpo", {}, 20),
        ("kto", {}, 20),
        ("reward_model", {}, 16),
        ("ppo", {}, 32),
        ("ppo", {"beta": 0.1}, 36),
    ],
)
def test_a_reference_is_kept_and_a_critic_learns(
    kind: str, hyperparameters: dict[str, Any], bytes_a_parameter: int
) -> None:
    kept = estimate(resolved(kind, **hyperparameters), LOAD, checkpointing=False).kept
    assert kept == bytes_a_parameter * HALF_A_BILLION


def test_an_adapter_has_the_parameters_that_peft_counts() -> None:
    """8,798,208 is what PEFT prints for rank 16 on all linear layers of this model."""
    assert adapter_parameters(SHAPE, LoraAdapter(rank=16)) == 8_798_208


@pytest.mark.parametrize("kind", ["lora", "grpo", "dpo", "ppo"])
def test_an_adapter_needs_hardly_more_than_the_weights(kind: str) -> None:
    kept = estimate(
        resolved(kind, adapter=True, beta=0.1) if kind != "lora" else resolved(kind), LOAD, checkpointing=False
    ).kept
    assert 4 * HALF_A_BILLION < kept < 5.5 * HALF_A_BILLION


def test_activations_grow_with_rows_and_tokens_and_shrink_with_checkpointing() -> None:
    one = estimate(resolved("full", micro_batch_size=1), LOAD, checkpointing=False).activations
    two = estimate(resolved("full", micro_batch_size=2), LOAD, checkpointing=False).activations
    longer = estimate(
        resolved("full", micro_batch_size=1), LOAD.model_copy(update={"tokens": 1024}), checkpointing=False
    )
    assert two == longer.activations == 2 * one
    assert estimate(resolved("full", micro_batch_size=1), LOAD, checkpointing=True).activations < one / 8


def test_checkpointing_is_used_where_the_memory_asks_for_it() -> None:
    method = resolved("full", micro_batch_size=8)
    without = estimate(method, LOAD, checkpointing=False).peak
    assert not needs_checkpointing(method, LOAD, 2 * without)
    assert needs_checkpointing(method, LOAD, without)
    assert needs_checkpointing(resolved("full", gradient_checkpointing=True), LOAD, 100 * without)
    assert not needs_checkpointing(resolved("full", gradient_checkpointing=False), LOAD, 1.0)


def test_the_smaller_setting_is_the_least_change_that_fits() -> None:
    method = resolved("full", micro_batch_size=8, batch_size=8, gradient_checkpointing=False)
    assert smaller(method, LOAD, 14 * GB) == "micro_batch_size 1"
    assert smaller(method, LOAD, 17 * GB) == "micro_batch_size 2"
    assert smaller(method, LOAD, 11 * GB) == "micro_batch_size 1, gradient_checkpointing true"
    assert smaller(method, LOAD, 5 * GB) == "micro_batch_size 1, gradient_checkpointing true, lora"


def test_what_fits_by_estimate_and_did_not_is_still_made_smaller() -> None:
    method = resolved("full", micro_batch_size=8, batch_size=8)
    assert smaller(method, LOAD, 1000 * GB).startswith("micro_batch_size ")


def test_the_smallest_is_named_when_nothing_fits() -> None:
    assert smaller(resolved("full"), LOAD, 1.0) == "micro_batch_size 1, gradient_checkpointing true, lora"
    assert smaller(resolved("grpo"), LOAD, 1.0).endswith("lora, batch_size 1")
    assert "lora" not in smaller(resolved("lora"), LOAD, 1.0)


def test_many_completions_at_once_are_fewer_afterwards() -> None:
    method = resolved(
        "grpo", adapter=True, batch_size=64, num_generations=16, max_completion_length=4096, micro_batch_size=1
    )
    assert estimate(method, LOAD, checkpointing=True).sampling > 50 * GB
    assert smaller(method, LOAD, 24 * GB) == "batch_size 8"
