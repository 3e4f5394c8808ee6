"""Graders that run code in a jail."""

import ast
from collections.abc import Sequence
from contextlib import nullcontext

from graders.port import Port
from graders.receipt import Batch, Evidence, Flagged, Item, Outcome, Sample
from graders.sandbox import Jails, Limits, Unsafe, Verdict
from graders.schema import Python

# What OpenAI's image has, and what else is worth loading once: imported before the first answer comes.
WARM = frozenset(
    {"numpy", "scipy", "sympy", "pandas", "sklearn", "rapidfuzz", "rouge_score", "nltk", "regex", "jsonschema"}
    | {"pydantic", "yaml", "deepdiff", "sqlparse", "collections", "dataclasses", "datetime", "decimal", "difflib"}
    | {"fractions", "functools", "itertools", "json", "math", "re", "statistics", "string"}
)


def python(grader: Python) -> Batch:
    """What the function gives back. An exception, or anything but a finite number, is 0 with a flag.

    *Not scored* is what was not the function's fault: no jail on this machine, or a batch that used up its time.
    """
    preload = sorted(_imported(grader.source) & WARM)
    limits = Limits(timeout_s=grader.timeout_s)
    is_shared = grader.isolation == "batch"

    def batch(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Outcome]:
        with nullcontext(port.jails) if port.jails is not None else Jails() as jails:
            try:
                jail = jails.of(grader.source, preload, limits)
                verdicts = jail.run(list(zip(samples, items, strict=True)), is_shared=is_shared)
            except Unsafe as error:
                verdicts = [Verdict(None, unscored=str(error))] * len(samples)
            except (TypeError, ValueError, RecursionError):
                verdicts = [Verdict(None, unscored="A sample or a row holds what JSON cannot say.")] * len(samples)
        return [_outcome(one) for one in verdicts]

    return batch


def _imported(source: str) -> frozenset[str]:
    """The packages that a source imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return frozenset(names)


def _outcome(verdict: Verdict) -> Outcome:
    evidence: Evidence | None = {"printed": verdict.printed} if verdict.printed else None
    if verdict.unscored is not None:
        return Outcome(None, Flagged("python_grader_server_error", verdict.unscored).errors, evidence=evidence)
    if verdict.score is None:
        flag = Flagged("python_grader_runtime_error", verdict.error or "It gave nothing back.")
        return Outcome(0.0, flag.errors, evidence=evidence)
    return Outcome(verdict.score, evidence=evidence)
