"""Regular expressions that cannot hang: RE2, which has no backtracking, within a fixed amount of work."""

from functools import lru_cache

import re2

from graders.problem import Mistake, quoted
from graders.receipt import Flagged

# RE2 is linear in the text, times the size of the pattern's program when its automaton outgrows its memory:
# measured about 10 ns for each instruction and byte. This much is one second at worst.
MAX_WORK = 100_000_000


class Pattern:
    """A compiled pattern. Raises Mistake when RE2 cannot read it."""

    def __init__(self, source: str) -> None:
        self._once = _compile(source)
        # The last match in one linear pass: each round of the outer group goes on to the next match, and the
        # inner group keeps the last. A loop over all matches would be quadratic (`a.*b|a` on many a's).
        self._last = _compile(rf"(?s:(?:.*?((?-s:{source})))+)")

    @staticmethod
    @lru_cache(maxsize=512)
    def of(source: str) -> "Pattern":
        """The same, kept for next time."""
        return Pattern(source)

    def found(self, text: str) -> bool:
        """Whether it matches anywhere. Raises Flagged when the text is too long for it."""
        return self._once.search(_bytes(text, self._once.programsize)) is not None

    def last(self, text: str) -> str | None:
        """What the first group of the last match holds, or the whole match where there is no group.

        Matches are counted as by `finditer`. Raises Flagged when the text is too long for the pattern.
        """
        data = _bytes(text, self._last.programsize)
        match = self._last.match(data)
        if match is None:
            return None
        start, end = match.span(1)
        if self._last.groups > 1:
            whole = start
            start, end = match.span(2)
            # A group that took no part in the last match still holds what it held in an earlier one.
            if start < whole:
                return None
        return data[start:end].decode()

    def pieces(self, text: str, most: int, *, is_ours: bool) -> list[str]:
        """The text cut before each match, into at most so many. Raises Flagged when the text is too long for that.

        is_ours: a match is found without looking far beyond it, so that all searches together read the text once.
        """
        data = _bytes(text, self._once.programsize * (1 if is_ours else most))
        cuts, at = [0], 0
        while len(cuts) < most and (match := self._once.search(data, at)):
            start, end = match.span()
            if start > 0:
                cuts.append(start)
            at = max(end, start + 1)
            if at > len(data):
                break
        return [data[start:end].decode("utf-8", "replace") for start, end in zip(cuts, [*cuts[1:], None], strict=True)]


def _bytes(text: str, size: int) -> bytes:
    # Half a character (a lone surrogate, which JSON can carry) has no bytes: it becomes a question mark.
    data = text.encode("utf-8", "replace")
    if len(data) * size > MAX_WORK:
        details = f"The text is too long for this pattern: {len(data)} bytes, at most {MAX_WORK // size}."
        raise Flagged("other_error", details)
    return data


def _compile(source: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(source, options)
    except re2.error as error:
        detail = error.args[0].decode(errors="replace")
        is_not_linear = any(sign in detail for sign in ("(?=", "(?!", "(?<", "escape sequence: \\1"))
        raise Mistake("pattern.not_linear" if is_not_linear else "pattern.invalid", detail=quoted(detail)) from None
