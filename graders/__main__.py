"""`python -m graders`: grade a file of answers, on any machine, without a platform.

    python -m graders run grader.json rows.jsonl --output grades.jsonl
    python -m graders check grader.json
    python -m graders sandbox

A row is `{"item": {…}, "sample": "the answer"}`; the sample may be an object with OpenAI's keys, or a chat message. A
row without these two keys is its own item, and its answer stands in the column that `--sample` names.

Judges and embedding models are asked at OPENAI_BASE_URL (a server here, or OpenAI's own) with OPENAI_API_KEY, each by
the name that the grader calls it; `${secret:NAME}` in the headers of a web service is the environment variable NAME.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Any, NoReturn, get_args

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from graders.grade import grade
from graders.http import Allowed, AnswerCache, Calls, JudgeAddress, http_port
from graders.needs import asks_outside, judges_of, secrets_of
from graders.parse import parse
from graders.port import Port
from graders.problem import GraderError
from graders.receipt import Grade, used_by
from graders.sample import sample_of
from graders.sandbox import Jails, Walls
from graders.sandbox.attacks import holes
from graders.sandbox.walls import Kind
from graders.schema import Grader

BATCH, BATCH_OUTSIDE = 256, 32
OPENAI = "https://api.openai.com/v1"
STDERR = Console(stderr=True, highlight=False)
Row = tuple[dict[str, Any], dict[str, Any]]  # Any: JSON
"""A sample and an item."""


def main(arguments: Sequence[str] | None = None) -> int:
    given = _arguments().parse_args(arguments)
    if given.command == "sandbox":
        return _sandbox()
    grader = _grader(given.grader)
    if given.command == "check":
        print(orjson.dumps(grader.model_dump(mode="json", exclude_none=True), option=orjson.OPT_INDENT_2).decode())
        return 0
    return _run(grader, given)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m graders", description="Turn answers into scores.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="grade every row of a file")
    run.add_argument("grader", type=Path, help="the grader's JSON")
    run.add_argument("rows", type=Path, help="JSON lines: the answers and their items; - for standard input")
    run.add_argument("--sample", default="output_text", help="the column with the answer (default: output_text)")
    run.add_argument("--output", type=Path, help="where the receipts go, a JSON line each (default: standard output)")
    run.add_argument("--cache", type=Path, help="a file that remembers what judges answered, for the next time")
    check = commands.add_parser("check", help="say what is wrong with a grader, or show it with everything filled in")
    check.add_argument("grader", type=Path, help="the grader's JSON")
    commands.add_parser("sandbox", help="try whether code can be held back on this machine, and how")
    return parser


def _run(grader: Grader, given: argparse.Namespace) -> int:
    grades: list[Grade] = []
    began = time.monotonic()
    with ExitStack() as stack:
        port = _port(grader, given.cache, stack)
        target = stack.enter_context(given.output.open("wb")) if given.output else sys.stdout.buffer
        source = sys.stdin.buffer if str(given.rows) == "-" else stack.enter_context(_opened(given.rows))
        bar = stack.enter_context(_progress())
        task = bar.add_task("grading", total=_count(source) if source.seekable() else None)
        rows = _rows(source, given.sample)
        while batch := list(islice(rows, BATCH_OUTSIDE if asks_outside(grader) else BATCH)):
            found = grade(grader, [sample for sample, _ in batch], [item for _, item in batch], port)
            target.writelines(orjson.dumps(one.to_json(), option=orjson.OPT_APPEND_NEWLINE) for one in found)
            grades += found
            bar.update(task, advance=len(found))
    _summary(grades, time.monotonic() - began)
    return 0 if grades else 1


def _port(grader: Grader, cache: Path | None, stack: ExitStack) -> Port:
    """Jails, and the servers that the environment names. Whoever types the command may ask any of them."""
    jails = Port(jails=stack.enter_context(Jails()))
    if not asks_outside(grader):
        return jails
    base_url, key = os.environ.get("OPENAI_BASE_URL"), os.environ.get("OPENAI_API_KEY", "")
    if judges_of(grader) and not (base_url or key):
        _refuse(
            f"The grader asks {', '.join(judges_of(grader))}: set OPENAI_BASE_URL to a server that speaks OpenAI's "
            "API, or OPENAI_API_KEY for OpenAI's own."
        )
    if missing := sorted(secrets_of(grader).keys() - os.environ.keys()):
        _refuse(f"The grader's headers need the environment variable {missing[0]}.")
    judges = [JudgeAddress(name, base_url or OPENAI, name, key) for name in judges_of(grader)]
    secrets = {name: os.environ[name] for name in secrets_of(grader)}
    calls = Calls(Allowed.read("0.0.0.0/0, ::/0"))
    stack.callback(calls.close)
    return http_port(judges, secrets, calls, AnswerCache(cache) if cache else None, beside=jails)


def _count(source: IO[bytes]) -> int:
    lines = sum(chunk.count(b"\n") for chunk in iter(lambda: source.read(1 << 20), b""))
    source.seek(0)
    return lines


def _rows(source: IO[bytes], column: str) -> Iterator[Row]:
    for number, line in enumerate(source, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            _refuse(f"Line {number}: this is not JSON: {error}.")
        if not isinstance(row, dict):
            _refuse(f"Line {number}: a row is a JSON object.")
        yield _row(number, row, column)


def _row(number: int, row: dict[str, Any], column: str) -> Row:
    if "item" in row or "sample" in row:
        said, item = row.get("sample"), row.get("item", {})
    else:
        said, item = row.get(column), row
    if not isinstance(said, str | dict) or not isinstance(item, dict):
        _refuse(
            f"Line {number}: there is no answer. Write it as “sample” beside “item”, or name its column with --sample; "
            f"the columns are {', '.join(row)}."
        )
    return sample_of(said), item


def _summary(grades: list[Grade], took_s: float) -> None:
    scores = [one.score for one in grades if one.score is not None]
    mean = f"mean {sum(scores) / len(scores):.4f}" if scores else "no scores"
    STDERR.print(f"{len(grades)} rows, {mean}, {len(grades) - len(scores)} not scored, {took_s:.1f} s")
    passed = [one.passed for one in grades if one.passed is not None]
    if passed:
        STDERR.print(f"passed: {sum(passed)} of {len(passed)}")
    for flag, count in Counter(flag for one in grades for flag in one.errors if flag.endswith("_error")).most_common():
        example = next(one.errors.get(f"{flag}_details", "") for one in grades if flag in one.errors)
        STDERR.print(f"{flag}: {count}, like: {str(example)[-300:]}", markup=False, soft_wrap=True)
    for model, used in used_by(grades).items():
        tokens = used.prompt_tokens + used.completion_tokens
        STDERR.print(f"{model}: {used.calls} calls, {tokens} tokens" + (f", cost {used.cost:.4f}" if used.cost else ""))


def _sandbox() -> int:
    """Which walls hold here; the first that does is the one that is used."""
    table = Table("walls", "hold")
    found = {kind: holes(Walls(kind)) for kind in get_args(Kind)}
    for kind, problem in found.items():
        table.add_row(kind, problem or "yes")
    Console().print(table)
    return 0 if "" in found.values() else 1


def _grader(file: Path) -> Grader:
    try:
        with _opened(file) as source:
            return parse(orjson.loads(source.read()))
    except orjson.JSONDecodeError as error:
        _refuse(f"{file} is not JSON: {error}.")
    except GraderError as error:
        _refuse(str(error))


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        _refuse(f"{file} cannot be read: {error.strerror}.")


def _refuse(sentence: str) -> NoReturn:
    STDERR.print(sentence, markup=False, soft_wrap=True)
    raise SystemExit(2)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=STDERR, transient=True)


if __name__ == "__main__":
    sys.exit(main())
