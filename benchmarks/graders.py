"""How fast graders grade, beside the bare library call in the same run: `python -m benchmarks.graders`.

Every kind grades 10,000 answers with receipts, in turns with a loop that only makes the call that decides; the
ratio is the median over the pairs, and time is the process's own, so that a busy machine does not count.
"""

import gc
import json
import logging
import operator
import re
import statistics
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from itertools import pairwise
from time import perf_counter, process_time

import math_verify
import re2
from jsonschema import Draft202012Validator
from nltk.translate.gleu_score import sentence_gleu
from nltk.translate.meteor_score import single_meteor_score
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from rapidfuzz import fuzz
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU

from graders import Grader, Port, grade, parse
from graders.sandbox import Jails

COUNT = 10_000
MATH_COUNT = 1_000
PAIRS = 9
FEWEST, ENOUGH_S = 3, 5.0
"""Slow kinds are measured in fewer pairs: these, and no more after this time."""
ANSWER = "So she has 3 boxes of 14 eggs, and the answer: {}"

ARGUMENTS = [json.dumps({"boxes": n, "total": 14 * n}) for n in range(COUNT)]
TOOLS = [[{"function": {"name": "count", "arguments": text}}] for text in ARGUMENTS]
SAMPLES: list[dict[str, object]] = [
    {"output_text": ANSWER.format(n), "output_tools": calls} for n, calls in enumerate(TOOLS)
]
ITEMS = [{"reference": str(n), "text": ANSWER.format(n + n % 2), "json": ARGUMENTS[n]} for n in range(COUNT)]
TEXTS = [(ANSWER.format(n), item["reference"], item["text"]) for n, item in enumerate(ITEMS)]
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


def bare_steps() -> None:
    for text, _, _ in TEXTS:
        statistics.fmean(PATTERN.search(step) is not None for step in text.split("\n\n"))


def bare_multi() -> None:
    for text, reference, other in TEXTS:
        0.9 * (text == other) + 0.1 * (Decimal(DIGITS.findall(text)[-1]) == Decimal(reference))


def similar(metric: str) -> object:
    return {"type": "text_similarity", "reference": "{{ item.text }}", "evaluation_metric": metric}


def of_pairs(measure: Callable[[str, str], object]) -> Callable[[], None]:
    """The bare call over every text and its reference."""

    def run() -> None:
        for text, _, other in TEXTS:
            measure(text, other)

    return run


def bare_json() -> None:
    for text in ARGUMENTS:
        VALIDATOR.is_valid(json.loads(text))


def bare_tags() -> None:
    for text, _, _ in TEXTS:
        TAGS.match(text)


def bare_tool_call() -> None:
    for text in ARGUMENTS:
        operator.eq(json.loads(text), json.loads(text))


def bare_length() -> None:
    for text, _, _ in TEXTS:
        1 - abs(len(text.split()) - 12) / 12


def bare_repetition() -> None:
    for text, _, _ in TEXTS:
        found = text.split()
        1 - len({*pairwise(found)}) / (len(found) - 1)


@cache
def identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE)


class NoSynonyms:
    """In the place of WordNet, which no package ships."""

    def synsets(self, word: str) -> list[object]:
        return []


SCHEMA = {
    "type": "object",
    "properties": {"boxes": {"type": "integer"}, "total": {"type": "integer", "minimum": 0}},
    "required": ["total"],
    "additionalProperties": False,
}
VALIDATOR = Draft202012Validator(SCHEMA)
TAGS = re.compile(r"^<think>(?!.*<think>)(.*?)</think>.*$", re.DOTALL)
BLEU_SCORE = BLEU(effective_order=True)
ROUGE = {name: RougeScorer([name]) for name in ("rouge2", "rougeL")}

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
    "bleu": (similar("bleu"), of_pairs(lambda text, other: BLEU_SCORE.sentence_score(text, [other]))),
    "gleu": (similar("gleu"), of_pairs(lambda text, other: sentence_gleu([other.split()], text.split()))),
    "meteor": (
        similar("meteor"),
        of_pairs(lambda text, other: single_meteor_score(other.split(), text.split(), wordnet=NoSynonyms())),
    ),
    "rouge_2": (similar("rouge_2"), of_pairs(lambda text, other: ROUGE["rouge2"].score(other, text))),
    "rouge_l": (similar("rouge_l"), of_pairs(lambda text, other: ROUGE["rougeL"].score(other, text))),
    "number, units": (NUMBER | {"units": ["eggs", "$"]}, bare_number),
    "json_schema": ({"type": "json_schema", "json_schema": SCHEMA, "input": "{{ item.json }}"}, bare_json),
    "format": ({"type": "format", "tags": ["think"], "outside": "after"}, bare_tags),
    "tool_call": (
        {"type": "tool_call", "reference": '{"name": "count", "arguments": {{ item.json }}}'},
        bare_tool_call,
    ),
    "length": ({"type": "length", "target": 12}, bare_length),
    "repetition": ({"type": "repetition", "ngram": 2}, bare_repetition),
    "language": ({"type": "language"}, of_pairs(lambda text, _: identifier().classify(text))),
    "steps": ({"type": "steps", "grader": {"type": "regex", "pattern": PATTERN.pattern}}, bare_steps),
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
    pairs: list[tuple[float, float]] = []
    while len(pairs) < PAIRS and (len(pairs) < FEWEST or sum(map(sum, pairs)) < ENOUGH_S):
        pairs.append((seconds(lambda: grade(grader, SAMPLES, ITEMS)), seconds(bare)))
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    return COUNT / ours, COUNT / theirs, statistics.median(a / b for a, b in pairs)


def measure_math() -> tuple[float, float, float]:
    """The same of math-verify by the clock, for the grader works in other processes: a jail for each processor."""
    answers = [rf"So the share is \boxed{{\frac{{{n}}}{{7}}}}." for n in range(MATH_COUNT)]
    items = [{"reference": rf"$\frac{{{n + n % 2}}}{{7}}$"} for n in range(MATH_COUNT)]
    samples = [{"output_text": answer} for answer in answers]
    grader = parse({"type": "math"})

    def bare() -> None:
        for answer, item in zip(answers, items, strict=True):
            gold = math_verify.parse(item["reference"], parsing_timeout=None)
            math_verify.verify(gold, math_verify.parse(answer, parsing_timeout=None), timeout_seconds=None)

    def elapsed(run: Callable[[], object]) -> float:
        started = perf_counter()
        run()
        return perf_counter() - started

    logging.disable(logging.WARNING)  # math-verify says each time that it has no time limit
    with Jails() as jails:
        port = Port(jails=jails)
        grade(grader, samples, items, port)  # a jail starts once, and a job keeps it
        bare()
        pairs = [(elapsed(lambda: grade(grader, samples, items, port)), elapsed(bare)) for _ in range(FEWEST)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    return MATH_COUNT / ours, MATH_COUNT / theirs, statistics.median(a / b for a, b in pairs)


def main() -> None:
    print(f"{'kind':<18}{'grades/s':>12}{'bare calls/s':>15}{'ratio':>8}")
    for kind, (document, bare) in CASES.items():
        rate, bare_rate, ratio = measure(parse(document), bare)
        print(f"{kind:<18}{rate:>12,.0f}{bare_rate:>15,.0f}{ratio:>8.1f}")
    rate, bare_rate, ratio = measure_math()
    print(f"{'math':<18}{rate:>12,.0f}{bare_rate:>15,.0f}{ratio:>8.1f}")


if __name__ == "__main__":
    main()
