"""Graders: OpenAI's grader JSON and samples in, grades out. No Django, no torch.

from graders import grade, parse

grader = parse({"type": "string_check", "name": "exact", "operation": "eq",
                "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"})
grades = grade(grader, [{"output_text": "42"}], [{"answer": "42"}])
grades[0].score  # 1.0
"""

from graders.grade import grade, item_columns
from graders.needs import asks_outside, full_score, judges_of, models_of, runs_code, secrets_of
from graders.parse import parse
from graders.port import (
    Answer,
    Conversation,
    Message,
    Port,
    Question,
    Reply,
    Scorers,
    Service,
    Silence,
    Unreachable,
    Vector,
)
from graders.problem import TEXTS, GraderError, Problem
from graders.receipt import Grade, Item, Sample, used_by
from graders.sample import sample_of
from graders.schema import Grader
from graders.usage import Usage

__all__ = [
    "TEXTS",
    "Answer",
    "Conversation",
    "Grade",
    "Grader",
    "GraderError",
    "Item",
    "Message",
    "Port",
    "Problem",
    "Question",
    "Reply",
    "Sample",
    "Scorers",
    "Service",
    "Silence",
    "Unreachable",
    "Usage",
    "Vector",
    "asks_outside",
    "full_score",
    "grade",
    "item_columns",
    "judges_of",
    "models_of",
    "parse",
    "runs_code",
    "sample_of",
    "secrets_of",
    "used_by",
]
