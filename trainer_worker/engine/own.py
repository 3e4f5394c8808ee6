"""Our own engine: continuous batching over one model, on a CPU or a GPU.

Requests join the rows that are being written between two tokens and leave when they have ended. transformers'
continuous batching was 50 times slower on a CPU.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from contracts.completion import Ask, Refusal, Taken
from contracts.fault import Fault, FaultReport
from contracts.serving import Load
from trainer_worker.batch import BASE, Batch, can_lead
from trainer_worker.engine.adapters import lay_over, take_off
from trainer_worker.engine.calls import Calls
from trainer_worker.engine.choosing import choose, told
from trainer_worker.engine.forms import Form, Forms
from trainer_worker.engine.grammar import grammar_of, toolbox_of
from trainer_worker.engine.port import Tell
from trainer_worker.engine.prompt import Reader
from trainer_worker.engine.row import Row
from trainer_worker.engine.text import Text
from trainer_worker.pretrained import LOCAL, READING, context_of, end_ids, load_tokenizer

log = logging.getLogger(__name__)
MOST_WAITING = 512
"""Choices that wait. Whoever comes then is told to come again."""
MOST_ROWS = 64


@dataclass
class Loaded:
    """A model in memory, with what is asked of it again and again."""

    model: PreTrainedModel
    tokenizer: Any  # Any: transformers does not type its tokenizers
    ends: frozenset[int]
    token_bytes: int
    """What one token of one row takes in the cache."""

    @classmethod
    def from_folder(cls, folder: Path) -> "Loaded":
        """Raises Fault engine.cannot_lead, and whatever transformers raises for files that are no model."""
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        with READING:
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, **LOCAL)
        if not can_lead(model):
            raise Fault("engine.cannot_lead", architecture=type(model).__name__)
        tokenizer = load_tokenizer(folder)
        model.to(device).eval()
        return cls(model, tokenizer, frozenset(end_ids(model, tokenizer)), _token_bytes(model, dtype))


def _token_bytes(model: PreTrainedModel, dtype: torch.dtype) -> int:
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * dtype.itemsize)


class Voice(NamedTuple):
    """How a deployment is written: with which adapter, and what people call it."""

    adapter: str
    called: str


class Change(NamedTuple):
    work: Callable[[], None]
    done: Future[None]


@dataclass
class OwnEngine:
    name: str
    """As people call the model."""
    loaded: Loaded
    tell: Tell
    cache_bytes: int
    """How much memory the rows may take together."""
    _preparing: dict[str, list[Row]] = field(default_factory=dict)
    """By request: rows whose form is not known yet."""
    _waiting: deque[Row] = field(default_factory=deque)
    _rows: list[Row] = field(default_factory=list)
    _batch: Batch | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_closed: bool = False
    _voices: dict[str, Voice] = field(default_factory=dict)
    _changes: deque[Change] = field(default_factory=deque)
    """What is to be done between two tokens, when nobody reads the model."""

    def __post_init__(self) -> None:
        model = self.loaded.model
        vocabulary = int(model.get_input_embeddings().weight.shape[0])
        self._reader = Reader(self.loaded.tokenizer, context_of(model), vocabulary)
        self._forms = Forms(self.name, self.loaded.tokenizer, vocabulary, self.loaded.ends)
        self._thread = threading.Thread(target=self._run, name=f"engine {self.name}", daemon=True)
        self._thread.start()

    @property
    def fault(self) -> FaultReport | None:
        """What breaks while it writes breaks requests, and never the engine."""
        return None

    @property
    def running(self) -> int:
        return len(self._rows)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def hold(self, load: Load, adapter: Path | None) -> None:
        voice = Voice(BASE if adapter is None else load.deployment, load.name)
        if adapter is not None:
            self._between_tokens(lambda: self._lay_over(adapter, voice))
        self._voices[load.deployment] = voice

    def _lay_over(self, folder: Path, voice: Voice) -> None:
        self._exchange(lay_over(self.loaded.model, folder, voice.adapter, voice.called))

    def let_go(self, deployment: str) -> None:
        voice = self._voices.pop(deployment, None)
        for ask in {row.ask.id: row.ask for row in self._all_rows() if row.ask.deployment == deployment}.values():
            self.cancel(ask.id)
            self.tell(ask.reply_to, Refusal(ask=ask.id, fault=FaultReport(code="engine.lost")))
        if voice is not None and voice.adapter != BASE:
            self._between_tokens(lambda: self._take_off(voice.adapter))

    def _take_off(self, adapter: str) -> None:
        """The rows that were cancelled with it are written no further."""
        self._leave_out()
        self._exchange(take_off(self.loaded.model, adapter))

    def _exchange(self, model: PreTrainedModel) -> None:
        """PEFT's around the model for the model, or the other way round: rows that are being written go on with it."""
        self.loaded.model = model
        if self._batch is not None:
            self._batch.model = model

    def _between_tokens(self, work: Callable[[], None]) -> None:
        done: Future[None] = Future()
        with self._changed:
            if self._is_closed:
                return
            self._changes.append(Change(work, done))
            self._changed.notify()
        done.result()

    def busy_with(self, deployment: str) -> tuple[int, int]:
        with self._changed:
            of = [sum(row.ask.deployment == deployment for row in rows) for rows in (self._rows, self._all_rows())]
        return of[0], of[1] - of[0]

    def _all_rows(self) -> list[Row]:
        with self._changed:
            return [*self._rows, *self._waiting, *(row for rows in self._preparing.values() for row in rows)]

    def ask(self, ask: Ask) -> None:
        try:
            if len(self._waiting) + ask.choices > MOST_WAITING or self._is_closed:
                raise Fault("engine.busy", model=self.name, waiting=len(self._waiting))
            rows, grammar = self._rows_of(ask), grammar_of(ask)
            if grammar is not None:
                self._prepare(rows, grammar)
        except Fault as fault:
            return self.tell(ask.reply_to, Refusal(ask=ask.id, fault=fault.report))
        except Exception as error:
            log.exception("deployment=%s could not take a request", ask.deployment)
            return self.tell(ask.reply_to, Refusal(ask=ask.id, fault=_broken(error)))
        if grammar is None:
            self._take(rows)

    def _take(self, rows: list[Row]) -> None:
        self.tell(rows[0].ask.reply_to, Taken(ask=rows[0].ask.id, prompt_tokens=len(rows[0].prompt)))
        with self._changed:
            self._waiting.extend(rows)
            self._changed.notify()

    def _prepare(self, rows: list[Row], grammar: str) -> None:
        """They wait for their form, and nobody for them. Raises Fault engine.busy."""
        ask = rows[0].ask

        def then(found: Callable[[], Form] | FaultReport) -> None:
            with self._changed:
                if self._preparing.pop(ask.id, None) is None:  # whoever asked has left meanwhile
                    return
            if isinstance(found, FaultReport):
                return self.tell(ask.reply_to, Refusal(ask=ask.id, fault=found))
            for row in rows:
                row.form = found()
            self._take(rows)

        with self._changed:
            self._preparing[ask.id] = rows
        try:
            self._forms.prepare(grammar, "tools" if toolbox_of(ask) else "response_format", then)
        except Fault:
            self._preparing.pop(ask.id, None)  # a model that was let go meanwhile has refused it already
            raise

    def _rows_of(self, ask: Ask) -> list[Row]:
        prompt = self._reader.read(ask)
        longest = self._reader.longest(ask, prompt)
        for token in ask.sampling.logit_bias:
            if not 0 <= token < self._reader.vocabulary:
                tokens = self._reader.vocabulary
                raise Fault("completion.token_unknown", field="logit_bias", token=token, tokens=tokens)
        voice = self._voices[ask.deployment].adapter if ask.deployment in self._voices else BASE
        return [
            Row(
                ask,
                choice=n,
                prompt=prompt,
                longest=longest,
                text=Text(self.loaded.tokenizer, ask.sampling.stop),
                generator=_generator(ask, n),
                voice=voice,
                calls=Calls() if toolbox_of(ask) else None,
            )
            for n in range(ask.choices)
        ]

    def cancel(self, ask: str) -> None:
        with self._changed:
            for row in [*self._rows, *self._waiting]:
                row.is_cancelled = row.is_cancelled or row.ask.id == ask
            self._waiting = deque(row for row in self._waiting if not row.is_cancelled)
            self._preparing.pop(ask, None)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()
        self._forms.close()

    def _run(self) -> None:
        with torch.inference_mode():
            while self._wait():
                self._change()
                try:
                    self._admit()
                    self._write()
                except Exception as error:
                    log.exception("model “%s” broke while it wrote", self.name)
                    self._refuse_all(_broken(error))
        self._refuse_all(FaultReport(code="engine.lost"))
        self._change()

    def _change(self) -> None:
        while self._changes:
            work, done = self._changes.popleft()
            try:
                work()
            except Exception as error:  # it is for whoever waits
                done.set_exception(error)
            else:
                done.set_result(None)

    def _wait(self) -> bool:
        """Returns when there is something to write. False once the engine is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._rows or self._waiting or self._changes or self._is_closed)
        return not self._is_closed

    def _admit(self) -> None:
        """Read the prompts of those who wait, as far as there is room, and take them among the rows."""
        fresh = self._next()
        if not fresh:
            return
        pad_id = self.loaded.tokenizer.pad_token_id
        batch = Batch(self.loaded.model, [row.prompt for row in fresh], pad_id, [row.voice for row in fresh])
        if self._batch is None:
            self._batch = batch
        else:
            self._batch.join(batch)

    def _next(self) -> list[Row]:
        """Moves those who fit from the queue to the rows. One always fits."""
        fresh: list[Row] = []
        with self._changed:
            while self._waiting and len(self._rows) < MOST_ROWS:
                widest = max(row.most_tokens for row in [*self._rows, self._waiting[0]])
                taken = widest * (len(self._rows) + 1) * self.loaded.token_bytes
                if self._rows and taken > self.cache_bytes:
                    break
                fresh.append(self._waiting.popleft())
                self._rows.append(fresh[-1])
        return fresh

    def _write(self) -> None:
        """One token more for every row."""
        if self._batch is None:
            return
        chosen = choose(self._batch.logits, self._rows)
        ids = chosen.tolist()
        logprobs = told(self._batch.logits, ids, self._rows, self.loaded.tokenizer)
        for row, token, one in zip(self._rows, ids, logprobs, strict=True):
            if row.is_cancelled or not self._is_held(row, token):
                continue
            if (delta := row.add(token, one, token in self.loaded.ends)) is not None:
                self.tell(row.ask.reply_to, delta)
        self._go_on_with(chosen)

    def _is_held(self, row: Row, token: int) -> bool:
        """Tells a row's form what was written. A form that can go on no more ends its request, and no other."""
        if row.form is None:
            return True
        row.form.take(token)
        if (fault := row.form.fault) is None:
            return True
        self.cancel(row.ask.id)
        self.tell(row.ask.reply_to, Refusal(ask=row.ask.id, fault=fault))
        return False

    def _go_on_with(self, chosen: torch.Tensor) -> None:
        kept = self._leave_out()
        if self._batch is not None:
            self._batch.step(chosen if len(kept) == len(chosen) else chosen[torch.tensor(kept, device=chosen.device)])

    def _leave_out(self) -> list[int]:
        """Rows that have ended leave the batch. Which ones are left, by their places before."""
        kept = [n for n, row in enumerate(self._rows) if row.finish is None and not row.is_cancelled]
        if self._batch is not None and len(kept) < len(self._rows):
            logits = self._batch.logits
            places = torch.tensor(kept, device=logits.device)
            self._batch = self._batch if kept else None
            if self._batch is not None:
                self._batch.keep(places)
                self._batch.trim()
                self._batch.logits = logits[places]
        with self._changed:
            self._rows = [self._rows[n] for n in kept]
        return kept

    def _refuse_all(self, fault: FaultReport) -> None:
        with self._changed:
            rows = self._all_rows()
            self._rows, self._waiting, self._preparing, self._batch = [], deque(), {}, None
        for ask in {row.ask.id: row.ask for row in rows}.values():
            self.tell(ask.reply_to, Refusal(ask=ask.id, fault=fault))


def _generator(ask: Ask, choice: int) -> torch.Generator | None:
    """Choices of one request differ, also under a seed."""
    if ask.sampling.seed is None:
        return None
    return torch.Generator().manual_seed((ask.sampling.seed + choice) % 2**63)


def _broken(error: Exception) -> FaultReport:
    return FaultReport(code="completion.broken", params={"detail": (str(error) or type(error).__name__)[:300]})
