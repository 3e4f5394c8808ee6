"""What every reader of a model's folder needs, and little to import: engines start with it, too."""

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

LOCAL = {"trust_remote_code": False, "local_files_only": True}


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer = AutoTokenizer.from_pretrained(folder, **LOCAL)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def context_of(model: PreTrainedModel) -> int:
    """Longest sequence in tokens that the model was made for."""
    return int(model.config.get_text_config().max_position_embeddings)


def end_ids(model: Any, tokenizer: Any) -> tuple[int, ...]:  # Any: PEFT's wrapping; transformers' token ids
    """Tokens that end an answer: the tokenizer's, and those that the model names for itself, as TRL reads them."""
    own = model.generation_config.eos_token_id
    named = () if own is None else (own,) if isinstance(own, int) else tuple(own)
    return tuple(dict.fromkeys((tokenizer.eos_token_id, *named)))
