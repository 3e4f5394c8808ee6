"""What every reader of a model's folder needs, and little to import: engines start with it, too."""

import os
import threading
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

LOCAL = {"trust_remote_code": False, "local_files_only": True}
READING = threading.Lock()
"""Held while one of several threads reads a model: transformers prepares it by settings of the whole process, and two
at once break."""
Turns = list[dict[str, str]]


class Precise(Protocol):
    """A training's hyperparameters, or an evaluation's settings."""

    @property
    def precision(self) -> Literal["auto", "fp32", "bf16"]: ...


def use_bf16(h: Precise) -> bool:
    """Whether the forward and backward pass run in bf16: what was asked for, or what the GPU is good at."""
    if h.precision == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return h.precision == "bf16"


def device_here() -> torch.device:
    """Where this process trains."""
    return (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        if torch.cuda.is_available()
        else torch.device("cpu")
    )


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer = AutoTokenizer.from_pretrained(folder, **LOCAL)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def render(tokenizer: PreTrainedTokenizerBase, turns: Turns, *, to_be_answered: bool) -> str:
    """The conversation as the model's chat template writes it."""
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=to_be_answered)
    return str(text)


def context_of(model: PreTrainedModel) -> int:
    """Longest sequence in tokens that the model was made for."""
    return int(model.config.get_text_config().max_position_embeddings)


def end_ids(model: Any, tokenizer: Any) -> tuple[int, ...]:  # Any: PEFT's wrapping; transformers' token ids
    """Tokens that end an answer: the tokenizer's, and those that the model names for itself, as TRL reads them."""
    own = model.generation_config.eos_token_id
    named = () if own is None else (own,) if isinstance(own, int) else tuple(own)
    return tuple(dict.fromkeys((tokenizer.eos_token_id, *named)))
