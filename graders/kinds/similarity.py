"""Measures of how alike two texts are, by the words that they share: OpenAI's metrics, from the field's libraries.

Chinese and Japanese characters count as words everywhere. Each value is between 0 and 1.
"""

import re
from collections.abc import Callable

from rapidfuzz.distance import LCSseq

from graders.receipt import Flagged
from graders.words import spaced, words

Metric = Callable[[str, str], float]
"""Of a text and its reference. Raises Flagged when they are too long."""

MAX_CHARACTERS = 1_000_000
# METEOR tries each word with each: about half a second.
MAX_WORD_PAIRS = 4_000_000

_TOKEN = re.compile(r"[^\W_]+")


def metric(name: str) -> Metric:
    """By OpenAI's name. Libraries are loaded here, for they take half a second."""
    if name.startswith("rouge_"):
        return _bounded(_rouge_l() if name == "rouge_l" else _rouge(int(name.removeprefix("rouge_"))))
    return _bounded({"bleu": _bleu, "gleu": _gleu, "meteor": _meteor}[name]())


def _bounded(measure: Metric) -> Metric:
    def bounded(text: str, reference: str) -> float:
        if len(text) + len(reference) > MAX_CHARACTERS:
            raise _too_long(len(text), len(reference), "characters")
        return measure(text, reference)

    return bounded


def _too_long(one: int, other: int, unit: str) -> Flagged:
    return Flagged("other_error", f"Texts of {one} and {other} {unit} are too long to be compared.")


def _bleu() -> Metric:
    """sacrebleu's sentence BLEU over 100: up to 4-grams, smoothed by `exp`, effective order, tokens 13a.

    Without smoothing, every text that shares no four words in a row would score 0. Case counts.
    """
    from sacrebleu.metrics.bleu import BLEU

    bleu = BLEU(effective_order=True)

    def measure(text: str, reference: str) -> float:
        return min(1.0, bleu.sentence_score(spaced(text), [spaced(reference)]).score / 100)

    return measure


def _gleu() -> Metric:
    """Google BLEU by nltk, 1- to 4-grams of what stands between blanks; case counts."""
    from nltk.translate.gleu_score import sentence_gleu

    def measure(text: str, reference: str) -> float:
        return float(sentence_gleu([words(reference)], words(text)))

    return measure


def _meteor() -> Metric:
    """METEOR by nltk, exact words and stems (Porter). Its third stage, synonyms, needs WordNet, which is left out."""
    from nltk.translate.meteor_score import single_meteor_score

    def measure(text: str, reference: str) -> float:
        given, wanted = words(text), words(reference)
        if len(given) * len(wanted) > MAX_WORD_PAIRS:
            raise _too_long(len(given), len(wanted), "words")
        return float(single_meteor_score(wanted, given, wordnet=_NoSynonyms()))

    return measure


class _NoSynonyms:
    """In the place of WordNet."""

    def synsets(self, word: str) -> list[object]:
        return []


class _Tokens:
    """rouge-score's tokens, lower case letters and digits, of every alphabet where it knows a to z."""

    def tokenize(self, text: str) -> list[str]:
        return _TOKEN.findall(spaced(text.lower()))


def _rouge(n: int) -> Metric:
    """rouge-score's F-measure, without stemming."""
    from rouge_score.rouge_scorer import RougeScorer

    name = f"rouge{n}"
    scorer = RougeScorer([name], tokenizer=_Tokens())

    def measure(text: str, reference: str) -> float:
        return float(scorer.score(reference, text)[name].fmeasure)

    return measure


def _rouge_l() -> Metric:
    """The same of the longest common subsequence, which rapidfuzz finds a hundred times as fast as rouge-score."""
    from rouge_score.scoring import fmeasure

    tokens = _Tokens().tokenize

    def measure(text: str, reference: str) -> float:
        given, wanted = tokens(text), tokens(reference)
        if not given or not wanted:
            return 0.0
        common = LCSseq.similarity(given, wanted)
        return float(fmeasure(common / len(given), common / len(wanted)))

    return measure
