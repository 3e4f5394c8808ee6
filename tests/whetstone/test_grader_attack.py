from typing import Any

import pytest
from django.test import Client

from tests.whetstone.factories import make_dataset, make_key

ROWS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "reference": str(2 * n)} for n in range(5, 9)]
EXACT = {"type": "string_check", "reference": "{{ item.reference }}"}

pytestmark = pytest.mark.django_db


def attacked(grader: object, status: int = 200, **body: object) -> dict[str, Any]:
    http = Client(headers={"authorization": f"Bearer {make_key()}"})
    given = {"grader": grader, "dataset": make_dataset(ROWS, name="sums").id} | body
    answer = http.post("/api/v1/graders/attack", given, content_type="application/json")
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_grader_that_holds_says_so() -> None:
    found = attacked(EXACT)
    assert found["holds"]
    assert found["rows"] == 4
    assert {trick["wins"] for trick in found["tricks"]} == {0}


def test_a_trick_that_wins_comes_with_an_example_and_advice() -> None:
    found = attacked(EXACT | {"operation": "like"}, limit=2)
    assert not found["holds"]
    (trick,) = [trick for trick in found["tricks"] if trick["name"] == "repeated"]
    assert (trick["tried"], trick["wins"]) == (2, 2)
    assert trick["title"] == "The right answer, thirty times"
    assert "length" in trick["advice"]
    assert trick["example"]["answer"].startswith("10 10 10")
    assert (trick["example"]["score"], trick["example"]["right_score"]) == (1, 1)


def test_a_grader_that_is_wrong_is_refused() -> None:
    assert attacked({"type": "regex"}, status=400)["error"]["param"] == "pattern"


def test_a_judge_is_attacked_on_few_rows_only() -> None:
    judge = {"type": "score_model", "model": "wise", "input": [{"role": "user", "content": "{{ sample.output_text }}"}]}
    assert attacked(judge, status=400, limit=3)["error"]["code"] == "evaluator.too_many_rows"
