"""The classes that the hub lets in are those that the workers' transformers has."""

from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
)

from whetstone.modelhub.inspection.architectures import REWARD, TEXT


def test_every_class_that_is_let_in_can_be_loaded_by_a_worker() -> None:
    assert set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()) >= TEXT
    assert set(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES.values()) >= REWARD
    assert {"LlamaForCausalLM", "Qwen3ForCausalLM", "MistralForCausalLM"} <= TEXT
