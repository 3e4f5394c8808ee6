"""Graders that look at an answer's outer shape: length, repetition, language."""

import math
from collections.abc import Callable

from graders.languages import LANGUAGES, detect
from graders.receipt import Flagged, Item, Outcome, Sample, Score
from graders.schema.shape import Language, Length, Repetition
from graders.template import compile_template
from graders.words import words

_UNITS: dict[str, Callable[[str], int]] = {"characters": len, "words": lambda text: len(words(text))}
# Each is looked at on its own: this many take about half a second.
MAX_LINES = 5_000
_Curve = Callable[[int], float]


def length(grader: Length) -> Score:
    """A curve over the length. Tokens are counted where the sample says how many: `sample.output_tokens`.

    Without that count, or without a reference length, the answer is flagged. Sources beside each curve.
    """
    text, unit = compile_template(grader.input), grader.unit
    measure = _UNITS.get(unit)

    def of(sample: Sample, item: Item) -> int:
        return _tokens(sample) if measure is None else measure(text(sample, item))

    if grader.curve == "harmonizing":
        return _harmonizing(grader, of, measure)
    curve = {"target": _target, "cosine": _cosine, "soft_overlong": _soft_overlong}[grader.curve](grader)

    def score(sample: Sample, item: Item) -> Outcome:
        found = of(sample, item)
        return Outcome(curve(found), evidence={unit: found})

    return score


def _tokens(sample: Sample) -> int:
    count = sample.get("output_tokens")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise Flagged(
            "invalid_variable_error", "There is no “sample.output_tokens” here: how many tokens were sampled."
        )
    return count


def _target(grader: Length) -> _Curve:
    """1 - |length - target| / target, not below 0; after L1 (arXiv:2503.04697), whose slope is in tokens."""
    target, tolerance = grader.target or 1, grader.tolerance

    def curve(count: int) -> float:
        return max(0.0, 1 - max(0, abs(count - target) - tolerance) / target)

    return curve


def _cosine(grader: Length) -> _Curve:
    """CosFn of Yeo et al., Demystifying Long Chain-of-Thought Reasoning in LLMs (arXiv:2502.03373), equation 1."""
    longest, start, end = grader.longest or 1, grader.shortest_score, grader.longest_score
    over = end if grader.over_score is None else grader.over_score

    def curve(count: int) -> float:
        if count > longest:
            return over
        return end + 0.5 * (start - end) * (1 + math.cos(math.pi * count / longest))

    return curve


def _soft_overlong(grader: Length) -> _Curve:
    """Soft overlong punishment of DAPO (arXiv:2503.14476), equation 13."""
    longest, buffer = grader.longest or 1, grader.buffer or 1
    return lambda count: -min(1.0, max(0.0, (count - (longest - buffer)) / buffer))


def _harmonizing(grader: Length, of: Callable[[Sample, Item], int], measure: Callable[[str], int] | None) -> Score:
    """The length term of O1-Pruner (arXiv:2501.12570): reference length / length - 1.

    Its other term, 2 * (right - how often the reference is right), is a matter of a formula: what stands for the
    reference is the same for all answers to one prompt and falls out of their advantages.
    """
    reference = compile_template(grader.reference)

    def score(sample: Sample, item: Item) -> Outcome:
        given, found = reference(sample, item).strip(), of(sample, item)
        if given.isdecimal() and len(given) < 10:
            wanted = int(given)
        elif measure is not None:
            wanted = measure(given)
        else:
            raise Flagged("other_error", f"The reference “{given[:60]}” is no number of tokens.")
        return Outcome(wanted / max(1, found) - 1, evidence={grader.unit: found, "reference": wanted})

    return score


def repetition(grader: Repetition) -> Score:
    """(1 - different n-grams / all n-grams) * highest penalty; 0 for a text that is shorter than an n-gram.

    As in Yeo et al. (arXiv:2502.03373) and TRL's get_repetition_penalty_reward, which counts tokens where this counts
    words.
    """
    text, n, penalty = compile_template(grader.input), grader.ngram, grader.max_penalty

    def score(sample: Sample, item: Item) -> float:
        found = words(text(sample, item))
        count = len(found) - n + 1
        if count < 1:
            return 0.0
        different = len(set(zip(*(found[start:] for start in range(n)), strict=False)))
        return (1 - different / count) * penalty or 0.0  # not -0.0

    return score


def language(grader: Language) -> Score:
    """1 when the whole text is in the language; or the share of it by characters that stands in lines that are.

    The share is the language consistency reward of DeepSeek-R1 (arXiv:2501.12948), by lines instead of words. Lines
    without letters do not count, and a text without letters is in no language: 0.
    """
    text, wanted = compile_template(grader.input), compile_template(grader.language)

    def score(sample: Sample, item: Item) -> Outcome:
        right, answer = wanted(sample, item).strip().lower(), text(sample, item)
        if right not in LANGUAGES:
            raise Flagged("other_error", f"“{right[:60]}” is no language code that is known here.")
        if grader.measure == "whole":
            found = detect(answer)
            return Outcome(float(found == right), evidence={"language": found})
        return _share(answer, right)

    return score


def _share(answer: str, right: str) -> Outcome:
    found: dict[str, int] = {}
    lines = answer.splitlines()
    if len(lines) > MAX_LINES:
        raise Flagged("other_error", f"Of {len(lines)} lines the languages are not told apart: at most {MAX_LINES}.")
    for line in lines:
        if (code := detect(line)) is not None:
            found[code] = found.get(code, 0) + len(line)
    total = sum(found.values())
    shares = {code: round(count / total, 4) for code, count in sorted(found.items(), key=lambda pair: -pair[1])[:5]}
    return Outcome(found.get(right, 0) / total if total else 0.0, evidence={"languages": {**shares}})
