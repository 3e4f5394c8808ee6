"""From a wake-up to the first optimizer step of a GRPO job with 64 completions a step, on a warm worker.

    python -m benchmarks.start [--times 5]

Prints the time from the wake-up to the claim, to the training process's first event, and to the first step's metrics,
each as they arrive at the platform's end.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import _starter_job as starter_job
from tests.trainer_worker.other_side import JOIN_TOKEN, OtherSide, other_side
from trainer_worker.settings import Settings
from trainer_worker.worker import Worker


def main(arguments: Sequence[str] = ()) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--times", type=int, default=5)
    given = asked.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, other_side() as side:
        worker = Worker(_settings(side, Path(folder)))
        worker.start()
        seen = [_measure(side, worker, Path(folder), n) for n in range(given.times)]
        worker.stop()
        worker.join()
    for name in seen[0]:
        times = [one[name] for one in seen]
        print(f"wake-up to {name}: median {statistics.median(times):.2f} s, worst {max(times):.2f} s")


def _measure(side: OtherSide, worker: Worker, folder: Path, n: int) -> dict[str, float]:
    base, prompts = starter_job.write_files(folder)
    job = starter_job.spec(2, side.store_folder(base), side.store(prompts.read_bytes(), "rows.jsonl"), f"ftjob-{n}")
    side.reports.clear()
    side.arrived_at.clear()
    side.queue(job)
    woken_at = time.time()
    threading.Thread(target=worker.wake).start()
    side.wait_for(lambda s: bool(s.events("metrics")), 120)
    kinds = [report.event.type for report in side.reports]
    first = {
        "the claim": 0,
        "the model being loaded": next(n for n, r in enumerate(side.reports) if "loading" in r.model_dump_json()),
        "the first step": kinds.index("metrics"),
    }
    found = {name: side.arrived_at[place] - woken_at for name, place in first.items()}
    side.wait_for_end()
    worker.wake()
    return found


def _settings(side: OtherSide, folder: Path) -> Settings:
    return Settings(
        url=side.url,
        token=JOIN_TOKEN,
        broker_url="memory://",
        name="bench",
        pool="cpu",
        scratch=folder / "scratch",
        cache_gb=1.0,
        idle_poll_s=600.0,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
