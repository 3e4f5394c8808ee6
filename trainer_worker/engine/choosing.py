"""The next token of every row, each in its own manner."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from contracts.completion import Alternative, Sampling, Told
from trainer_worker.engine.forms import held
from trainer_worker.engine.row import Row

HALF = "\ufffd"


def choose(logits: Tensor, rows: Sequence[Row]) -> Tensor:
    """Token ids [rows] drawn from logits [rows, vocabulary], fp32, among those that each row's form lets follow."""
    manners = [row.ask.sampling for row in rows]
    logits = held(_adjusted(logits, rows), [row.form for row in rows])
    temperatures = torch.tensor([manner.temperature for manner in manners], device=logits.device)
    greedy = temperatures == 0
    chosen = logits.argmax(-1)
    if bool(greedy.all()):
        return chosen
    scaled = logits / temperatures.masked_fill(greedy, 1.0)[:, None]
    drawn = _drawn(_likely(scaled, manners).softmax(-1), rows)
    return torch.where(greedy, chosen, drawn)


def _adjusted(logits: Tensor, rows: Sequence[Row]) -> Tensor:
    """With the penalties of OpenAI's reference: `presence` once for each token written, `frequency` each time."""
    found = logits
    for number, row in enumerate(rows):
        manner = row.ask.sampling
        changes = dict(manner.logit_bias)
        if manner.presence_penalty or manner.frequency_penalty:
            for token, count in row.counts.items():
                penalty = manner.presence_penalty + manner.frequency_penalty * count
                changes[token] = changes.get(token, 0.0) - penalty
        if changes:
            found = logits.clone() if found is logits else found
            found[number, list(changes)] += torch.tensor(list(changes.values()), device=logits.device)
    return found


def _likely(logits: Tensor, manners: Sequence[Sampling]) -> Tensor:
    """With what each row's top_p leaves out at minus infinity: the smallest set of tokens that reaches top_p stays."""
    shares = torch.tensor([manner.top_p for manner in manners], device=logits.device)
    if bool((shares == 1).all()):
        return logits
    rising, order = logits.sort(dim=-1)
    is_out = rising.softmax(-1).cumsum(-1) <= (1 - shares)[:, None]
    is_out[:, -1] = False
    return logits.masked_fill(is_out.scatter(1, order, is_out), -torch.inf)


def _drawn(probabilities: Tensor, rows: Sequence[Row]) -> Tensor:
    drawn = torch.multinomial(probabilities, 1)[:, 0]
    for number, row in enumerate(rows):
        if row.generator is not None:
            drawn[number] = torch.multinomial(probabilities[number].cpu(), 1, generator=row.generator)[0]
    return drawn


def told(logits: Tensor, chosen: Sequence[int], rows: Sequence[Row], tokenizer: Any) -> list[Told | None]:
    """Log-probabilities for the rows that want some. Any: transformers does not type its tokenizers."""
    found: list[Told | None] = [None] * len(rows)
    for number, row in enumerate(rows):
        wanted = row.ask.sampling.alternatives
        if wanted is None:
            continue
        logprobs = logits[number].log_softmax(-1)
        values, ids = logprobs.topk(wanted)
        top = [_named(tokenizer, token, value) for token, value in zip(ids.tolist(), values.tolist(), strict=True)]
        one = _named(tokenizer, chosen[number], float(logprobs[chosen[number]]))
        found[number] = Told(**one.model_dump(), top=tuple(top))
    return found


def _named(tokenizer: Any, token: int, logprob: float) -> Alternative:
    text = str(tokenizer.decode([token]))
    return Alternative(token=text, bytes=tuple(_bytes(tokenizer, token, text)), logprob=max(logprob, -9999.0))


def _bytes(tokenizer: Any, token: int, text: str) -> bytes:
    """A token may be a part of a character, which no text can show: byte-level vocabularies spell each byte out."""
    if HALF not in text:
        return text.encode()
    spelled = str(tokenizer.convert_ids_to_tokens(token))
    if all(letter in BYTE_OF for letter in spelled):
        return bytes(BYTE_OF[letter] for letter in spelled)
    return text.encode()


def _byte_of() -> dict[str, int]:
    """The letters by which byte-level vocabularies name bytes (GPT-2's table)."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


BYTE_OF = _byte_of()
