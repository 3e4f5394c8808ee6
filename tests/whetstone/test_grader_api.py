"""`/v1/fine_tuning/alpha/graders`, as the official SDK calls it and more."""

from typing import Any

import pytest
from django.test import Client
from openai.types.fine_tuning.alpha import GraderRunResponse, GraderValidateResponse

from tests.whetstone.factories import make_key

GRADERS = "/v1/fine_tuning/alpha/graders"
EXACT = {"type": "string_check", "reference": "{{ item.answer }}", "input": "{{ sample.output_text }}"}
SUM = "def grade(sample, item):\n    print('here')\n    return float(sample['output_text']) + item['n']"
CALL = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}

pytestmark = pytest.mark.django_db


def post(path: str, body: object, status: int = 200) -> dict[str, Any]:
    http = Client(headers={"authorization": f"Bearer {make_key()}"})
    answer = http.post(f"{GRADERS}/{path}", body, content_type="application/json")
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def run(grader: object, model_sample: object, item: object = None) -> dict[str, Any]:
    return post("run", {"grader": grader, "model_sample": model_sample} | ({"item": item} if item else {}))


def test_a_grader_is_validated_and_filled_in() -> None:
    answer = post("validate", {"grader": EXACT | {"operation": "neq"}})
    assert answer["grader"]["operation"] == "ne"
    assert answer["grader"]["name"] == "string_check"
    assert GraderValidateResponse.model_validate(answer).grader is not None


def test_a_grader_that_is_wrong_is_answered_with_its_path_and_the_fix() -> None:
    multi = {"type": "multi", "graders": {"a": EXACT | {"operation": "contains"}}, "calculate_output": "a"}
    for path, more in (("validate", {}), ("run", {"model_sample": "x"})):
        error = post(path, {"grader": multi} | more, status=400)["error"]
        assert error["param"] == "graders.a.operation"
        assert error["message"] == "“contains” is not one of eq, ne, like, ilike; did you mean ilike?"


def test_a_run_answers_with_every_key_that_the_sdk_knows() -> None:
    answer = run(EXACT, "4", {"answer": "4"})
    assert answer["reward"] == 1
    assert GraderRunResponse.model_validate(answer, strict=True).metadata.type == "string_check"
    errors = answer["metadata"]["errors"]
    assert not any(value for flag, value in errors.items())
    assert {"model_grader_exceeded_max_tokens_error", "endpoint_grader_server_error_details"} <= errors.keys()


def test_a_python_grader_runs_in_the_web_too() -> None:
    answer = run({"type": "python", "source": SUM}, "40", {"n": 2})
    assert answer["reward"] == 42
    assert answer["metadata"]["evidence"] == {"printed": "here\n"}
    answer = run({"type": "python", "source": SUM}, "forty", {"n": 2})
    assert answer["reward"] == 0
    assert answer["metadata"]["errors"]["python_grader_runtime_error"] is True
    assert "ValueError" in answer["metadata"]["errors"]["python_grader_runtime_error_details"]


def test_the_parts_of_a_multi_are_sub_rewards() -> None:
    parts = {"a": EXACT, "b": {"type": "number", "reference": "4"}}
    answer = run({"type": "multi", "graders": parts, "calculate_output": "a + b"}, "it is 4", {"answer": "4"})
    assert answer["reward"] == 1
    assert answer["sub_rewards"] == {"a": 0, "b": 1}


def test_an_unknown_variable_is_flagged() -> None:
    answer = run(EXACT, "4")
    assert answer["reward"] == 0
    assert answer["metadata"]["errors"]["invalid_variable_error"] is True


def test_what_is_not_scored_says_so() -> None:
    answer = run({"type": "reward_model", "model": "taste"}, "4")
    assert (answer["reward"], answer["scored"]) == (0, False)
    assert answer["metadata"]["errors"]["model_grader_server_error"] is True


def test_json_in_the_sample_can_be_read_by_its_fields() -> None:
    grader = EXACT | {"input": "{{ sample.output_json.city }}", "reference": "Bern"}
    assert run(grader, '{"city": "Bern"}')["reward"] == 1


def test_tool_calls_are_tried_by_giving_the_message() -> None:
    grader = EXACT | {"input": "{{ sample.output_tools[0].function.name }}", "reference": "weather"}
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert run(grader, message)["reward"] == 1
    assert run(grader, {"output_text": "", "output_tools": [CALL]})["reward"] == 1


def test_the_older_way_to_give_a_reference_is_understood() -> None:
    grader = EXACT | {"reference": "{{ item.reference_answer }}"}
    answer = post("run", {"grader": grader, "model_sample": "4", "reference_answer": "4"})
    assert answer["reward"] == 1


@pytest.mark.parametrize("body", [{}, {"grader": EXACT}, {"grader": EXACT, "model_sample": 4}, {"model_sample": "x"}])
def test_a_body_without_what_is_needed_is_refused(body: object) -> None:
    assert post("run", body, status=400)["error"]["type"] == "invalid_request_error"
