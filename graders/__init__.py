"""Graders: OpenAI's grader JSON and samples in, grades out. No Django, no torch.

from graders import grade, parse

grader = parse({"type": "string_check", "name": "exact", "operation": "eq",
                "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"})
grades = grade(grader, [{"output_text": "42"}], [{"answer": "42"}])
grades[0].score  # 1.0
"""

from graders.grade import grade, item_columns, models_of
from graders.parse import parse
from graders.port import Conversation, Message, Port, Scorers, Unreachable
from graders.problem import TEXTS, GraderError, Problem
from graders.receipt import Grade, Item, Sample
from graders.schema import Grader

__all__ = [
    "TEXTS",
    "Conversation",
    "Grade",
    "Grader",
    "GraderError",
    "Item",
    "Message",
    "Port",
    "Problem",
    "Sample",
    "Scorers",
    "Unreachable",
    "grade",
    "item_columns",
    "models_of",
    "parse",
]
