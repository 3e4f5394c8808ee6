"""What grading adds to a training step, for graders that run on the worker itself: `python -m benchmarks.grading`.

GRPO on the starter model, 64 completions a step, as a worker trains it. The time of grading is what the receipts say;
a step is TRL's step time. The aim is 5%. The starter model's steps are the shortest there are: with a real model the
share is smaller by as much as its steps are longer.
"""

import json
import statistics
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks import _starter_job as starter_job
from contracts.method import Grpo, GrpoHyperparameters, GrpoMethod
from graders import parse

STEPS, WARM_UP = 8, 2
SUM: dict[str, object] = {"type": "regex", "pattern": r"#(\d+)", "reference": "{{ item.answer }}"}
SIMILAR: dict[str, object] = {"type": "text_similarity", "reference": "{{ item.answer }}"}
SOURCE = "def grade(sample, item):\n    return float(sample['output_text'].endswith('#' + item['answer']))"
GRADERS: dict[str, dict[str, object]] = {
    "regex": SUM,
    "number": {"type": "number", "reference": "{{ item.answer }}"},
    "fuzzy": SIMILAR,
    "multi of two": {"type": "multi", "graders": {"a": SUM, "b": SIMILAR}, "calculate_output": "0.9 * a + 0.1 * b"},
    "python, in a jail": {"type": "python", "source": SOURCE},
}


def main() -> None:
    print(f"{'grader':<20}{'ms a step':>12}{'step, ms':>12}{'share':>9}")
    for name, document in GRADERS.items():
        with tempfile.TemporaryDirectory() as folder:
            grading_s, step_s = measure(Path(folder), document)
        print(f"{name:<20}{grading_s * 1000:>12.1f}{step_s * 1000:>12.0f}{grading_s / step_s:>9.2%}", flush=True)


def measure(folder: Path, document: object) -> tuple[float, float]:
    """Seconds of grading and seconds of a step, medians of the steps after the warm-up."""
    from trainer_worker.methods import train
    from trainer_worker.spool import SpoolWriter

    base, prompts = starter_job.write_files(folder)
    made = starter_job.assignment(folder, base, prompts, STEPS, _method())
    made = made.model_copy(update={"spec": made.spec.model_copy(update={"grader": parse(document)})})
    train(made, SpoolWriter(made.spool))
    grading: dict[int, float] = {}
    for part in sorted(made.rollouts.glob("*.parquet")):
        for row in pq.read_table(part, columns=["step", "grade"]).to_pylist():
            grading[row["step"]] = grading.get(row["step"], 0.0) + json.loads(row["grade"])["time_s"]
    events = [json.loads(line) for line in made.spool.read_text().splitlines()]
    steps = {
        e["step"]: e["values"]["step_time"] for e in events if e["type"] == "metrics" and "step_time" in e["values"]
    }
    counted = sorted(steps)[WARM_UP:]
    return statistics.median(grading[step] for step in counted), statistics.median(steps[step] for step in counted)


def _method() -> GrpoMethod:
    return GrpoMethod(grpo=Grpo(hyperparameters=GrpoHyperparameters(**starter_job.settings(STEPS))))


if __name__ == "__main__":
    main()
