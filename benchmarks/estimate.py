"""What the estimate of memory says, beside the peak that a training process of a worker reports.

    python -m benchmarks.estimate [--models starter 30M] [--methods full grpo ...]

Each row is a training of two steps in a process of its own, forked by the worker's launcher as for any job, and its
figure the one that ends in the job's page. “beyond” is the same without the libraries: a training of next to nothing
by the same method is taken off what was measured, and what the estimate has for the libraries off the estimate. There
a small model cannot hide behind them.
"""

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks._memory_cases import CASES, SIZES, Case, assignment, write_model

if TYPE_CHECKING:
    from trainer_worker.launching import LauncherProcess

MB = 1e6
COLUMNS = ("method", "estimated", "measured", "error", "measured beyond the libraries", "error beyond")
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


class Row(NamedTuple):
    """Bytes."""

    case: Case
    estimated: float
    measured: float
    libraries: float
    runtime: float

    @property
    def error(self) -> float:
        return self.estimated / self.measured - 1

    @property
    def error_beyond(self) -> float:
        return (self.estimated - self.runtime) / max(1.0, self.measured - self.libraries) - 1


def main(arguments: Sequence[str] = ()) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--models", nargs="+", choices=SIZES, default=["starter", "30M"])
    asked.add_argument("--methods", nargs="+", choices=sorted({case.method for case in CASES}))
    given = asked.parse_args(arguments)
    cases = [case for case in CASES if given.methods is None or case.method in given.methods]
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.models, cases)


def measure(folder: Path, models: list[str], cases: list[Case]) -> None:
    from trainer_worker.launching import LauncherProcess

    launcher = LauncherProcess(folder)
    try:
        runner = Runner(folder, launcher)
        nothing = {case.method: runner.peak("nothing", Case(case.method)) for case in cases}
        for name in models:
            rows = []
            print(f"{name}, {runner.parameters(name) / MB:.1f}M parameters\n\n{HEAD}", flush=True)
            for case in cases:
                estimated, measured, runtime = runner.peak(name, case)
                rows.append(Row(case, estimated, measured, nothing[case.method][1], runtime))
                show(rows[-1])
            worst = max(abs(row.error) for row in rows)
            beyond = statistics.median(abs(row.error_beyond) for row in rows)
            print(
                f"  {len(rows)} trainings: off by {worst:.0%} at most, {beyond:.0%} beyond the libraries in the middle"
            )
    finally:
        launcher.close()


def show(row: Row) -> None:
    """A line of the table in docs/benchmarks.md."""
    beyond = row.measured - row.libraries
    whole = f"{row.estimated / MB:,.0f} MB | {row.measured / MB:,.0f} MB | {row.error:+.1%}"
    print(f"| {row.case.label} | {whole} | {beyond / MB:,.0f} MB | {row.error_beyond:+.1%} |", flush=True)


class Runner:
    """Trainings one after the other, by one launcher."""

    def __init__(self, folder: Path, launcher: "LauncherProcess") -> None:
        self._folder, self._launcher, self._count = folder, launcher, 0
        self._bases: dict[str, tuple[Path, int]] = {}

    def parameters(self, name: str) -> int:
        return self._base(name)[1]

    def peak(self, name: str, case: Case) -> tuple[float, float, float]:
        from contracts.estimate import RUNTIME, estimate
        from trainer_worker.needs import Needs
        from trainer_worker.spool import SpoolReader

        base, parameters = self._base(name)
        self._count += 1
        made = assignment(self._folder, base, parameters, name, case, f"ftjob-{self._count}")
        training = self._launcher.launch(made.file)
        while training.status is None:
            self._launcher.listen(1.0)
        end = SpoolReader(made.spool).events()[-1]
        needs = Needs.read(made)
        if training.status or needs is None or end.type != "finished":
            raise SystemExit(made.log.read_text()[-4000:])
        shutil.rmtree(made.folder)
        found = estimate(made.spec.method, needs.load, checkpointing=case.checkpointing)
        assert end.peak_memory
        return found.peak, end.peak_memory, RUNTIME

    def _base(self, name: str) -> tuple[Path, int]:
        if name not in self._bases:
            folder = self._folder / "models" / name
            self._bases[name] = folder, write_model(folder, name)
        return self._bases[name]
