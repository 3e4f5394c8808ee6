"""Graders that look at how an answer is built: json_schema and format."""

import json
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

from graders.json_schema import JsonSchema as CheckedSchema
from graders.problem import quoted
from graders.receipt import Item, Outcome, Sample, Score
from graders.schema.structure import Format, JsonSchema
from graders.template import compile_template

_FENCE = re.compile(r"^[ \t]*```[^\n`]*$", re.MULTILINE)


def json_schema(grader: JsonSchema) -> Score:
    """1 when the text is JSON that fits; else 0, with what is wrong as evidence. An answer that is no JSON is no error.

    A schema and an answer that together take more than about a second are flagged with other_error.
    """
    text, schema = compile_template(grader.input), CheckedSchema(grader.json_schema)
    find = _last_fenced if grader.find == "fenced" else str.strip

    def score(sample: Sample, item: Item) -> Outcome:
        found = find(text(sample, item))
        if found is None:
            return _wrong(["There is no ``` block."])
        try:
            answer = json.loads(found, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            return _wrong([f"This is not JSON: {quoted(str(error))}."])
        problems = schema.problems(answer)
        return _wrong(problems) if problems else Outcome(1.0)

    return score


def _wrong(problems: Sequence[str], score: float = 0.0) -> Outcome:
    return Outcome(score, evidence={"wrong": [*problems]})


def _refuse(word: str) -> NoReturn:
    """Python reads NaN and Infinity, which are not JSON."""
    raise ValueError(f"{word} is not JSON")


def _last_fenced(text: str) -> str | None:
    """What stands in the last block that is closed."""
    fences = list(_FENCE.finditer(text))
    if len(fences) < 2:
        return None
    # Fences open and close in turns; one that is left over at the end opens a block that was cut off.
    opening, closing = fences[len(fences) // 2 * 2 - 2 :][:2]
    return text[opening.end() : closing.start()]


def format(grader: Format) -> Score:
    """1 when every check holds; with partial credit, the share that holds.

    There is a check for each tag (opened once, closed once after it), for each section (of one line, once), for the
    order of tags, for the order of sections where there is more than one, and for what stands outside of the tags.
    """
    text, checks = compile_template(grader.input), _checks(grader)

    def score(sample: Sample, item: Item) -> Outcome:
        answer = text(sample, item)
        problems = [problem for check in checks if (problem := check(answer))]
        if not problems:
            return Outcome(1.0)
        return _wrong(problems, 1 - len(problems) / len(checks) if grader.partial_credit else 0.0)

    return score


_Check = Callable[[str], str | None]
"""What is wrong, or nothing."""


def _checks(grader: Format) -> list[_Check]:
    tags, sections = grader.tags, [(heading, _heading(heading)) for heading in grader.sections]
    checks: list[_Check] = [_tag_check(tag) for tag in tags]
    checks += [_section_check(heading, pattern) for heading, pattern in sections]
    if len(tags) > 1:
        checks.append(lambda text: _out_of_order(_edges(text, tags), "tags"))
    if len(sections) > 1:
        checks.append(lambda text: _out_of_order([_start(pattern, text) for _, pattern in sections], "sections"))
    if tags and grader.outside != "anything":
        checks.append(_outside_check(tags, is_free_after=grader.outside == "after"))
    return checks


def _tag_check(tag: str) -> _Check:
    opening, closing = f"<{tag}>", f"</{tag}>"

    def check(text: str) -> str | None:
        for mark in (opening, closing):
            if (count := text.count(mark)) != 1:
                return f"{mark} is missing." if count == 0 else f"{mark} stands there {count} times."
        return None if text.index(opening) < text.index(closing) else f"{closing} stands before {opening}."

    return check


def _edges(text: str, tags: Sequence[str]) -> list[int]:
    return [text.find(mark) for tag in tags for mark in (f"<{tag}>", f"</{tag}>")]


def _heading(heading: str) -> re.Pattern[str]:
    return re.compile(rf"^{re.escape(heading)}(?!\w)", re.MULTILINE)


def _section_check(heading: str, pattern: re.Pattern[str]) -> _Check:
    def check(text: str) -> str | None:
        count = len(pattern.findall(text))
        if count == 1:
            return None
        return f"No line begins with “{heading}”." if count == 0 else f"{count} lines begin with “{heading}”."

    return check


def _start(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.search(text)
    return match.start() if match else -1


def _out_of_order(places: list[int], what: str) -> str | None:
    if -1 in places or places != sorted(places):
        return f"The {what} do not stand in their order."
    return None


def _outside_check(tags: Sequence[str], *, is_free_after: bool) -> _Check:
    """Blind to what is between tags that are missing: it begins at the first one there is and ends at the last."""

    def check(text: str) -> str | None:
        spans = [(text.find(f"<{tag}>"), text.find(f"</{tag}>"), len(tag) + 3) for tag in tags]
        whole = sorted((start, end + width) for start, end, width in spans if 0 <= start < end)
        if not whole:
            return "Text stands outside of the tags." if text.strip() else None
        at = 0
        for start, end in whole:
            if text[at:start].strip():
                return f"“{quoted(text[at:start].strip())}” stands outside of the tags."
            at = max(at, end)
        rest = text[at:].strip()
        return f"“{quoted(rest)}” stands after the last tag." if rest and not is_free_after else None

    return check
