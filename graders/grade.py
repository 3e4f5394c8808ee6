"""The one way in: a grader and a batch of samples to a list of receipts."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from time import perf_counter

from pydantic import TypeAdapter

from graders.kinds.code import python
from graders.kinds.code_tests import code_tests
from graders.kinds.cosine import cosine
from graders.kinds.endpoint import endpoint
from graders.kinds.judges import label_model, rubric, score_model
from graders.kinds.mathematics import math
from graders.kinds.multi import multi
from graders.kinds.numbers import number
from graders.kinds.reward_model import reward_model
from graders.kinds.shape import language, length, repetition
from graders.kinds.steps import steps
from graders.kinds.structure import format, json_schema
from graders.kinds.text import regex, string_check, text_similarity
from graders.kinds.tool_call import tool_call
from graders.port import NOWHERE, Port
from graders.receipt import Batch, Grade, Graded, Item, Outcome, Sample, each
from graders.schema import (
    CodeTests,
    Endpoint,
    Format,
    Grader,
    JsonSchema,
    LabelModel,
    Language,
    Length,
    Math,
    Multi,
    Number,
    Python,
    Regex,
    Repetition,
    RewardModelGrader,
    Rubric,
    ScoreModel,
    Steps,
    StringCheck,
    TextSimilarity,
    ToolCall,
    templates,
)
from graders.template import columns

_GRADER: TypeAdapter[Grader] = TypeAdapter(Grader)


def grade(grader: Grader, samples: Sequence[Sample], items: Sequence[Item], port: Port = NOWHERE) -> list[Grade]:
    """Grade each sample against the row of the dataset in the same place. Models are asked through the port.

    What is wrong with a sample or a row is said in its grade; it never raises for what they hold.

    Raises:
        ValueError: samples and items differ in number.
    """
    if len(samples) != len(items):
        raise ValueError(f"{len(samples)} samples and {len(items)} items: each sample needs its item")
    return _compiled(grader.model_dump_json())(samples, items, port)


def item_columns(grader: Grader) -> frozenset[str]:
    """The columns of the dataset that a grader's templates read, as `item.<name>`."""
    return frozenset[str]().union(*map(columns, templates(grader)))


@lru_cache(maxsize=64)
def _compiled(document: str) -> Graded:
    """By its JSON, because a trainer grades with the same grader at every step and models are not hashable."""
    grader = _GRADER.validate_json(document)
    version = hashlib.sha256(document.encode()).hexdigest()[:12]
    return _graded(grader, grader.name or grader.type, version)


def _graded(grader: Grader, name: str, version: str = "") -> Graded:
    batch = _batch(grader)
    kind, threshold = grader.type, grader.pass_threshold

    def receipt(o: Outcome, share_s: float) -> Grade:
        passed = _passed(o.score, threshold)
        return Grade(o.score, name, kind, o.errors, o.sub, share_s, passed, o.evidence, o.usage, version)

    def graded(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Grade]:
        started = perf_counter()
        found = batch(samples, items, port)
        share_s = (perf_counter() - started) / max(1, len(found))
        return [receipt(one, share_s) for one in found]

    return graded


def _batch(grader: Grader) -> Batch:
    match grader:
        case StringCheck():
            return each(string_check(grader))
        case TextSimilarity(evaluation_metric="cosine"):
            return cosine(grader)
        case TextSimilarity():
            return each(text_similarity(grader))
        case Number():
            return each(number(grader))
        case Math():
            return math(grader)
        case Regex():
            return each(regex(grader))
        case JsonSchema():
            return each(json_schema(grader))
        case Format():
            return each(format(grader))
        case ToolCall():
            return each(tool_call(grader))
        case Length():
            return each(length(grader))
        case Repetition():
            return each(repetition(grader))
        case Language():
            return each(language(grader))
        case CodeTests():
            return code_tests(grader)
        case Python():
            return python(grader)
        case RewardModelGrader():
            return reward_model(grader)
        case ScoreModel():
            return score_model(grader)
        case LabelModel():
            return label_model(grader)
        case Rubric():
            return rubric(grader)
        case Endpoint():
            return endpoint(grader)
        case Steps():
            return steps(grader, _graded(grader.grader, grader.grader.name or "step"))
        case Multi():
            parts = grader.running.items()
            return multi(grader, {key: _graded(part, part.name or key) for key, part in parts})


def _passed(score: float | None, threshold: float | None) -> bool | None:
    return None if score is None or threshold is None else score >= threshold
