"""Answers that are held to a grammar, by llguidance: which tokens may follow, after every one.

A grammar is prepared beside the engine, first in a process that is killed when it takes too long; what was prepared is
kept, as the same schema comes again and again.
"""

import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llguidance
import llguidance.hf
import numpy as np
import torch
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask_par
from torch import Tensor

from contracts.fault import Fault, FaultReport

PREPARE_S = 5.0
"""Of the process that tries a grammar. Most take a few milliseconds; its start takes a third of a second."""
AT_ONCE = 2
MOST_PREPARING = 32
KEPT = 64
"""Grammars that are remembered."""
TRY = Path(__file__).with_name("check_grammar.py")
LIMITS = llguidance.LLParserLimits(step_lexer_fuel=50_000, step_max_items=20_000, verbose_errors=False)
"""A quarter of what llguidance allows: a step that costs more holds up everybody in the batch."""


class Form:
    """What one answer is held to, and how far it has come."""

    def __init__(self, matcher: llguidance.LLMatcher) -> None:
        self.matcher = matcher

    def take(self, token: int) -> None:
        self.matcher.consume_token(token)

    @property
    def is_whole(self) -> bool:
        """Nothing can follow."""
        return bool(self.matcher.is_stopped())

    @property
    def fault(self) -> FaultReport | None:
        if not self.matcher.is_error():
            return None
        detail = self.matcher.get_error().splitlines()[0][:200]
        return FaultReport(code="completion.form_lost", field="response_format", params={"detail": detail})


@dataclass
class Forms:
    """Those of one model."""

    name: str
    """As people call it."""
    tokenizer: Any  # Any: transformers does not type its tokenizers
    vocabulary: int
    """As many logits as the model has."""
    ends: frozenset[int]
    _kept: OrderedDict[str, llguidance.LLMatcher] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _preparing: int = 0
    _tokens: llguidance.LLTokenizer | None = None

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "grammar")

    def prepare(self, grammar: str, field: str, then: Callable[[Callable[[], Form] | FaultReport], None]) -> None:
        """Calls `then` with what makes forms, or with what is wrong: at once for a grammar that is known, else from
        another thread. Never blocks. Raises Fault engine.busy."""
        with self._lock:
            if (kept := self._kept.get(grammar)) is not None:
                self._kept.move_to_end(grammar)
            elif self._preparing >= MOST_PREPARING:
                raise Fault("engine.busy", model=self.name, waiting=self._preparing)
            else:
                self._preparing += 1
        if kept is not None:
            return then(lambda: Form(kept.deep_copy()))
        self._threads.submit(self._prepare, grammar, field, then)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _prepare(self, grammar: str, field: str, then: Callable[[Callable[[], Form] | FaultReport], None]) -> None:
        try:
            matcher = self._tried(grammar)
        except Fault as fault:
            return then(fault.report.model_copy(update={"field": field}))
        except Exception as error:
            detail = (str(error) or type(error).__name__)[:300]
            return then(FaultReport(code="completion.broken", params={"detail": detail}))
        finally:
            with self._lock:
                self._preparing -= 1
        with self._lock:
            self._kept[grammar] = matcher
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        then(lambda: Form(matcher.deep_copy()))

    def _tried(self, grammar: str) -> llguidance.LLMatcher:
        """Raises Fault completion.bad_form or .form_too_complex."""
        _try(grammar)
        with self._lock:
            if self._tokens is None:
                ends = sorted(self.ends)
                self._tokens = llguidance.hf.from_tokenizer(self.tokenizer, n_vocab=self.vocabulary, eos_token=ends)
        matcher = llguidance.LLMatcher(self._tokens, grammar, log_level=0, limits=LIMITS)
        if matcher.is_error():
            raise Fault("completion.bad_form", detail=matcher.get_error().splitlines()[0][:300])
        return matcher


def _try(grammar: str) -> None:
    command, environment = [sys.executable, "-I", str(TRY)], {"PATH": os.environ.get("PATH", "")}
    try:
        done = subprocess.run(
            command, input=grammar, env=environment, capture_output=True, text=True, timeout=PREPARE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Fault("completion.form_too_complex", seconds=PREPARE_S) from None
    if done.returncode:  # it wanted more memory than it may have
        raise Fault("completion.form_too_complex", seconds=PREPARE_S)
    if said := done.stdout.strip():
        raise Fault("completion.bad_form", detail=said.splitlines()[0][:300])


_THREADS = llguidance.LLExecutor()


def held(logits: Tensor, forms: Sequence[Form | None]) -> Tensor:
    """Logits [rows, vocabulary] with minus infinity for every token that a row's form does not let follow."""
    matchers = [(form.matcher, place) for place, form in enumerate(form for form in forms if form is not None)]
    if not matchers:
        return logits
    bits = allocate_token_bitmask(len(matchers), logits.shape[1])
    fill_next_token_bitmask_par(_THREADS, matchers, bits)
    lost = [place for matcher, place in matchers if matcher.is_error()]
    bits[lost] = -1  # it is refused; until then anything may follow
    may = np.unpackbits(bits.view(np.uint8), axis=1, count=logits.shape[1], bitorder="little").astype(bool)
    rows = torch.tensor([n for n, form in enumerate(forms) if form is not None], device=logits.device)
    return logits.index_copy(0, rows, logits[rows].masked_fill(~torch.from_numpy(may).to(logits.device), -torch.inf))
