from time import perf_counter

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from graders import Grade, grade, parse
from graders.pattern import Pattern
from graders.problem import Mistake


def graded(pattern: str, text: str, reference: str | None = None) -> Grade:
    fields = {} if reference is None else {"reference": "{{ item.reference }}"}
    grader = parse({"type": "regex", "pattern": pattern} | fields)
    return grade(grader, [{"output_text": text}], [{"reference": reference}])[0]


@pytest.mark.parametrize(
    ("pattern", "text", "score"),
    [
        (r"\d+", "I have 3", 1),
        (r"^\d+$", "I have 3", 0),
        (r"(?i)yes", "YES!", 1),
        (r"yes", "YES!", 0),
        (r"^<think>(?s:.*)</think>", "<think>\na\nb\n</think> 4", 1),
        (r"é+", "caféé", 1),
        (r"\pL{2}", "答案", 1),
        (r"a.b", "a\nb", 0),
    ],
)
def test_a_pattern_that_is_found_scores_1(pattern: str, text: str, score: float) -> None:
    assert graded(pattern, text).score == score


@pytest.mark.parametrize(
    ("pattern", "text", "captured"),
    [
        (r"answer: (\d+)", "answer: 1, no, answer: 22.", "22"),
        (r"\d+", "1, then 22", "22"),
        (r"(\d+) of (\d+)", "1 of 2, 3 of 4", "3"),
        (r"(?P<n>\d+)!", "7! 8? 9!", "9"),
        (r"(?:x)(é+)", "xé xéé", "éé"),
        (r"(?m)^n=(.*)$", "n=1\nn=2\nm=3", "2"),
        (r"^n=(.)", "n=1 n=2", "1"),
        (r"n=(.)$", "n=1 n=2", "2"),
        (r"\Qa.b\E(.)", "a.b1 aab2", "1"),
        (r"<(\w*)>", "<a> <>", ""),
    ],
)
def test_the_first_group_of_the_last_match_is_captured(pattern: str, text: str, captured: str) -> None:
    assert Pattern(pattern).last(text) == captured
    assert graded(pattern, text, captured).score == 1
    assert graded(pattern, text, captured + "x").score == 0


def test_a_group_that_took_no_part_in_the_last_match_captures_nothing() -> None:
    assert Pattern("(a)|b").last("a b") is None
    assert Pattern("(a)|b").last("b a") == "a"
    assert graded("(a)|b", "a b", "a").score == 0


def test_no_match_captures_nothing() -> None:
    assert graded(r"answer: (\d*)", "I do not know", "").score == 0


PATTERNS = [r"\d+", r"a+b|a", r"(?:ab|a)(?:c|bcd)?", r"\bb\w*", r"x|y$", r"(?i)aB", r"é.", r"[^a]b?", r"(?:a|b)+?c"]


@given(st.sampled_from(PATTERNS), st.text("abcdxy12é \n"))
def test_the_last_match_is_the_last_that_a_loop_over_all_finds(pattern: str, text: str) -> None:
    every = [match[0] for match in re2.finditer(pattern, text)]
    assert Pattern(pattern).last(text) == (every[-1] if every else None)


CATASTROPHIC = [
    (r"(x+x+)+y", "x"),
    (r"(a|aa)+$", "a"),
    (r"^(\w+\s?)*$", "a "),
    (r"(.*)(.*)(.*)(.*)[0-9]", "a"),
    (r"a.*b|a", "a"),
    (r"(?:a?){100}a{100}b", "a"),
    (r"(a|b)*a(a|b){50}c", "ab"),
]


@pytest.mark.parametrize(("pattern", "unit"), CATASTROPHIC)
def test_a_catastrophic_pattern_ends_soon_on_a_megabyte(pattern: str, unit: str) -> None:
    started = perf_counter()
    for reference in (None, "x"):
        graded(pattern, unit * (1_000_000 // len(unit)) + "!", reference)
    assert perf_counter() - started < 20


def test_a_text_too_long_for_a_huge_pattern_is_flagged() -> None:
    started = perf_counter()
    receipt = graded(r".{0,1000}.{0,1000}x", "a" * 1_000_000)
    assert receipt.score == 0
    assert "too long for this pattern" in str(receipt.errors["other_error_details"])
    assert perf_counter() - started < 2


@pytest.mark.parametrize(
    "pattern", ["(a", "a)", "[a", "*a", r"a\E", r"\Qa", "a{1001}", "((a{100}){100}){100}", r"(?P<a)"]
)
def test_a_pattern_that_re2_cannot_read_is_refused(pattern: str) -> None:
    with pytest.raises(Mistake) as caught:
        Pattern(pattern)
    assert caught.value.code == "pattern.invalid"


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(?!a)b", r"(?<=a)b", r"(?<!a)b", r"(a)\1"])
def test_look_around_and_back_references_are_named(pattern: str) -> None:
    with pytest.raises(Mistake, match="neither look-around nor back-references"):
        Pattern(pattern)


def test_nothing_is_written_to_stderr_about_bad_patterns(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Mistake):
        Pattern("(")
    assert capfd.readouterr().err == ""


def test_half_a_character_and_zero_bytes_are_searched() -> None:
    assert graded("b", "\ud800b").score == 1
    assert graded(r"\x00(b)", "a\0b", "b").score == 1
