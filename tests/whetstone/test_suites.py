"""Published test sets, brought as files: a dataset and an evaluator come of them."""

import csv
import io
import json
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from contracts.fault import Fault
from graders import grade
from tests.whetstone.factories import jsonl, make_key, make_team, make_user
from whetstone.datasets.lines import read_rows
from whetstone.suites.bring import Brought, File, Order, SuiteName, bring

pytestmark = pytest.mark.django_db
WORD_PROBLEMS = [
    {"question": "Ann has 3 pens and buys 4. How many?", "answer": "She has 3+4=<<3+4=7>>7 pens.\n#### 7"},
    {"question": "A box costs $1,200. Two?", "answer": "2*1200=<<2*1200=2400>>2400\n#### 2,400"},
]
CAPITALS = {
    "question": "The capital of France?",
    "subject": "world_geography",
    "choices": ["Rome", "Paris", "Bonn", "Oslo"],
}


def brought(suite: SuiteName, content: bytes, name: str = "f.jsonl", **more: Any) -> Brought:
    return bring(make_user(), make_team(), Order(suite, "suite", File(io.BytesIO(content), name), **more))


def scores(made: Brought, answers: list[str]) -> list[float | None]:
    items = read_rows(made.dataset, 0, len(answers))
    graded = grade(made.evaluator.grader, [{"output_text": text} for text in answers], items)
    return [one.score for one in graded]


def asked(made: Brought, row: int = 0) -> list[dict[str, Any]]:
    messages: Any = read_rows(made.dataset, row, 1)[0]["messages"]
    return list(messages)


def test_gsm8k_is_asked_step_by_step_and_scored_by_its_number() -> None:
    made = brought("gsm8k", jsonl(WORD_PROBLEMS))
    assert (made.dataset.rows, made.dataset.shape) == (2, "prompt")
    assert asked(made)[0]["content"].startswith("Ann has 3 pens")
    assert scores(made, ["3 + 4 = 7, so\n#### 7", "It costs $2400."]) == [1.0, 1.0]
    assert scores(made, ["#### 8", "no idea"]) == [0.0, 0.0]


def test_worked_examples_stand_before_each_question() -> None:
    examples = File(io.BytesIO(jsonl(WORD_PROBLEMS)), "train.jsonl")
    turns = asked(brought("gsm8k", jsonl(WORD_PROBLEMS[1:]), examples=examples, shots=2))
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "assistant", "user"]
    assert turns[1]["content"] == "She has 3+4=7 pens.\n#### 7"  # without the calculator's notes


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (jsonl([CAPITALS | {"answer": 1}]), "mmlu.jsonl"),
        (json.dumps([CAPITALS | {"answer": "B"}]).encode(), "mmlu.json"),
        (b'"The capital of France?",Rome,Paris,Bonn,Oslo,B\n', "geography_test.csv"),
        (b"question,A,B,C,D,answer\nThe capital of France?,Rome,Paris,Bonn,Oslo,B\n", "with_header.csv"),
        (
            jsonl(
                [
                    {
                        "question": {
                            "stem": "The capital of France?",
                            "choices": [{"text": "Rome", "label": "1"}, {"text": "Paris", "label": "2"}],
                        },
                        "answerKey": "2",
                    }
                ]
            ),
            "arc.jsonl",
        ),
    ],
    ids=["JSON lines", "a list", "CSV without header", "CSV with header", "ARC"],
)
def test_multiple_choice_is_read_in_every_published_layout(content: bytes, name: str) -> None:
    made = brought("multiple_choice", content, name)
    assert "B. Paris" in asked(made)[0]["content"]
    for right in ("B", "B.", "(B)", "The answer is B.", "Not A, but **B**"):
        assert scores(made, [right]) == [1.0], right
    for wrong in ("A", "Paris", "", "b", "B or A"):
        assert scores(made, [wrong]) == [0.0], wrong


def test_parquet_is_read_as_hubs_publish_it() -> None:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([CAPITALS | {"answer": 1}] * 3), file)
    made = brought("multiple_choice", file.getvalue(), "test-00000.parquet")
    assert made.dataset.rows == 3
    assert asked(made)[0]["content"].startswith("A multiple choice question about world geography.")


def test_open_answers_are_judged_by_the_rows_own_rubric_where_all_have_one() -> None:
    rows = [
        {"prompt": "Why is the sky blue?", "rubric": ["Names scattering."]},
        {"prompt": "And red?", "rubric": ["x"]},
    ]
    judged = brought("open_answers", jsonl(rows), judge="my-judge").evaluator.document
    assert (judged["type"], judged["rubric"]) == ("rubric", "{{ item.rubric }}")
    turns = [{"question_id": 81, "turns": ["Write a haiku.", "And another."], "reference": ["Old pond"]}]
    made = brought("open_answers", jsonl(turns), judge="my-judge")
    assert asked(made) == [{"role": "user", "content": "Write a haiku."}]
    assert [one["name"] for one in made.evaluator.document["criteria"]] == ["agrees", "right", "useful", "clear"]
    with pytest.raises(Fault, match="none was named"):
        brought("open_answers", jsonl(rows))


@pytest.mark.parametrize(
    ("suite", "content", "name", "says"),
    [
        (
            "gsm8k",
            jsonl([{"question": "1+1?", "answer": "2"}]),
            "f.jsonl",
            "row 1: the answer has no number after ####",
        ),
        ("gsm8k", jsonl([{"prompt": "1+1?"}]), "f.jsonl", "no text under “question”"),
        ("multiple_choice", jsonl([CAPITALS | {"answer": 7}]), "f.jsonl", "“7” is none of A, B, C, D"),
        ("multiple_choice", jsonl([{"question": "?", "answer": "A"}]), "f.jsonl", "no choices"),
        ("multiple_choice", b"a,b\n", "f.csv", "a line of 2 fields; 6 were expected"),
        ("multiple_choice", b"PAR1 not really", "f.parquet", "not laid out as this suite"),
        ("multiple_choice", b"\xff\xfe,1", "f.csv", "not laid out as this suite"),
        ("gsm8k", b"[1, 2]", "f.json", "no objects"),
        ("gsm8k", b"", "f.jsonl", "no rows"),
        ("gsm8k", b"{", "f.jsonl", "Line 1"),
    ],
)
def test_a_file_of_another_layout_is_refused_with_the_row(
    suite: SuiteName, content: bytes, name: str, says: str
) -> None:
    with pytest.raises(Fault) as refused:
        brought(suite, content, name)
    assert says in str(refused.value)


def test_a_suite_comes_in_over_rest() -> None:
    http = Client(headers={"authorization": f"Bearer {make_key()}"})
    lines = io.StringIO()
    csv.writer(lines).writerow(["The capital of France?", "Rome", "Paris", "Bonn", "Oslo", "B"])
    file = SimpleUploadedFile("geography_test.csv", lines.getvalue().encode())
    answer = http.post("/api/v1/suites", {"suite": "multiple_choice", "name": "geography", "file": file})
    assert answer.status_code == httpx.codes.OK, answer.content
    assert answer.json() | {"dataset_id": ""} == {
        "dataset": "geography@1",
        "dataset_id": "",
        "rows": 1,
        "evaluator": "geography@1",
        "longest_answer": 32,
    }
    refused = http.post(
        "/api/v1/suites", {"suite": "gsm8k", "name": "x", "file": SimpleUploadedFile("f", b"{}"), "shots": 3}
    )
    assert refused.json()["error"]["code"] == "suite.no_examples"
    assert http.post("/api/v1/suites", {"suite": "gsm8k", "name": "x"}).status_code == 400
