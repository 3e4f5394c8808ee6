"""Formulas over scores: `0.8 * correct + 0.2 * format`.

`+ - * / ^`, unary minus, parentheses, numbers, names, and min, max, abs, floor, ceil, exp, sqrt, log (natural).
`^` binds tightest and to the right: `-2 ^ 2` is -4, as on paper and in Python. All values are floats, so that
10 ^ 10 ^ 10 overflows at once instead of filling the memory.
"""

import math
import operator
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from graders.problem import Mistake, likely, quoted
from graders.receipt import Flagged

MAX_DEPTH = 50

_OPERATORS: dict[str, tuple[int, Callable[[float, float], float]]] = {
    "+": (1, operator.add),
    "-": (1, operator.sub),
    "*": (2, operator.mul),
    "/": (2, operator.truediv),
    "^": (4, math.pow),
}
_UNARY = 3

_OF_ONE: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "floor": lambda x: float(math.floor(x)),
    "ceil": lambda x: float(math.ceil(x)),
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
# Python's own min and max of a single value expect a list.
_OF_MANY: dict[str, Callable[..., float]] = {"min": lambda *xs: min(xs), "max": lambda *xs: max(xs)}
FUNCTIONS = (*_OF_MANY, *_OF_ONE)

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>[-+*/^(),]))""",
    re.VERBOSE,
)


class _Call(NamedTuple):
    """Take the last `takes` values off the stack and put back what the function makes of them."""

    function: Callable[..., float]
    takes: int


_NEGATIVE = _Call(operator.neg, 1)
_Rest = tuple[float | str | _Call, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read once, as a program for a stack."""

    source: str
    names: frozenset[str]
    """What it reads."""
    program: _Rest

    def __call__(self, values: Mapping[str, float]) -> float:
        """The value; always finite. Raises Flagged with formula_parse_error."""
        try:
            return self._run(values)
        except ZeroDivisionError:
            raise self._flagged("divides by zero", values) from None
        except OverflowError:
            raise self._flagged("gives a number that is too large", values) from None
        except ValueError:
            raise self._flagged("asks for a root, power or logarithm that does not exist", values) from None

    def without(self, gone: Container[str]) -> "Formula | None":
        """The formula as if these names had never stood in it: a sum without the term, a product without the factor.

        A number that only weighs what is gone goes too. None when nothing is left.
        """
        stack: list[_Rest | None] = []
        for step in self.program:
            if isinstance(step, _Call):
                arguments = stack[-step.takes :]
                stack[-step.takes :] = [_left_of(step, arguments)]
            else:
                stack.append(None if isinstance(step, str) and step in gone else (step,))
        rest = stack[0]
        return None if rest is None else Formula(self.source, _names(rest), rest)

    def _run(self, values: Mapping[str, float]) -> float:
        stack: list[float] = []
        for step in self.program:
            if isinstance(step, _Call):
                result = step.function(*stack[-step.takes :])
                if not math.isfinite(result):
                    raise OverflowError
                stack[-step.takes :] = [result]
            else:
                stack.append(values[step] if isinstance(step, str) else step)
        return stack[0]

    def _flagged(self, what: str, values: Mapping[str, float]) -> Flagged:
        given = ", ".join(f"{name} = {values[name]:g}" for name in sorted(self.names)[:10])
        said = f"The formula “{quoted(self.source)}” {what}" + (f" with {given}." if given else ".")
        return Flagged("formula_parse_error", said)


def compile_formula(source: str) -> Formula:
    """Read a formula. Raises Mistake."""
    reader = _Reader(source)
    reader.expression(0)
    reader.end()
    program = tuple(reader.program)
    return Formula(source, _names(program), program)


def _names(program: _Rest) -> frozenset[str]:
    return frozenset(step for step in program if isinstance(step, str))


def _left_of(call: _Call, arguments: Sequence[_Rest | None]) -> _Rest | None:
    """What a call comes to when some of its arguments are gone."""
    left = [argument for argument in arguments if argument is not None]
    if len(left) == len(arguments):
        return (*chain(*left), call)
    is_sum = call.function in (operator.add, operator.sub)
    if not left or not (is_sum or any(map(_names, left))):
        return None
    if call.function in _OF_MANY.values():
        return (*chain(*left), call._replace(takes=len(left)))
    if arguments[0] is not None or call.function in (operator.add, operator.mul):
        return left[0]
    return (*left[0], _NEGATIVE) if call.function is operator.sub else None


def check_names(formula: Formula, known: Mapping[str, object]) -> None:
    """Raises Mistake when the formula reads a name that no grader has."""
    for name in sorted(formula.names - known.keys()):
        options = ", ".join(list(known)[:20])
        raise Mistake("formula.unknown_name", likely(name, known), name=quoted(name), options=options)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def _tokens(source: str) -> list[_Token]:
    found = []
    at = 0
    source = source.rstrip()
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            bare = source[at:].lstrip()
            raise Mistake("formula.unknown_sign", sign=bare[0], at=len(source) - len(bare) + 1)
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind) + 1))
        at = match.end()
    return found


class _Reader:
    """Reads by precedence climbing and writes the program as it goes."""

    def __init__(self, source: str) -> None:
        self.tokens = _tokens(source)
        self.place = 0
        self.depth = 0
        self.program: list[float | str | _Call] = []

    def expression(self, level: int) -> None:
        """Everything up to an operator that binds less than `level`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Mistake("formula.too_deep", most=MAX_DEPTH)
        self.operand()
        while (sign := self.sign()) in _OPERATORS:
            binds, function = _OPERATORS[sign]
            if binds < level:
                break
            self.take()
            self.expression(binds if sign == "^" else binds + 1)
            self.program.append(_Call(function, 2))
        self.depth -= 1

    def operand(self) -> None:
        token = self.take()
        if token.kind == "number":
            self.program.append(_number(token.text))
        elif token.kind == "name" and self.sign() == "(":
            self.call(token)
        elif token.kind == "name":
            self.program.append(token.text)
        elif token.text == "(":
            self.expression(0)
            self.expect(")")
        elif token.text == "-":
            self.expression(_UNARY)
            self.program.append(_NEGATIVE)
        else:
            raise _unexpected(token)

    def call(self, name: _Token) -> None:
        function = _OF_ONE.get(name.text) or _OF_MANY.get(name.text)
        if function is None:
            options, guess = ", ".join(FUNCTIONS), likely(name.text, FUNCTIONS)
            raise Mistake("formula.unknown_function", guess, name=quoted(name.text), options=options)
        self.take()
        self.expression(0)
        count = 1
        while self.sign() == ",":
            self.take()
            self.expression(0)
            count += 1
        self.expect(")")
        if name.text in _OF_ONE and count > 1:
            raise Mistake("formula.one_value", function=name.text, count=count)
        self.program.append(_Call(function, count))

    def sign(self) -> str:
        """The sign that comes next, or nothing."""
        if self.place == len(self.tokens) or self.tokens[self.place].kind != "sign":
            return ""
        return self.tokens[self.place].text

    def take(self) -> _Token:
        if self.place == len(self.tokens):
            raise Mistake("formula.ends_early")
        self.place += 1
        return self.tokens[self.place - 1]

    def expect(self, sign: str) -> None:
        token = self.take()
        if token.text != sign:
            raise _unexpected(token)

    def end(self) -> None:
        if self.place < len(self.tokens):
            raise _unexpected(self.tokens[self.place])


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Mistake("formula.number_too_large", number=quoted(text))
    return value


def _unexpected(token: _Token) -> Mistake:
    return Mistake("formula.unexpected", token=quoted(token.text), at=token.at)
