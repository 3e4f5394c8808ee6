"""An evaluation, inside its process: rows in, answers out, each with its score and its receipt, batch by batch.

What a batch comes to hangs on the seed, the settings and the batch alone, so that an attempt that goes on where
another one stopped answers as that one would have.
"""

import time
from dataclasses import dataclass
from typing import Any

import orjson
import torch
from transformers import PreTrainedModel, set_seed

from contracts.event import AnswersScored, Evaluated, Metrics, Phase
from contracts.fault import Fault
from contracts.weights import require_safetensors
from graders import Port
from trainer_worker.assignment import EvaluationWork
from trainer_worker.data import turns_of
from trainer_worker.memory import peak_bytes
from trainer_worker.models import load_model, task_of
from trainer_worker.orders import TO_END, TO_SAVE, Interrupted, OrderBook
from trainer_worker.paper import Paper, Question, paper_of
from trainer_worker.pretrained import context_of, device_here, end_ids, load_tokenizer, use_bf16
from trainer_worker.rewards import Scored, failed, refuse_silence, score
from trainer_worker.rollouts import RolloutWriter
from trainer_worker.sampler import Answer, Sampler
from trainer_worker.scorers import load_port
from trainer_worker.spool import SpoolWriter


def evaluate(work: EvaluationWork, spool: SpoolWriter) -> None:
    """Every step from where the last attempt stood, in the spool.

    Raises:
        Fault: for what the user can mend.
        Interrupted: when an order ended it before its last step.
    """
    run = load(work, spool)
    spool.append(Phase(name="evaluating"))
    for step in range(work.from_step + 1, work.spec.total_steps + 1):
        run.do(step)
    run.writer.flush()
    spool.append(Evaluated(step=work.spec.total_steps, peak_memory=peak_bytes()))


def load(work: EvaluationWork, spool: SpoolWriter) -> "Run":
    """Raises Fault model.not_safetensors before anything of a model is read, or evaluation.reward_model."""
    spool.append(Phase(name="loading"))
    spec = work.spec
    for given in (spec.model, *spec.scorers):
        require_safetensors(file.path for file in given.files)
    if task_of(work.model) == "reward":
        raise Fault("evaluation.reward_model", field="model", model=spec.model.name)
    tokenizer, how = load_tokenizer(work.model), spec.answering
    dtype = torch.bfloat16 if use_bf16(how) else torch.float32
    model = load_model(work.model, spec.seed, drawn=work.folder / "drawn", dtype=dtype)
    model.requires_grad_(False).eval().to(device_here())
    paper = paper_of(work, tokenizer, context_of(model))
    print(f"evaluation: {paper}")
    sampler = Sampler(
        tokenizer,
        longest=how.max_completion_length,
        samples=how.samples,
        temperature=how.temperature,
        top_p=how.top_p,
        keeps_logprobs=False,
    )
    ends = list(end_ids(model, tokenizer))
    writer = RolloutWriter(work.rollouts, spool, ends, how.samples)
    port = load_port(spec.grader, work.scorers, how, work.folder)
    return Run(work, spool, model, sampler, paper, writer, port, OrderBook(work.orders), frozenset(ends))


@dataclass
class Run:
    """A model that answers a paper's questions."""

    work: EvaluationWork
    spool: SpoolWriter
    model: PreTrainedModel
    sampler: Sampler
    paper: Paper
    writer: RolloutWriter
    port: Port
    orders: OrderBook
    ends: frozenset[int]
    _at_once: int | None = None
    """Prompts that the GPU has room for; None as long as it had room for all."""

    def do(self, step: int) -> None:
        """Answer, score and report one batch."""
        self._obey()
        began = time.monotonic()
        set_seed((self.work.spec.seed * 1_000_003 + step) % 2**31)
        batch = self.paper.batch(step)
        asked = [one for one in batch if one.skipped is None]
        answers = [answer for answers in self._answers([one.ids for one in asked]) for answer in answers]
        whose = [one for one in asked for _ in range(self.sampler.samples)]
        found = self._scored(whose, answers)
        if step == 1:
            refuse_silence(found.grades)  # a grader that is broken says so at once
        self._report(step, batch, whose, found, time.monotonic() - began)

    def _obey(self) -> None:
        """Wait while the lease is unsure. Raises Interrupted; what was answered is written first, where it counts."""
        order = self.orders.when_held()
        if order in TO_SAVE:
            self.writer.flush()
        if order in TO_SAVE | TO_END:
            raise Interrupted

    def _answers(self, prompts: list[list[int]]) -> list[list[Answer]]:
        """All at once, or as many as the GPU has room for."""
        found: list[list[Answer]] = []
        while len(found) < len(prompts):
            size = self._at_once or len(prompts)
            try:
                with torch.inference_mode():
                    found += self.sampler.answer(self.model, prompts[len(found) : len(found) + size])
            except torch.OutOfMemoryError:
                if size == 1:
                    raise
                self._at_once = max(1, min(size, len(prompts)) // 2)
                torch.cuda.empty_cache()
                print(f"the GPU has no room for {size} prompts at once: {self._at_once} from now on")
        return found

    def _scored(self, whose: list[Question], answers: list[Answer]) -> Scored:
        prompts = [turns_of(one.row) for one in whose]
        texts = [one.text for one in answers]
        items = [orjson.dumps(one.row.item).decode() for one in whose]
        tokens = [one.tokens for one in answers]
        grades = score(self.work.spec.grader, prompts, texts, items, tokens, self.port) if answers else []
        return Scored(prompts, texts, [one.ids for one in answers], items, grades)

    def _report(self, step: int, batch: list[Question], whose: list[Question], found: Scored, took_s: float) -> None:
        told = AnswersScored(
            step=step,
            rows=tuple(one.number for one in whose),
            scores=tuple(one.score for one in found.grades),
            tokens=tuple(map(len, found.ids)),
            truncated=tuple(not ids or ids[-1] not in self.ends for ids in found.ids),
            failed=tuple(map(failed, found.grades)),
            skipped={one.number: one.skipped for one in batch if one.skipped is not None},
        )
        if whose:
            self.writer.add(step, found, [None] * len(whose), told.rows)
        self.spool.append(Metrics(step=step, values=_numbers(told, took_s)))
        self.spool.append(told)
        self.writer.flush_if_due()


def _numbers(told: AnswersScored, took_s: float) -> dict[str, float]:
    """Of this batch: what a page shows while it runs."""
    scores = [score for score in told.scores if score is not None]
    values: dict[str, Any] = {"answers": len(told.rows), "step_time": took_s}
    if scores:
        values["reward_mean"] = sum(scores) / len(scores)
    if told.rows:
        values["length_mean"] = sum(told.tokens) / len(told.rows)
        values["tokens_per_s"] = sum(told.tokens) / max(took_s, 1e-6)
    return {name: float(value) for name, value in values.items()}
