"""What a Python grader costs in its jail, beside the bare call: `python -m benchmarks.jail`.

Start: until the first grade, with nothing and with numpy to import; beside it a bare `python -c pass`. Grades: a
trivial function on batches of 256, in a warm jail, beside calling the same function here. Wall-clock time, since the
work is another process's; medians of interleaved pairs.
"""

import statistics
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter

from graders import Port, grade, parse
from graders.sandbox import Jails, walls

PAIRS, BATCH = 9, 256
SOURCE = "def grade(sample, item):\n    return float(sample['output_text'] == item['answer'])"
SAMPLES = [{"output_text": str(n)} for n in range(BATCH)]
ITEMS = [{"answer": str(n + n % 2)} for n in range(BATCH)]


def seconds(run: Callable[[], object]) -> float:
    started = perf_counter()
    run()
    return perf_counter() - started


def first_grade(source: str) -> None:
    (receipt,) = grade(parse({"type": "python", "source": source}), SAMPLES[:1], ITEMS[:1])
    assert receipt.score == 1


def start() -> None:
    for name, source in (("nothing", SOURCE), ("numpy", f"import numpy\n{SOURCE}")):
        pairs = [(seconds(lambda: first_grade(source)), seconds(bare_python)) for _ in range(PAIRS)]  # noqa: B023
        ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"start, importing {name}: {ours * 1000:.0f} ms; bare python {theirs * 1000:.0f} ms")


def bare_python() -> None:
    subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)


def grades() -> None:
    names: dict[str, Callable[[object, object], float]] = {}
    exec(SOURCE, names)
    function = names["grade"]

    def bare() -> None:
        for sample, item in zip(SAMPLES, ITEMS, strict=True):
            function(sample, item)

    for isolation in ("batch", "sample"):
        grader = parse({"type": "python", "source": SOURCE, "isolation": isolation})
        with Jails() as jails:
            port = Port(jails=jails)
            grade(grader, SAMPLES, ITEMS, port)
            pairs = [(seconds(lambda: grade(grader, SAMPLES, ITEMS, port)), seconds(bare)) for _ in range(PAIRS)]  # noqa: B023
        ours, theirs = (BATCH / statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"grades, a process a {isolation}: {ours:,.0f}/s; bare calls {theirs:,.0f}/s")


def main() -> None:
    print(f"walls: {walls().kind}")
    start()
    grades()


if __name__ == "__main__":
    main()
