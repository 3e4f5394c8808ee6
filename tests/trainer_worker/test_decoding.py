"""The sampler gives what `generate` gives, and TRL's log-probs of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from trainer_worker.batch import can_lead
from trainer_worker.decoding import Manner, complete
from trainer_worker.pretrained import end_ids, load_tokenizer
from trainer_worker.sampler import Sampler

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": 40,
    "max_position_embeddings": 128,
}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 40, "n_positions": 128}
MAMBA = {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 40, "state_size": 4}
END, PAD = 3, 0
GREEDY = Manner(longest=24, end_ids=(END,), pad_id=PAD, temperature=None)
WARM = Manner(longest=24, end_ids=(END,), pad_id=PAD, temperature=0.8)
PROMPTS = [[5, 6, 7], [5, 6, 7], [5, 6, 7], [9], [8, 9, 10, 11, 12, 13], [8, 9, 10, 11, 12, 13]]

LED = {
    "qwen2": SMALL,
    "qwen3": SMALL,
    "llama": SMALL,
    "gemma": SMALL,
    "gpt2": GPT2,
}
LEFT_TO_GENERATE: dict[str, dict[str, Any]] = {
    "mistral": SMALL | {"sliding_window": 4},
    "gemma3_text": SMALL | {"sliding_window": 4},
    "mamba": MAMBA,
}


def make_model(kind: str, **config: Any) -> PreTrainedModel:
    """Weights large enough that the tokens of a completion differ, and some of them end it."""
    set_seed(1)
    model = AutoModelForCausalLM.from_config(CONFIG_MAPPING[kind](**config, eos_token_id=END, pad_token_id=PAD))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4.0)
    return model


def generated(model: PreTrainedModel, prompts: list[list[int]], end: int = END) -> list[list[int]]:
    """What `generate` answers greedily to one prompt alone, up to its end."""
    config = GenerationConfig(max_new_tokens=GREEDY.longest, do_sample=False, eos_token_id=end, pad_token_id=PAD)
    model.eval()
    found = [model.generate(torch.tensor([prompt]), generation_config=config)[0, len(prompt) :] for prompt in prompts]
    return [ids.tolist() for ids in found]


@pytest.mark.parametrize("kind", LED)
def test_greedy_completions_are_those_of_generate(kind: str) -> None:
    model = make_model(kind, **LED[kind])
    assert can_lead(model)
    end = generated(model, PROMPTS[:1], end=-1)[0][5]
    found = [one.ids for one in complete(model, PROMPTS, replace(GREEDY, end_ids=(end,)))]
    assert found == generated(model, PROMPTS, end)
    assert len(found[0]) <= 6 < max(map(len, found)), "no row ended before the others: nothing was dropped"


@pytest.mark.parametrize("kind", LEFT_TO_GENERATE)
def test_a_cache_that_is_more_than_keys_and_values_is_left_to_generate(kind: str) -> None:
    model = make_model(kind, **LEFT_TO_GENERATE[kind])
    assert not can_lead(model)
    alike = PROMPTS[:3]  # rows of one length: what padding does to a state is not ours to say
    found = complete(model, alike, GREEDY)
    assert [one.ids for one in found] == generated(model, alike)
    assert all(one.logprobs is None for one in found)


@pytest.mark.parametrize("kind", ["qwen2", "mistral"])
@pytest.mark.parametrize("adapted", [False, True])
def test_a_models_own_penalties_do_not_reach_the_samples(kind: str, adapted: bool) -> None:
    model = make_model(kind, **SMALL)
    expected = generated(model, PROMPTS)
    if adapted:  # a new adapter changes nothing yet
        model = get_peft_model(model, LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM"))
    model.generation_config.repetition_penalty = 5.0
    assert [one.ids for one in complete(model, PROMPTS, GREEDY)] == expected
    assert model.generation_config.repetition_penalty == 5.0


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.3])
def test_logprobs_are_those_of_a_forward_pass_at_the_temperature(temperature: float) -> None:
    model = make_model("qwen2", **SMALL).eval()
    manner = Manner(longest=24, end_ids=(END,), pad_id=PAD, temperature=temperature, top_p=0.9)
    for prompt, one in zip(PROMPTS, complete(model, PROMPTS, manner), strict=True):
        ids = torch.tensor([prompt + one.ids])
        with torch.no_grad():
            logits = model(ids).logits[0, len(prompt) - 1 : -1] / temperature
        expected = logits.log_softmax(-1).gather(1, ids[0, len(prompt) :, None])[:, 0]
        assert one.logprobs is not None
        assert torch.allclose(torch.tensor(one.logprobs), expected, atol=2e-5)


def test_samples_are_drawn_from_the_models_distribution() -> None:
    model = make_model("llama", **SMALL).eval()
    manner = Manner(longest=1, end_ids=(END,), pad_id=PAD, temperature=2.0)
    with torch.no_grad():
        expected = (model(torch.tensor([[5, 6, 7]])).logits[0, -1] / 2.0).softmax(-1)
    set_seed(1)
    drawn = torch.tensor([one.ids[0] for one in complete(model, [[5, 6, 7]] * 20_000, manner)])
    shares = torch.bincount(drawn, minlength=40) / len(drawn)
    assert (shares - expected).abs().max() < 0.015
    assert expected.max() < 0.9, "nothing to draw"


def test_top_p_leaves_out_the_unlikely() -> None:
    model = make_model("llama", **SMALL).eval()
    with torch.no_grad():
        probabilities = (model(torch.tensor([[5, 6, 7]])).logits[0, -1] / 2.0).softmax(-1)
    ranked = probabilities.argsort(descending=True)
    kept = set(ranked[: int((probabilities[ranked].cumsum(0) < 0.6).sum()) + 1].tolist())
    manner = Manner(longest=1, end_ids=(END,), pad_id=PAD, temperature=2.0, top_p=0.6)
    drawn = {one.ids[0] for one in complete(model, [[5, 6, 7]] * 2000, manner)}
    assert drawn == kept
    assert len(kept) > 1


def test_a_completion_ends_with_its_end_token_or_at_the_limit() -> None:
    found = complete(make_model("qwen2", **SMALL), PROMPTS * 8, WARM)
    assert {one.ids[-1] == END for one in found} == {True, False}
    for one in found:
        assert END not in one.ids[:-1]
        assert one.ids[-1] == END or len(one.ids) == WARM.longest
        assert one.logprobs is not None
        assert len(one.logprobs) == len(one.ids)


def test_the_same_seed_draws_the_same_completions() -> None:
    model = make_model("qwen2", **SMALL)
    found = []
    for _ in range(2):
        set_seed(3)
        found.append(complete(model, PROMPTS, WARM))
    assert found[0] == found[1]


def test_a_model_in_training_samples_without_dropout_and_stays_in_training() -> None:
    model = make_model("qwen2", **SMALL, attention_dropout=0.9)
    expected = generated(model, PROMPTS)
    model.gradient_checkpointing_enable()
    model.train()
    assert [one.ids for one in complete(model, PROMPTS, GREEDY)] == expected
    assert model.training
    assert model.is_gradient_checkpointing


def test_an_adapter_takes_part() -> None:
    model = make_model("llama", **SMALL)
    before = [one.ids for one in complete(model, PROMPTS, GREEDY)]
    adapted = get_peft_model(model, LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(generator=torch.Generator().manual_seed(1))
    assert can_lead(adapted)
    after = [one.ids for one in complete(adapted, PROMPTS, GREEDY)]
    assert after == generated(adapted.merge_and_unload(), PROMPTS)
    assert after != before


def test_nothing_is_sampled_for_no_prompts() -> None:
    assert complete(make_model("qwen2", **SMALL), [], GREEDY) == []


def test_answers_come_in_the_order_of_their_prompts(tiny: Path) -> None:
    tokenizer = load_tokenizer(tiny)
    model = _of(tiny)
    prompts = [[{"role": "user", "content": text}] for text in ("12+34=", "1+2=", "99+99=")]
    sampler = Sampler(tokenizer, longest=6, samples=2, batch_size=2)
    together = sampler.answers(model, prompts)
    assert together == [sampler.answers(model, [prompt])[0] for prompt in prompts]
    assert all(len(answers) == 2 for answers in together)
    assert all(answer.tokens <= 6 for answers in together for answer in answers)


def test_the_tokens_that_end_an_answer_are_the_tokenizers_and_the_models(tiny: Path) -> None:
    tokenizer: PreTrainedTokenizerBase = load_tokenizer(tiny)
    model = _of(tiny)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, 7]
    assert end_ids(model, tokenizer) == (tokenizer.eos_token_id, 7)
    model.generation_config.eos_token_id = None
    assert end_ids(model, tokenizer) == (tokenizer.eos_token_id,)


def _of(folder: Path) -> PreTrainedModel:
    set_seed(1)
    return AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
