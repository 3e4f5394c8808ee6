"""Open questions, whose answers a judge scores: MT-Bench (Zheng et al., arXiv:2306.05685) and files like it."""

from typing import Any

from pydantic import JsonValue

from contracts.fault import Fault
from whetstone.suites.task import Row, Task, text_in

CRITERIA: list[JsonValue] = [
    {
        "name": "right",
        "text": "What it says is true, and it leaves out nothing that was asked for.",
        "weight": 3,
    },
    {"name": "useful", "text": "It helps the person who asked, and keeps to what was asked.", "weight": 2},
    {"name": "clear", "text": "It is well ordered and no longer than it needs to be.", "weight": 1},
]


def read(row: Row) -> Task:
    """A question under `prompt`, `question` or `instruction`, or as the first of `turns`; with a `reference` or a
    `rubric` of its own where there is one. Raises Unreadable."""
    turns = row.get("turns")
    first = {"turns": turns[0]} if isinstance(turns, list) and turns else row
    question = text_in(first, "prompt", "question", "instruction", "turns")
    if isinstance(more := row.get("input"), str) and more.strip():  # an instruction about a text
        question = f"{question}\n\n{more.strip()}"
    reference = _reference(row)
    item: dict[str, JsonValue] = {"reference": reference} if reference else {}
    item |= {name: row[name] for name in ("rubric", "category") if row.get(name)}
    return Task(question, reference, item)


def _reference(row: Row) -> str:
    for name in ("reference", "answer", "output"):
        value = row.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def grader(judge: str, columns: set[str]) -> dict[str, Any]:  # Any: JSON
    """By the rows' own rubric where all have one; else three criteria, and the reference answer where all have one.

    Raises Fault suite.no_judge.
    """
    if not judge:
        raise Fault("suite.no_judge", field="judge")
    asked: dict[str, Any] = {"type": "rubric", "name": "judged", "model": judge}
    if "rubric" in columns:
        return asked | {"rubric": "{{ item.rubric }}"}
    criteria = list(CRITERIA)
    if "reference" in columns:
        criteria.insert(0, {"name": "agrees", "text": "It agrees with this answer: {{ item.reference }}", "weight": 3})
    return asked | {"criteria": criteria}
