"""Two versions beside each other, over REST."""

from typing import Any

import pytest
from django.test import Client

from graders import parse
from tests.whetstone.factories import EXACT, make_dataset, make_key, make_rollouts, make_team, make_user
from whetstone.evaluators.diff import side_by_side
from whetstone.evaluators.save import save_evaluator

pytestmark = pytest.mark.django_db
ROWS = [{"prompt": f"{n}?", "completion": f"{n}!" if n % 3 == 0 else str(n), "answer": str(n)} for n in range(120)]
CONTAINS = EXACT | {"operation": "like"}


def diff(status: int = 200, **body: Any) -> dict[str, Any]:
    http = Client(headers={"authorization": f"Bearer {make_key()}"})
    answer = http.post("/api/v1/evaluators/diff", body, content_type="application/json")
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def save(*graders: dict[str, Any]) -> None:
    for grader in graders:
        save_evaluator(make_user(), make_team(), "exact", parse(grader))


def test_two_versions_differ_where_they_differ_and_defaults_are_no_change() -> None:
    save(EXACT, CONTAINS)
    assert diff(left="exact@1", right="exact@2") == {
        "changes": [{"path": "operation", "kind": "changed", "left": "eq", "right": "like"}]
    }
    assert diff(left="exact@1", right=EXACT)["changes"] == []
    bare = {"type": "string_check", "name": "exact", "reference": "{{ item.answer }}"}
    assert diff(left="exact@1", right=bare)["changes"] == []


def test_scores_of_both_say_which_rows_flip() -> None:
    save(EXACT, CONTAINS)
    scores = diff(left="exact@1", right="exact@2", dataset=make_dataset(ROWS).id, offset=1)["scores"]
    assert (scores["total"], scores["compared"], scores["flips"]) == (119, 119, 39)
    assert scores["flip_at"] == {"left": 0.5, "right": 0.5}
    assert (scores["mean_right"], scores["rank_correlation"]) == (1, None)
    first = scores["rows"][0]
    assert (first["row"], first["item"]["answer"], first["sample"]["output_text"]) == (3, "3", "3!")
    assert (first["left"]["score"], first["right"]["score"]) == (0, 1)
    assert len(scores["rows"]) == 39


def test_at_most_a_hundred_rows_are_told() -> None:
    fuzzy = {"type": "text_similarity", "reference": "{{ item.answer }} or more"}
    scores = diff(left=EXACT, right=fuzzy, dataset=make_dataset(ROWS).id)["scores"]
    assert (scores["total"], len(scores["rows"])) == (120, 100)


def test_two_versions_are_compared_on_what_a_job_answered() -> None:
    job = make_rollouts(["0", "2 apples", "5"])
    scores = diff(left=EXACT, right=CONTAINS, job=job.id)["scores"]
    assert (scores["total"], scores["flips"]) == (3, 1)
    assert scores["rows"][0]["stored"] == {"step": 2, "reward": 0.5}
    assert scores["rank_correlation"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"left": "nobody@1", "right": EXACT}, "left"),
        ({"left": EXACT, "right": {"type": "regex"}}, "right.pattern"),
        ({"left": EXACT, "right": 3}, "right"),
        ({"left": EXACT}, "right"),
        ({"left": EXACT, "right": EXACT, "job": "ftjob-x"}, "job"),
        ({"left": EXACT, "right": EXACT, "samples": [], "dataset": "x", "job": "y"}, "samples"),
    ],
)
def test_a_side_or_a_source_that_is_none_is_named(body: dict[str, Any], field: str) -> None:
    assert diff(400, **body)["error"]["param"] == field


def test_lines_stand_beside_each_other_and_what_is_far_from_a_change_is_folded() -> None:
    left = {"a": 1, **{f"k{n}": n for n in range(20)}, "z": 1}
    right = left | {"k10": 11, "more": True}
    lines = side_by_side(left, right)
    assert lines[0].kind == "folded"
    changed = [line for line in lines if line.kind == "changed"]
    assert next((line.left, line.right) for line in changed) == ('  "k10": 10,', '  "k10": 11,')
    assert [line.right for line in lines if line.kind == "added"] == ['  "more": true']
    shown = sum(line.left is not None for line in lines) + sum(line.folded for line in lines)
    assert shown == len(left) + 2
    whole = side_by_side(left, right, around=None)
    assert [line.left for line in whole if line.left is not None][:2] == ["{", '  "a": 1,']
    assert [line.right_number for line in whole if line.right is not None] == list(range(1, len(right) + 3))


def test_equal_documents_are_one_fold() -> None:
    (only,) = side_by_side({"a": 1}, {"a": 1})
    assert (only.kind, only.folded) == ("folded", 3)
