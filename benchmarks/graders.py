"""How fast graders grade, beside the bare library call in the same run: `python -m benchmarks.graders`.

Every kind grades 10,000 answers with receipts, in turns with a loop that only makes the call that decides; the
ratio is the median over the pairs, and time is the process's own, so that a busy machine does not count.
"""

import gc
import operator
import re
import statistics
from collections.abc import Callable
from decimal import Decimal
from time import process_time

import re2
from rapidfuzz import fuzz

from graders import Grader, grade, parse

COUNT = 10_000
PAIRS = 9
ANSWER = "So she has 3 boxes of 14 eggs, and the answer: {}"

SAMPLES = [{"output_text": ANSWER.format(n)} for n in range(COUNT)]
ITEMS = [{"reference": str(n), "text": ANSWER.format(n + n % 2)} for n in range(COUNT)]
TEXTS = [(sample["output_text"], item["reference"], item["text"]) for sample, item in zip(SAMPLES, ITEMS, strict=True)]
PATTERN = re2.compile(r"answer: (\d+)")
DIGITS = re.compile(r"-?\d+(?:\.\d+)?")


def bare_string_check() -> None:
    for text, _, other in TEXTS:
        operator.eq(text, other)


def bare_fuzzy() -> None:
    for text, _, other in TEXTS:
        fuzz.ratio(text, other)


def bare_number() -> None:
    for text, reference, _ in TEXTS:
        operator.eq(Decimal(DIGITS.findall(text)[-1]), Decimal(reference))


def bare_regex() -> None:
    for text, reference, _ in TEXTS:
        match = PATTERN.search(text)
        operator.eq(match and match[1], reference)


def bare_multi() -> None:
    for text, reference, other in TEXTS:
        0.9 * (text == other) + 0.1 * (Decimal(DIGITS.findall(text)[-1]) == Decimal(reference))


STRING = {"type": "string_check", "reference": "{{ item.text }}"}
NUMBER = {"type": "number"}
CASES: dict[str, tuple[object, Callable[[], None]]] = {
    "string_check": (STRING, bare_string_check),
    "text_similarity": ({"type": "text_similarity", "reference": "{{ item.text }}"}, bare_fuzzy),
    "number": (NUMBER, bare_number),
    "regex": ({"type": "regex", "pattern": PATTERN.pattern}, bare_regex),
    "regex, captured": (
        {"type": "regex", "pattern": PATTERN.pattern, "reference": "{{ item.reference }}"},
        bare_regex,
    ),
    "multi of two": (
        {"type": "multi", "graders": {"a": STRING, "b": NUMBER}, "calculate_output": "0.9 * a + 0.1 * b"},
        bare_multi,
    ),
}


def seconds(run: Callable[[], object]) -> float:
    gc.collect()
    started = process_time()
    run()
    return process_time() - started


def measure(grader: Grader, bare: Callable[[], None]) -> tuple[float, float, float]:
    """Grades a second, bare calls a second, and how many times the bare call's time a grade takes."""
    pairs = [(seconds(lambda: grade(grader, SAMPLES, ITEMS)), seconds(bare)) for _ in range(PAIRS)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    return COUNT / ours, COUNT / theirs, statistics.median(a / b for a, b in pairs)


def main() -> None:
    print(f"{'kind':<18}{'grades/s':>12}{'bare calls/s':>15}{'ratio':>8}")
    for kind, (document, bare) in CASES.items():
        rate, bare_rate, ratio = measure(parse(document), bare)
        print(f"{kind:<18}{rate:>12,.0f}{bare_rate:>15,.0f}{ratio:>8.1f}")


if __name__ == "__main__":
    main()
