import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.judges import Asked, Said, judgement, said, serving

ROOT = Path(__file__).parents[2]
EXACT = {"type": "string_check", "reference": "{{ item.answer }}", "pass_threshold": 1}


def graders(*arguments: object, given: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "graders", *map(str, arguments)]
    ours = {key: value for key, value in os.environ.items() if not key.startswith("OPENAI_")}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, input=given, env=ours | environment)


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


JUDGE = {"type": "score_model", "model": "wise", "input": [{"role": "user", "content": "{{ sample.output_text }}"}]}


def test_judges_are_asked_where_the_environment_says_and_once(tmp_path: Path) -> None:
    grader = written(tmp_path, "grader.json", JUDGE)
    rows = written(tmp_path, "rows.jsonl", {"output_text": "a"}, {"output_text": "b"})
    with serving(lambda _: judgement(0.5)) as server:
        where = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-mine"}
        for _ in range(2):
            done = graders("run", grader, rows, "--cache", tmp_path / "answers.sqlite3", **where)
            assert [json.loads(line)["score"] for line in done.stdout.splitlines()] == [0.5, 0.5]
        assert len(server.asked) == 2
    assert {one.headers["authorization"] for one in server.asked} == {"Bearer sk-mine"}
    assert {one.body["model"] for one in server.asked} == {"wise"}


def test_a_judge_without_an_address_is_refused_before_the_first_row(tmp_path: Path) -> None:
    done = graders("run", written(tmp_path, "grader.json", JUDGE), written(tmp_path, "rows.jsonl", {"sample": "a"}))
    assert done.returncode == 2
    assert "The grader asks wise: set OPENAI_BASE_URL" in done.stderr


def test_a_web_services_secret_is_an_environment_variable(tmp_path: Path) -> None:
    def score(asked: Asked) -> Said:
        return said({"score": 1.0 if asked.headers["authorization"] == "Bearer open" else 0.0})

    rows = written(tmp_path, "rows.jsonl", {"sample": "a"})
    with serving(score) as server:
        endpoint = {"type": "endpoint", "url": server.url, "headers": {"Authorization": "Bearer ${secret:SESAME}"}}
        grader = written(tmp_path, "grader.json", endpoint)
        assert json.loads(graders("run", grader, rows, SESAME="open").stdout)["score"] == 1
        assert "need the environment variable SESAME" in graders("run", grader, rows).stderr
