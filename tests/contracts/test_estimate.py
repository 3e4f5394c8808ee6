"""How much memory a training needs, and what would need less."""

from typing import Any

import pytest

from contracts.estimate import (
    Shape,
    Speed,
    Work,
    Workload,
    adapter_parameters,
    answering_s,
    duration_of,
    estimate,
    needs_checkpointing,
    smaller,
    speed_of,
)
from contracts.evaluation import EvaluationSettings
from contracts.evaluation import resolve as resolve_answering
from contracts.method import CanonicalMethod, LoraAdapter
from contracts.resolve import Facts, resolve
from contracts.resource import Gpu, Machine
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
    found = estimate(resolved("full"), LOAD, checkpointing=False)
    assert found.kept + found.gradients == 16 * HALF_A_BILLION


@pytest.mark.parametrize(("bf16", "bytes_a_parameter"), [(False, 4), (True, 2)])
def test_a_reward_model_that_is_asked_lies_beside_the_policy(bf16: bool, bytes_a_parameter: int) -> None:
    alone, method = LOAD.model_copy(update={"bf16": bf16}), resolved("grpo")
    beside = alone.model_copy(update={"scorers": (SHAPE, SHAPE)})
    found, before = (estimate(method, load, checkpointing=False) for load in (beside, alone))
    assert found.kept - before.kept == 2 * bytes_a_parameter * HALF_A_BILLION
    assert found.scoring > before.scoring == 0
    assert found.peak > before.peak


def test_scoring_counts_where_neither_learning_nor_sampling_needs_as_much() -> None:
    method = resolved("grpo", batch_size=1, micro_batch_size=2, num_generations=2, max_completion_length=1)
    load = LOAD.model_copy(update={"tokens": 8, "scorers": (SHAPE,)})
    found = estimate(method, load, checkpointing=True)
    assert found.scoring > max(found.activations, found.sampling)
    assert found.peak == found.libraries + found.kept + max(found.scoring, found.gradients)


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
    found = estimate(resolved(kind, **hyperparameters), LOAD, checkpointing=False)
    assert found.kept + found.gradients == bytes_a_parameter * HALF_A_BILLION


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
    assert 1.4 * one < two < longer.activations < 2.1 * one, "the mask is longer too"
    assert estimate(resolved("full", micro_batch_size=8), LOAD, checkpointing=True).activations < 1.3 * one


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
    assert smaller(method, LOAD, 12.5 * GB) == "micro_batch_size 1, gradient_checkpointing true"
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
    load = LOAD.model_copy(update={"gpu": True})
    assert estimate(method, load, checkpointing=True).sampling > 50 * GB
    assert smaller(method, load, 24 * GB) == "batch_size 8"


