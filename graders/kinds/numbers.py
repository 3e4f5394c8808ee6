"""Graders that compare numbers.

A number is written as `42`, `-3.5`, `−7`, `.5`, `1,234,567.8` (also with no-break spaces), `6e-3`, `$12`, `3/4`,
`25%`. Letters may follow (`42kg`) but not precede (`gpt4`). `100,200,300` is one number, `1,2,3` are three.
A chain of slashes (`1/2/2024`) is none. Values are exact decimals: long integers are not rounded.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import NamedTuple

from graders.receipt import Flagged, Item, Sample, Score
from graders.schema import Number
from graders.template import compile_template
from graders.words import spaced

# Groups: sign, digits, exponent, slashes with what is below, percent sign.
_NUMBER = re.compile(
    r"""(?<![A-Za-z_\d])(?<!\d\.)
    ([-+−]?) [$€£¥]?
    ((?:\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?!\d) | \d+)(?:\.\d+)? | (?<!\.)\.\d+)
    ([eE][-+−]?\d+)?
    ((?:/\d+)*)
    (?:\s?([%％]))?""",
    re.VERBOSE,
)
_FIRST_DIGIT = re.compile(r"\d")
_UP_TO_LAST_DIGIT = re.compile(r".*\d", re.DOTALL)
_PLAIN = str.maketrans("−", "-", ",\u00a0\u2009\u202f")
# No traps: what does not fit becomes an infinity, which is never close to anything.
_CONTEXT = Context(prec=50, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


class Reading(NamedTuple):
    """A number as it was understood."""

    value: Decimal
    is_percent: bool


def only(text: str) -> Reading | None:
    """The number that the text is, if it is nothing else."""
    match = _NUMBER.fullmatch(text.strip())
    return _read(match.groups("")) if match else None


def first(text: str) -> Reading | None:
    """The first number in the text."""
    digit = _FIRST_DIGIT.search(text)
    if digit is None:
        return None
    return _first_of(match.groups("") for match in _NUMBER.finditer(text, _word(text, digit.end())))


def last(text: str) -> Reading | None:
    """The last number in the text."""
    if text.isdecimal():  # as most references are
        return Reading(Decimal(text), is_percent=False)
    digit = _UP_TO_LAST_DIGIT.match(text)
    if digit is None:
        return None
    # Nearly always in the last word with a digit; a long answer is not searched as a whole then.
    nearest = _NUMBER.findall(text, _word(text, digit.end()))
    return _first_of(reversed(nearest)) or _first_of(reversed(_NUMBER.findall(text)))


def _word(text: str, end: int) -> int:
    """Where the word before `end` begins: no number holds a plain space or a new line before its digits."""
    return max(text.rfind(" ", 0, end), text.rfind("\n", 0, end)) + 1


Pick = Callable[[str], Reading | None]
_PICKS: dict[str, Pick] = {"only": only, "first": first, "last": last}


def number(grader: Number) -> Score:
    """1 when |answer - right| <= max(absolute tolerance, relative tolerance * |right|), 0 when not or no number.

    The right number is picked from the reference in the same way. A percent sign on one side only may be meant
    either way, so 25% equals both 25 and 0.25; on both sides it is left out. With units, only numbers that have one
    beside them are looked at; the right number may stand without.
    """
    text, reference = compile_template(grader.input), compile_template(grader.reference)
    pick = pick_right = _PICKS[grader.pick]
    if grader.units:
        pick, pick_right = with_units(grader.units, grader.pick), _either(with_units(grader.units, grader.pick), pick)
    is_close = _closeness(Decimal(str(grader.absolute_tolerance)), Decimal(str(grader.relative_tolerance)))

    def score(sample: Sample, item: Item) -> float:
        wanted = reference(sample, item)
        answer, right = pick(text(sample, item)), pick_right(wanted)
        if right is None:
            raise Flagged("other_error", f"The reference “{wanted[:100]}” has no number to compare with.")
        if answer is None:
            return 0.0
        if is_close(answer.value, right.value):
            return 1.0
        if answer.is_percent == right.is_percent:
            return 0.0
        return 1.0 if is_close(_as_share(answer), _as_share(right)) else 0.0

    return score


def _either(one: Pick, other: Pick) -> Pick:
    return lambda text: one(text) or other(text)


def with_units(units: Sequence[str], pick: str) -> Pick:
    """The first or last number, or the only thing in a text, that has one of these units beside it.

    Units follow (`18 km`, `18km`, `18\\,\\text{km}`); signs like $ may stand before as well. Case counts, and a unit
    ends where no letter, digit, / or ^ goes on: `5 km/h` is not in km.
    """
    after, signs = _after(units), sorted((unit for unit in units if not unit[-1].isalpha()), key=len, reverse=True)

    def found(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        for match in _NUMBER.finditer(text):
            groups = match.groups("")
            if unit := after.match(text, match.end(4)):
                yield match.start(), unit.end(), groups
            elif signs and (start := _sign_before(text[max(0, match.start(2) - 50) : match.start(2)], signs)):
                yield min(match.start(), match.start(2) - start), match.end(), groups

    def picked(text: str) -> Reading | None:
        if pick == "only":
            text = text.strip()
            return _first_of(groups for start, end, groups in found(text) if start == 0 and end == len(text))
        candidates = [groups for _, _, groups in found(text)]
        return _first_of(candidates if pick == "first" else reversed(candidates))

    return picked


def _after(units: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(units, key=len, reverse=True)
    # Chinese is written without spaces: there, a unit ends with its last character.
    ends = "|".join(re.escape(unit) + ("" if len(spaced(unit[-1])) > 1 else r"(?![\w/^])") for unit in longest_first)
    bare = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?:\s|~|\\[,;: ])?(?:\\(?:text|textrm|mathrm|mbox)\{{\s*(?:{bare})\s*\}}|{ends})")


def _sign_before(left: str, signs: Sequence[str]) -> int:
    """How many characters before the digits a sign begins that belongs to them; 0 where none does."""
    bare = left.rstrip().rstrip("-+−").rstrip()
    sign = next((sign for sign in signs if bare.endswith(sign)), None)
    if sign is None or _ENDS_IN_DIGIT.search(bare.removesuffix(sign)):
        return 0
    return len(left) - len(bare) + len(sign)


_ENDS_IN_DIGIT = re.compile(r"\d\s?$")


def _closeness(absolute: Decimal, relative: Decimal) -> Callable[[Decimal, Decimal], bool]:
    if not absolute and not relative:
        return lambda answer, right: answer == right

    def is_close(answer: Decimal, right: Decimal) -> bool:
        allowed = max(absolute, _CONTEXT.multiply(relative, _CONTEXT.abs(right)))
        return answer == right or _CONTEXT.abs(_CONTEXT.subtract(answer, right)) <= allowed

    return is_close


def _as_share(reading: Reading) -> Decimal:
    return _CONTEXT.scaleb(reading.value, -2) if reading.is_percent else reading.value


def _first_of(candidates: Iterable[tuple[str, ...]]) -> Reading | None:
    for found in candidates:
        if reading := _read(found):
            return reading
    return None


def _read(found: tuple[str, ...]) -> Reading | None:
    sign, digits, exponent, slashes, percent = found
    try:
        value = Decimal((sign + digits + exponent).translate(_PLAIN))
    except InvalidOperation:  # an exponent beyond 18 digits
        return None
    if slashes:
        below, *more = slashes[1:].split("/")
        if more or not Decimal(below):
            return None
        value = _CONTEXT.divide(value, Decimal(below))
    return Reading(value, bool(percent))
