"""How long a person waits: Create pressed -> first optimizer step, and read from the spool -> at the page.

A platform of its own, a warm worker, the starter's architecture with 64 completions a step. What is compared with:
the bare HTTP round trip of the same server in the same run.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.end_to_end.laptop import PREPARE, created, until, up, upload

ROUNDS = 5
QUESTIONS = [{"messages": [{"role": "user", "content": f"{n}+{n}="}], "answer": str(2 * n)} for n in range(64)]
SAMPLING = {"num_generations": 8, "batch_size": 8, "max_completion_length": 24, "max_steps": 6}
GRADER = {"type": "text_similarity", "evaluation_metric": "fuzzy_match", "reference": "abcdefghijklmnop"}


def main() -> None:
    with tempfile.TemporaryDirectory() as home, up(Path(home)) as laptop:
        laptop.manage("shell", "--no-imports", "--command", PREPARE)
        with laptop.api() as api:
            file = upload(api, "questions.jsonl", QUESTIONS)["id"]
            method = {"type": "grpo", "grpo": {"grader": GRADER, "hyperparameters": SAMPLING}}
            draft = {"model": "starter-blank", "training_file": file, "method": method, "seed": 1}
            until(api, created(api, draft)["id"])  # the worker is warm from here on
            rounds = [_watched(api, draft) for _ in range(ROUNDS)]
            trips = [_timed(lambda: api.get("/healthz")) for _ in range(20)]
    first, delays = [r[0] for r in rounds], [delay for r in rounds for delay in r[1]]
    print(f"bare HTTP round trip                     {statistics.median(trips) * 1000:8.1f} ms")
    print(f"Create pressed -> first optimizer step   {statistics.median(first):8.2f} s   (slowest {max(first):.2f} s)")
    print(
        f"read from the spool -> at the page        {statistics.median(delays):8.2f} s   (slowest {max(delays):.2f} s)"
    )


def _watched(api: httpx.Client, draft: dict[str, Any]) -> tuple[float, list[float]]:
    """Seconds to the end of the first step by the worker's clock, and every step's way to a reader of the stream."""
    pressed = time.time()
    job = created(api, draft)["id"]
    first, delays = 0.0, []
    with api.stream("GET", f"/api/v1/jobs/{job}/live", timeout=60) as answer:
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            event = json.loads(line.removeprefix("data: "))
            if event.get("type") == "metrics":
                first = first or event["at"] - pressed
                delays.append(time.time() - event["at"])
    return first, delays


def _timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
