"""The starter model before its first training: config, tokenizer and chat template, and no weights.

A worker draws the weights from the config under the job's seed. Needs `tokenizers` alone, no torch.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

PAD, END, SYSTEM, USER, ASSISTANT = "<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"
SPECIAL = (PAD, END, SYSTEM, USER, ASSISTANT)
CONTEXT = 2048

# The generation marks tell a trainer which part the assistant says, its end mark included.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message.role == 'assistant' -%}"
    "<|assistant|>{% generation %}{{ message.content }}<|end|>{% endgeneration %}"
    "{%- elif message.role == 'user' -%}<|user|>{{ message.content }}<|end|>"
    "{%- else -%}<|system|>{{ message.content }}<|end|>"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"
)

CONFIG: dict[str, object] = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "vocab_size": 256 + len(SPECIAL),
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": CONTEXT,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "tie_word_embeddings": True,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-06,
    "initializer_range": 0.05,
    "attention_dropout": 0.0,
    "use_sliding_window": False,
    "dtype": "float32",
    "bos_token_id": None,
    "eos_token_id": SPECIAL.index(END) + 256,
    "pad_token_id": SPECIAL.index(PAD) + 256,
}


def parameters() -> int:
    """How many the model has, counted from its config (embeddings are tied)."""
    hidden, inner, layers, vocabulary = (
        int(str(CONFIG[name])) for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size")
    )
    attention = 4 * hidden * hidden + 3 * hidden  # query, key and value have biases, the output has none
    return vocabulary * hidden + layers * (attention + 3 * hidden * inner + 2 * hidden) + hidden


def build(folder: Path) -> list[Path]:
    """Write the model's files into a folder. The same bytes every time. Returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer().save(str(folder / "tokenizer.json"))
    documents = {
        "config.json": CONFIG,
        "tokenizer_config.json": _tokenizer_config(),
        "generation_config.json": _generation(),
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document, indent=2) + "\n")
    return sorted(folder.iterdir())


def tokenizer() -> Tokenizer:
    """Byte-level: 256 bytes, no merges, five special tokens. It can write any text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={letter: n for n, letter in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    return made


def _tokenizer_config() -> dict[str, object]:
    return {
        "tokenizer_class": "Qwen2Tokenizer",
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
        "padding_side": "left",
        "pad_token": PAD,
        "unk_token": PAD,  # bytes leave nothing unknown; the class would add a token of its own
        "eos_token": END,
        "extra_special_tokens": [SYSTEM, USER, ASSISTANT],
        "chat_template": CHAT_TEMPLATE,
    }


def _generation() -> dict[str, object]:
    return {"eos_token_id": CONFIG["eos_token_id"], "pad_token_id": CONFIG["pad_token_id"], "do_sample": True}
