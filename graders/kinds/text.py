"""Graders that compare texts: string_check, text_similarity, regex."""

import operator
from collections.abc import Callable

from rapidfuzz.distance import Indel

from graders.kinds.similarity import metric
from graders.pattern import Pattern
from graders.receipt import Flagged, Item, Sample, Score
from graders.schema import Regex, StringCheck, TextSimilarity
from graders.template import compile_template

# Indel distance takes time in the product of both lengths: this much is about a third of a second.
MAX_COMPARED = 10_000_000_000


def _like(text: str, reference: str) -> bool:
    return reference in text


def _ilike(text: str, reference: str) -> bool:
    return reference.casefold() in text.casefold()


_AGREES: dict[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "like": _like,
    "ilike": _ilike,
}


def string_check(grader: StringCheck) -> Score:
    """1 when the texts agree, 0 when not; nothing is trimmed. An empty reference is contained in every text."""
    text, reference = compile_template(grader.input), compile_template(grader.reference)
    agrees = _AGREES[grader.operation]

    def score(sample: Sample, item: Item) -> float:
        return 1.0 if agrees(text(sample, item), reference(sample, item)) else 0.0

    return score


def text_similarity(grader: TextSimilarity) -> Score:
    """fuzzy_match here, the others as `similarity` says.

    fuzzy_match is 1 - (insertions + deletions) / (both lengths), case and spaces counted.
    OpenAI names rapidfuzz and does not say which of its functions. This is `rapidfuzz.fuzz.ratio` over 100,
    without the detour over percent. On the one pair whose answer from OpenAI's API was published
    (0.7555555555555555, by WRatio in a python grader) both agree; WRatio and the token ratios also forgive order
    and repetition, which makes them easier to game as a reward.
    """
    text, reference = compile_template(grader.input), compile_template(grader.reference)
    if grader.evaluation_metric != "fuzzy_match":
        measure = metric(grader.evaluation_metric)
        return lambda sample, item: measure(text(sample, item), reference(sample, item))

    def score(sample: Sample, item: Item) -> float:
        left, right = text(sample, item), reference(sample, item)
        if len(left) * len(right) > MAX_COMPARED:
            details = f"Texts of {len(left)} and {len(right)} characters are too long to be compared."
            raise Flagged("other_error", details)
        return Indel.normalized_similarity(left, right)

    return score


def regex(grader: Regex) -> Score:
    """1 when the pattern is found; with a reference, 1 when the last match captured exactly that."""
    text, pattern = compile_template(grader.input), Pattern(grader.pattern)
    if grader.reference is None:
        return lambda sample, item: 1.0 if pattern.found(text(sample, item)) else 0.0
    reference = compile_template(grader.reference)

    def score(sample: Sample, item: Item) -> float:
        return 1.0 if pattern.last(text(sample, item)) == reference(sample, item) else 0.0

    return score
