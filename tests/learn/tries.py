"""Comparisons as a user makes them: the model answers, and a grader says which answers are right."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from graders import grade
from tests.learn.support import SUM
from trainer_worker.models import load_model
from trainer_worker.pretrained import load_tokenizer
from trainer_worker.sampler import Sampler
from whetstone.starter import data


@dataclass(frozen=True)
class Tries:
    """One problem, and what the model answered when it was asked several times."""

    prompt: str
    answer: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]


def tries(
    base: Path, split: data.Split, problems: int, *, temperature: float = 1.0, samples: int = 8, seed: int = 1
) -> list[Tries]:
    """Each answer is kept once."""
    rows = list(islice(data.problems(split, seed), problems))
    model, tokenizer = load_model(base, seed, drawn=base), load_tokenizer(base)
    sampler = Sampler(tokenizer, longest=40, samples=samples, temperature=temperature)
    torch.set_num_threads(1)  # more would spin beside a busy neighbour: the launcher's patient ones are not here
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        answered = sampler.answers(model.eval(), [row["messages"] for row in rows])
    return [_judged(row, [one.text for one in answers]) for row, answers in zip(rows, answered, strict=True)]


def _judged(row: dict[str, Any], texts: list[str]) -> Tries:
    texts = [text for text in dict.fromkeys(texts) if text.strip()]
    grades = grade(SUM, [{"output_text": text} for text in texts], [{"answer": row["answer"]}] * len(texts))
    right = tuple(text for text, one in zip(texts, grades, strict=True) if one.score == 1)
    wrong = tuple(text for text in texts if text not in right)
    return Tries(row["messages"][0]["content"], row["answer"], right, wrong)


def pairs(tried: list[Tries]) -> list[dict[str, Any]]:
    """A right answer before every wrong one, for problems that were answered in both ways."""
    return [
        {"prompt": one.prompt, "chosen": one.right[0], "rejected": wrong, "answer": one.answer}
        for one in tried
        for wrong in one.wrong
        if one.right
    ]


def verdicts(tried: list[Tries]) -> list[dict[str, Any]]:
    """Every answer with its label, the good ones first, as files of this kind often are."""
    return [
        {"prompt": one.prompt, "completion": text, "label": is_good, "answer": one.answer}
        for is_good in (True, False)
        for one in tried
        for text in (one.right if is_good else one.wrong)
    ]
