import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXACT = {"type": "string_check", "reference": "{{ item.answer }}", "pass_threshold": 1}


def graders(*arguments: object, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "graders", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, input=given)


def written(folder: Path, name: str, *documents: object) -> Path:
    file = folder / name
    file.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return file


@pytest.fixture
def exact(tmp_path: Path) -> Path:
    return written(tmp_path, "grader.json", EXACT)


def test_a_file_is_graded_and_summed_up(tmp_path: Path, exact: Path) -> None:
    rows = written(tmp_path, "rows.jsonl", *({"answer": str(n), "output_text": str(n % 2)} for n in range(600)))
    done = graders("run", exact, rows, "--output", tmp_path / "grades.jsonl")
    assert done.returncode == 0, done.stderr
    scores = [json.loads(line)["score"] for line in (tmp_path / "grades.jsonl").read_text().splitlines()]
    assert scores == [1, 1] + [0] * 598
    assert "600 rows, mean 0.0033, 0 not scored" in done.stderr
    assert "passed: 2 of 600" in done.stderr


def test_rows_come_as_items_and_samples_too_and_by_standard_input(exact: Path) -> None:
    rows = [
        {"item": {"answer": "a"}, "sample": "a"},
        {"item": {"answer": "b"}, "sample": {"role": "assistant", "content": "b"}},
        {"answer": "c", "said": "c"},
    ]
    done = graders("run", exact, "-", "--sample", "said", given="\n".join(map(json.dumps, rows)) + "\n\n")
    assert [json.loads(line)["score"] for line in done.stdout.splitlines()] == [1, 1, 1]


def test_errors_are_counted_with_an_example(tmp_path: Path, exact: Path) -> None:
    done = graders("run", exact, written(tmp_path, "rows.jsonl", {"sample": "a", "item": {}}))
    assert "invalid_variable_error: 1, like: There is no “item.answer” here." in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "Line 2: this is not JSON"),
        ("[1]", "Line 2: a row is a JSON object"),
        (
            '{"x": 1}',
            "Line 2: there is no answer. Write it as “sample” beside “item”, or name its column with --sample",
        ),
        ('{"item": 3, "sample": "a"}', "Line 2: there is no answer"),
    ],
)
def test_a_row_that_cannot_be_graded_is_named(tmp_path: Path, exact: Path, line: str, said: str) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"output_text": "a", "answer": "a"}\n' + line + "\n")
    done = graders("run", exact, rows)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_grader_is_shown_with_everything_filled_in(exact: Path) -> None:
    shown = json.loads(graders("check", exact).stdout)
    assert shown == EXACT | {"name": "string_check", "input": "{{ sample.output_text }}", "operation": "eq"}


def test_a_grader_that_is_wrong_is_refused_with_path_and_fix(tmp_path: Path) -> None:
    done = graders("check", written(tmp_path, "grader.json", EXACT | {"operation": "contains"}))
    assert done.returncode == 2
    assert "operation: “contains” is not one of eq, ne, like, ilike; did you mean ilike?" in done.stderr


def test_files_that_are_not_there_are_named(exact: Path) -> None:
    assert "nowhere.json cannot be read: No such file" in graders("check", "nowhere.json").stderr
    assert "nowhere.jsonl cannot be read: No such file" in graders("run", exact, "nowhere.jsonl").stderr


@pytest.mark.skipif(sys.platform != "linux", reason="jails need Linux")
def test_the_sandbox_is_tried() -> None:
    done = graders("sandbox")
    assert done.returncode == 0
    assert "landlock" in done.stdout