PUBLISHED: dict[str, tuple[dict[str, Any], int, float]] = {
    "Qwen3-8B": (
        {
            "model_type": "qwen3", "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36,
            "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
        },
        8_190_735_360,
        8.2e9,
    ),
    "Llama-3.1-8B": (
        {
            "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
        },
        8_030_261_248,
        8.0e9,
    ),
    "Mistral-7B-v0.3": (
        {
            "model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 32768,
        },
        7_248_023_552,
        7.2e9,
    ),
    "Gemma-3-1B": (
        {
            "model_type": "gemma3_text", "hidden_size": 1152, "intermediate_size": 6912, "num_hidden_layers": 26,
            "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "vocab_size": 262144,
        },
        999_885_952,
        1.0e9,
    ),
    "Phi-3-mini": (
        {
            "model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32064,
        },
        3_821_079_552,
        3.8e9,
    ),
    "Qwen3-30B-A3B": (
        {
            "model_type": "qwen3_moe", "hidden_size": 2048, "intermediate_size": 6144, "moe_intermediate_size": 768,
            "num_experts": 128, "num_experts_per_tok": 8, "num_hidden_layers": 48, "num_attention_heads": 32,
            "num_key_value_heads": 4, "head_dim": 128, "vocab_size": 151936, "decoder_sparse_step": 1,
        },
        30_532_122_624,
        3.3e9,
    ),
    "Mixtral-8x7B": (
        {
            "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336, "num_local_experts": 8,
            "num_experts_per_tok": 2, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
            "vocab_size": 32000,
        },
        46_702_792_704,
        12.9e9,
    ),
}  # fmt: skip
"""What their makers publish: config, parameters, and how many of them work on a token."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_of_a_mixture_all_parameters_take_memory_and_the_active_ones_take_time(name: str) -> None:
    config, parameters, active = PUBLISHED[name]
    shape = Shape.of(config, parameters)
    assert shape.active == pytest.approx(active, rel=0.02)
    assert shape.normed == name.startswith(("Qwen3", "Gemma"))
    load = Workload(shape=shape, tokens=1024, bf16=True, gpu=True)
    lora = estimate(resolved("lora", micro_batch_size=1), load, checkpointing=True)
    assert 6 * parameters < lora.peak < 8 * parameters + 6e9, "weights in fp32, once more in bf16, and little else"
    work = Work(load=load, steps=10, row_tokens=1024)
    h100 = speed_of(Machine(host="a", pid=1, cores=8, memory_gb=64, gpus=(Gpu(name="NVIDIA H100 80GB", memory_gb=80),)))
    step_s = duration_of(resolved("full", batch_size=8), work, h100).learning / 10
    assert step_s > 6 * active * 8 * 1024 / h100.flops


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"model_type": "qwen2_vl", "vision_config": {"depth": 32}, **CONFIG}, "vision_config"),
        ({"audio_config": {}, "text_config": CONFIG}, "audio_config"),
        ({"model_type": "mamba", "hidden_size": 768, "num_hidden_layers": 24, "vocab_size": 50280}, "no decoder"),
        ({**CONFIG, "num_hidden_layers": 0}, "below 1"),
        ({**CONFIG, "hidden_size": "wide"}, "no decoder"),
        ({"text_config": 7}, "no decoder"),
    ],
)
def test_what_is_no_decoder_of_text_is_refused_with_a_reason(config: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Shape.of(config, 1)


A_GPU = Speed(flops=1e14, bandwidth=1e12, layer_s=0.0)


def seconds(
    kind: str, *, adapter: bool = False, speed: Speed = A_GPU, work: dict[str, Any] | None = None, **h: Any
) -> Any:
    given = Work(load=LOAD, steps=100, row_tokens=512).model_copy(update=work or {})
    return duration_of(resolved(kind, adapter, **({"batch_size": 8} | h)), given, speed)


def test_learning_takes_six_operations_for_each_parameter_and_token() -> None:
    learned = seconds("full").learning * A_GPU.flops
    assert learned == pytest.approx(100 * 6 * HALF_A_BILLION * 8 * 512, rel=0.25), "and the attention's on top"
    assert seconds("full", adapter=False, work={"checkpointing": True}).learning > 1.25 * seconds("full").learning
    assert seconds("lora").learning < 0.75 * seconds("full").learning, "frozen weights have no gradients"
    assert seconds("dpo").learning > 2 * seconds("full").learning, "a pair, and the reference reads it too"


def test_sampling_moves_the_weights_once_for_every_token() -> None:
    found = seconds("grpo", batch_size=1, num_generations=2, max_completion_length=100)
    weights_s = 100 * 100 * 4 * HALF_A_BILLION / A_GPU.bandwidth
    assert found.sampling == pytest.approx(weights_s, rel=0.1)
    critic = seconds("ppo", batch_size=1, num_generations=2, num_minibatches=1, max_completion_length=100)
    assert critic.learning > 1.9 * found.learning, "a critic learns too, and says something before it does"
    assert seconds("full").sampling == 0


def test_a_batch_that_is_learned_from_twice_is_sampled_once() -> None:
    once = seconds("grpo", max_completion_length=64).sampling
    assert seconds("grpo", max_completion_length=64, num_iterations=2).sampling == pytest.approx(once / 2)


def test_an_evaluation_s_answers_that_are_written_at_once_share_the_weights() -> None:
    def took(rows: int, **settings: Any) -> float:
        asked = EvaluationSettings(max_completion_length=100, **settings)
        how = resolve_answering(asked, rows=rows, parameters=HALF_A_BILLION, context=0)
        return answering_s(how, SHAPE, 512, A_GPU)

    def thirty_two_rows(**settings: Any) -> float:
        return took(64, **settings) - took(32, **settings)

    weights_s = 100 * 4 * HALF_A_BILLION / A_GPU.bandwidth
    together = thirty_two_rows(batch_size=32)
    assert weights_s < together < 3 * weights_s, "the cache and the prompts come on top"
    assert 32 * weights_s < thirty_two_rows(batch_size=1)
    assert together < thirty_two_rows(batch_size=32, samples=4) < 4 * together


def test_evaluating_and_saving_take_time_as_often_as_they_are_done() -> None:
    rare, often = (
        seconds("full", eval_interval=n, checkpoint_interval=n, work={"held_out_rows": 64}) for n in (100, 10)
    )
    assert often.evaluating == pytest.approx(rare.evaluating * 11 / 2)
    assert often.saving > 5 * rare.saving
    assert seconds("full").evaluating == 0
    graded = seconds("full", eval_interval=100, work={"held_out_rows": 64, "held_out_samples": True})
    assert graded.evaluating > rare.evaluating


@pytest.mark.parametrize(
    ("gpus", "flops"),
    [
        (["NVIDIA H100 80GB HBM3"], 989e12),
        (["NVIDIA A10G"], 70e12),
        (["NVIDIA A10"], 125e12),
        (["Tesla T4"] * 2, 130e12),
    ],
)
def test_a_gpu_is_known_by_its_name(gpus: list[str], flops: float) -> None:
    found = speed_of(
        Machine(host="a", pid=1, cores=8, memory_gb=64, gpus=tuple(Gpu(name=n, memory_gb=16) for n in gpus))
    )
    assert found.is_known
    assert found.flops == pytest.approx(0.3 * flops)


def test_of_a_gpu_that_nobody_knows_something_is_assumed() -> None:
    gpu = Gpu(name="Abacus 9000", memory_gb=16)
    found = speed_of(Machine(host="a", pid=1, cores=8, memory_gb=64, gpus=(gpu,)))
    assert not found.is_known
    cpu = speed_of(Machine(host="a", pid=1, cores=8, memory_gb=64))
    assert cpu.flops < found.flops
