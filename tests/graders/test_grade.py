import dataclasses
import json
import pickle
import subprocess
import sys

import pytest

from graders import Grade, Port, grade, parse
from graders.grade import _compiled
from graders.receipt import Flagged, Outcome, each
from graders.schema import StringCheck

EXACT = parse({"type": "string_check", "name": "exact", "pass_threshold": 0.5})


def test_each_sample_is_graded_against_the_item_in_its_place() -> None:
    receipts = grade(EXACT, [{"output_text": "a"}, {"output_text": "b"}], [{"reference": "a"}, {"reference": "c"}])
    assert [receipt.score for receipt in receipts] == [1, 0]
    assert [receipt.passed for receipt in receipts] == [True, False]


def test_an_empty_batch_has_no_receipts() -> None:
    assert grade(EXACT, [], []) == []


def test_a_sample_without_an_item_is_refused() -> None:
    with pytest.raises(ValueError, match="2 samples and 1 items"):
        grade(EXACT, [{}, {}], [{}])


def test_a_receipt_never_changes() -> None:
    receipt = Grade(1.0, "exact", "string_check")
    with pytest.raises(dataclasses.FrozenInstanceError):
        receipt.score = 2.0  # type: ignore[misc]  # what the test is about


def test_a_receipt_is_json_and_can_be_sent_to_another_process() -> None:
    (receipt,) = grade(EXACT, [{"output_text": "a"}], [{}])
    said = json.loads(json.dumps(receipt.to_json()))
    assert said.pop("time_s") > 0
    assert said == {
        "score": 0.0,
        "name": "exact",
        "type": "string_check",
        "errors": {
            "invalid_variable_error": True,
            "invalid_variable_error_details": "There is no “item.reference” here.",
        },
        "sub": {},
        "passed": False,
        "version": receipt.version,
    }
    assert pickle.loads(pickle.dumps(receipt)) == receipt


def test_without_a_threshold_nothing_passes_or_fails() -> None:
    (receipt,) = grade(StringCheck(), [{"output_text": "a"}], [{"reference": "a"}])
    assert receipt.passed is None
    assert receipt.name == "string_check"


def test_what_went_wrong_with_one_sample_harms_no_other() -> None:
    receipts = grade(
        EXACT, [{"output_text": "a"}, {}, {"output_text": "b"}], [{"reference": "a"}, {"reference": "a"}, {}]
    )
    assert [receipt.score for receipt in receipts] == [1, 0, 0]
    assert ["invalid_variable_error" in receipt.errors for receipt in receipts] == [False, True, True]


def test_receipts_share_no_dictionary() -> None:
    one, other = grade(EXACT, [{}, {}], [{}, {}])
    one.errors["mark"] = True
    assert "mark" not in other.errors


def test_the_time_is_the_samples_share_of_the_batch() -> None:
    receipts = grade(EXACT, [{"output_text": "a"}] * 100, [{"reference": "a"}] * 100)
    assert len({receipt.time_s for receipt in receipts}) == 1
    assert 0 < receipts[0].time_s < 0.01


def test_a_grader_is_compiled_once_for_many_batches() -> None:
    grader = parse({"type": "string_check", "name": "compiled once"})
    before = _compiled.cache_info().misses
    for _ in range(3):
        grade(grader, [{"output_text": "a"}], [{"reference": "a"}])
    assert _compiled.cache_info().misses == before + 1


def test_flags_become_a_score_of_0() -> None:
    def refuse(sample: object, item: object) -> float:
        raise Flagged("other_error", "No.")

    assert each(refuse)([{}], [{}], Port()) == [Outcome(0.0, {"other_error": True, "other_error_details": "No."})]


def test_graders_loads_nothing_of_the_other_rooms() -> None:
    program = "import sys, graders; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    strangers = {"contracts", "whetstone", "trainer_worker", "django", "celery", "torch", "transformers", "numpy"}
    assert "graders" in loaded
    assert not strangers & set(loaded)
