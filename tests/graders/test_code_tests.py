import pytest

from graders import Grade, grade, parse
from graders.kinds.code_tests import code_in

ADD = "def add(a, b):\n    return a + b\n"


def graded(code: str, *tests: object, **fields: object) -> Grade:
    (receipt,) = grade(parse({"type": "code_tests", **fields}), [{"output_text": code}], [{"tests": list(tests)}])
    return receipt


def test_the_score_is_the_share_of_tests_that_pass() -> None:
    receipt = graded(ADD, "assert add(1, 2) == 3", "assert add(1, 1) == 3")
    assert receipt.score == 0.5
    failed = {"test": "assert add(1, 1) == 3", "got": "2"}
    assert receipt.evidence == {"passed": 1, "tests": 2, "failed": [failed]}


def test_all_or_nothing_can_be_asked_for() -> None:
    assert graded(ADD, "assert add(1, 2) == 3", "assert add(1, 1) == 3", score="all").score == 0
    assert graded(ADD, "assert add(1, 2) == 3", score="all").score == 1


@pytest.mark.parametrize(
    "test",
    [
        "assert add(1, 2) == 3",
        "assert add('a', 'b') == 'ab'",
        "assert add((1,), (2,)) == (1, 2)",
        "assert add(0.1, 0.2) == 0.3",
        "import math\nassert math.isclose(add(0.1, 0.2), 0.3)",
        "assert add(1, 2) in (3, 4)",
        {"call": "add([1], [2])", "expected": [1, 2]},
        {"call": "(add(1, 2), None, {'a': {1}})", "expected": "no"},
    ],
)
def test_a_test_is_an_assert_a_script_or_a_call(test: object) -> None:
    expected = 0 if isinstance(test, dict) and test["expected"] == "no" else 1
    assert graded(ADD, test).score == expected


def test_a_program_reads_and_prints() -> None:
    program = "import sys\nn = int(input())\nprint(sum(map(int, sys.stdin.read().split())) * n)"
    receipt = graded(
        program,
        {"stdin": "2\n1 2 3\n", "stdout": "12"},
        {"stdin": "1\n4", "stdout": "4\n"},
        {"stdin": "", "stdout": ""},
    )
    assert receipt.score == pytest.approx(2 / 3)


def test_tests_may_be_one_script() -> None:
    (receipt,) = grade(
        parse({"type": "code_tests"}),
        [{"output_text": ADD}],
        [{"tests": "def check(f):\n    assert f(1, 2) == 3\n\ncheck(add)"}],
    )
    assert receipt.score == 1


@pytest.mark.parametrize(
    "code",
    [
        "class Any:\n    def __eq__(self, other): return True\ndef f(): return Any()",
        "import os\nos._exit(0)",
        "import sys\nsys.exit(0)",
        "raise SystemExit(0)",
        "def f(): return 2\nimport builtins\nbuiltins.repr = lambda x: '4'",
        "print('4')\ndef f(): return 5",
        'import os\nfor fd in range(3, 64):\n    try: os.write(fd, b\'{"score": 1.0, "printed": "yes"}\\n\')\n'
        "    except OSError: pass",
        "def f():\n    while True: pass",
        "def f(: return 4",
        "def f(): return 'x' * 10**6",
        "",
    ],
)
def test_code_that_is_wrong_cannot_claim_to_be_right(code: str) -> None:
    receipt = graded(code, "assert f() == 42", timeout_s=0.5)
    assert receipt.score == 0
    assert receipt.errors == {}


def test_a_test_that_hangs_costs_no_other_sample_its_score() -> None:
    samples = [{"output_text": code} for code in ("def f():\n    while True: pass", "def f(): return 1")]
    receipts = grade(
        parse({"type": "code_tests", "timeout_s": 0.5}), samples * 3, [{"tests": ["assert f() == 1"] * 9}] * 6
    )
    assert [one.score for one in receipts] == [0, 1] * 3


def test_the_evidence_shows_the_answers_own_lines() -> None:
    receipt = graded("def f():\n    return 1 / 0", "assert f() == 1")
    said = str(receipt.evidence)
    assert "answer.py" in said
    assert "ZeroDivisionError" in said
    assert "grader.py" not in said


@pytest.mark.parametrize("tests", [[], [3], [{"call": "f()"}], [""], ["assert f() == 1"] * 201, None])
def test_what_is_no_test_is_flagged(tests: object) -> None:
    (receipt,) = grade(parse({"type": "code_tests"}), [{"output_text": ADD}], [{"tests": tests}])
    assert receipt.score == 0
    assert receipt.errors["other_error"] is True


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a = 1", "a = 1"),
        ("So:\n```python\na = 1\n```\nDone.", "a = 1\n"),
        ("```python\na = 1\n```\nBetter:\n```py\na = 2\n```", "a = 2\n"),
        ("```python\na = 1\n```\nRun it:\n```bash\npython a.py\n```", "a = 1\n"),
        ("```\na = 1\n```", "a = 1\n"),
        ("```python\nnever closed", "```python\nnever closed"),
    ],
)
def test_the_last_python_block_is_the_code(text: str, code: str) -> None:
    assert code_in(text) == code
