import os
import signal

import pytest

from graders import Grade, GraderError, Port, Problem, grade, parse
from graders.sandbox import Jails
from graders.schema.code import MAX_SOURCE
from tests.graders.test_jail import children

WRATIO = """
from rapidfuzz import fuzz, utils

def grade(sample, item):
    output_text = sample["output_text"]
    reference_answer = item["reference_answer"]
    return fuzz.WRatio(output_text, reference_answer, processor=utils.default_process) / 100.0
"""
TOKEN_SET = """
from rapidfuzz import fuzz, utils

def grade(sample, item):
    answer, right = sample["output_text"], item["right"]
    similar = fuzz.token_set_ratio(answer, right, processor=utils.default_process) / 100
    exact = utils.default_process(answer) == utils.default_process(right)
    return 0.85 * similar + 0.15 * exact
"""


def python(source: str, **fields: object) -> dict[str, object]:
    return {"type": "python", "source": source, **fields}


def graded(source: str, *samples: dict[str, object], **fields: object) -> list[Grade]:
    return grade(parse(python(source, **fields)), samples or [{}], [{}] * max(1, len(samples)))


def problem_of(document: object) -> Problem:
    with pytest.raises(GraderError) as caught:
        parse(document)
    (problem,) = caught.value.problems
    return problem


def test_openais_published_example_gives_the_published_reward() -> None:
    sample, item = {"output_text": "fuzzy wuzzy was a bear"}, {"reference_answer": "fuzzy wuzzy had no hair"}
    (receipt,) = grade(parse(python(WRATIO, image_tag="2025-05-08")), [sample], [item])
    assert receipt.score == 0.7555555555555555
    assert receipt.errors == {}


def test_the_cookbooks_grader_runs_unchanged() -> None:
    sample, item = {"output_text": "gallstone ileus"}, {"right": "Gallstone ileus."}
    (receipt,) = grade(parse(python(TOKEN_SET)), [sample], [item])
    assert receipt.score == pytest.approx(1)


@pytest.mark.parametrize("package", ["numpy", "sympy"])
def test_the_packages_that_graders_import_are_there(package: str) -> None:
    pytest.importorskip(package)
    (receipt,) = graded(f"import {package}\ndef grade(sample, item):\n    return bool({package}.sqrt(4) == 2)")
    assert receipt.score == 1


def test_an_exception_is_0_with_a_flag_and_the_line() -> None:
    (receipt,) = graded("def grade(sample, item):\n    return item['missing']")
    assert receipt.score == 0
    assert receipt.errors["python_grader_runtime_error"] is True
    assert "line 2, in grade" in str(receipt.errors["python_grader_runtime_error_details"])


def test_scores_are_not_clamped() -> None:
    assert [one.score for one in graded("def grade(s, i):\n    return s['n']", {"n": -3}, {"n": 250.5})] == [-3, 250.5]


def test_what_it_prints_is_evidence() -> None:
    (receipt,) = graded("def grade(s, i):\n    print('found 3 of 4')\n    return 0.75")
    assert receipt.evidence == {"printed": "found 3 of 4\n"}


def test_answers_of_a_jail_that_was_lost_are_not_scored() -> None:
    grader = parse(python("def grade(s, i):\n    return 1"))
    with Jails() as jails:
        before = children()
        assert grade(grader, [{}], [{}], Port(jails=jails))[0].score == 1
        (jail,) = children() - before
        os.killpg(jail, signal.SIGKILL)
        lost, again = (grade(grader, [{}], [{}], Port(jails=jails))[0] for _ in range(2))
    assert lost.score is None
    assert lost.errors["python_grader_server_error"] is True
    assert again.score == 1


def test_what_json_cannot_say_is_not_scored_and_raises_nothing() -> None:
    (receipt,) = graded("def grade(s, i):\n    return 1", {"output_text": "a", "mine": object()})
    assert receipt.score is None
    assert receipt.errors["python_grader_server_error"] is True


def test_one_jail_grades_batch_after_batch() -> None:
    source = "import time\nborn = time.monotonic()\ndef grade(s, i):\n    return 1"
    with Jails() as jails:
        for _ in range(2):
            assert grade(parse(python(source)), [{}], [{}], Port(jails=jails))[0].score == 1
        assert len(jails) == 1


def test_a_time_limit_of_its_own_is_kept() -> None:
    (receipt,) = graded("def grade(s, i):\n    while True:\n        pass", timeout_s=0.2)
    assert receipt.errors["python_grader_runtime_error_details"] == "It did not finish within 0.2 s."


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def grade(sample, item)\n    return 1", "Line 1: expected ':'."),
        ("x = 1", "The source defines no function grade(sample, item)."),
        ("def score(sample, item):\n    return 1", "The source defines no function grade(sample, item)."),
        ("#" * (MAX_SOURCE + 1), "The text is longer than 262144 characters."),
        ("#" + "é" * (MAX_SOURCE // 2 + 1), "The source is longer than 256 kB."),
        ("-" * 100_000 + "1", "Python cannot read this: it nests too deep, or holds characters that no source may."),
        ("def grade(s, i): return '\0'", "Line 1: source code string cannot contain null bytes."),
        ("", "This must not be empty."),
    ],
)
def test_a_source_that_cannot_run_is_refused_at_its_path(source: str, said: str) -> None:
    problem = problem_of({"type": "multi", "graders": {"a": python(source)}, "calculate_output": "a"})
    assert problem.path == "graders.a.source"
    assert problem.message == said


@pytest.mark.parametrize(
    "source",
    [
        "grade = lambda sample, item: 1",
        "grade: object = lambda sample, item: 1",
        "if True:\n    def grade(sample, item):\n        return 1",
    ],
)
def test_grade_may_be_defined_in_any_way(source: str) -> None:
    assert graded(source)[0].score == 1


def test_a_word_for_the_source_that_others_use_is_understood() -> None:
    problem = problem_of({"type": "python", "code": "x", "source": "def grade(s, i):\n    return 1"})
    assert problem.message.endswith("did you mean source?")
