"""A trial of 1,000 rows as the page makes it, beside grading the same rows in one call: `python -m benchmarks.trial`.

A web process of its own on SQLite streams the grades of a dataset's rows over HTTP; the direct call has the same
samples in memory. What is aimed at: the first line within 100 ms, all of them within a second.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import httpx

from graders import grade, parse
from tests.whetstone.serving import ROOT, environment_of, manage, serving

COUNT, PAIRS = 1_000, 9
ANSWER = "So she has 3 boxes of 14 eggs, and the answer: {}"
ROWS = [
    {"prompt": f"{n} boxes?", "completion": ANSWER.format(n), "reference": ANSWER.format(n + n % 2), "n": str(n)}
    for n in range(COUNT)
]
REGEX: dict[str, object] = {"type": "regex", "pattern": r"answer: (\d+)", "reference": "{{ item.n }}"}
FUZZY: dict[str, object] = {"type": "text_similarity"}
GRADERS: dict[str, dict[str, object]] = {
    "regex": REGEX,
    "fuzzy": FUZZY,
    "both": {"type": "multi", "graders": {"a": REGEX, "b": FUZZY}, "calculate_output": "0.5 * a + 0.5 * b"},
}
KEY = "import django; django.setup()\nfrom tests.whetstone.factories import make_key\nprint(make_key())"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = environment_of(Path(folder))
        assert manage(environment, "migrate", "-v0").returncode == 0
        key = subprocess.run([sys.executable, "-c", KEY], cwd=ROOT, env=environment, capture_output=True, check=True)
        headers = {"Authorization": f"Bearer {key.stdout.decode().strip()}"}
        with (
            serving(environment) as (_, url),
            httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as http,
        ):
            file = {"file": ("rows.jsonl", "\n".join(map(json.dumps, ROWS)))}
            dataset = http.post("/v1/files", files=file, data={"purpose": "fine-tune"}).raise_for_status().json()["id"]
            print(f"{'grader':<8}{'first line, ms':>16}{'all, ms':>10}{'one call, ms':>14}{'ratio':>8}")
            for name, document in GRADERS.items():
                _print(name, [(*streamed(http, dataset, document), direct(document)) for _ in range(PAIRS)])


def _print(name: str, pairs: list[tuple[float, float, float]]) -> None:
    first, whole, bare = (1000 * statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(whole / bare for _, whole, bare in pairs)
    print(f"{name:<8}{first:>16.0f}{whole:>10.0f}{bare:>14.0f}{ratio:>8.1f}", flush=True)


def streamed(http: httpx.Client, dataset: str, document: object) -> tuple[float, float]:
    """Seconds to the first line, and to the last."""
    body = {"grader": document, "dataset": dataset, "limit": COUNT}
    began = perf_counter()
    with http.stream("POST", "/api/v1/graders/try/stream", json=body) as answer:
        lines = answer.iter_lines()
        next(lines)
        first = perf_counter() - began
        *_, last = lines
    assert json.loads(last)["summary"]["count"] == COUNT
    return first, perf_counter() - began


def direct(document: object) -> float:
    grader = parse(document)
    samples = [{"output_text": row["completion"]} for row in ROWS]
    began = perf_counter()
    grade(grader, samples, ROWS)
    return perf_counter() - began


if __name__ == "__main__":
    main()
