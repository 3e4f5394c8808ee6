import ast
import math
import operator
from collections.abc import Callable
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.formula import check_names, compile_formula
from graders.problem import Mistake
from graders.receipt import Flagged

VALUES = {"a": 0.5, "b": 2.0, "c": -3.25}


def value_of(source: str, **values: float) -> float:
    return compile_formula(source)(values)


def mistake_in(source: str) -> Mistake:
    with pytest.raises(Mistake) as caught:
        compile_formula(source)
    return caught.value


def details_of(source: str, **values: float) -> str:
    with pytest.raises(Flagged) as caught:
        value_of(source, **values)
    assert caught.value.errors["formula_parse_error"] is True
    return str(caught.value.errors["formula_parse_error_details"])


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("8 / 2 / 2", 2),
        ("8 - 2 - 2", 4),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("2 ^ -1 * 4", 2),
        ("--3", 3),
        ("- - 3 + 1", 4),
        ("2 * -3", -6),
        (".5 + 1. + 1e-1", 1.6),
        ("min(3, 1, 2) + max(4)", 5),
        ("abs(-2) + floor(-1.5) + ceil(1.2)", 2),
        ("exp(0) + sqrt(16) + log(exp(1))", 6),
        ("max(0, 1 - abs(0.25 - 0.5) ^ 2)", 0.9375),
    ],
)
def test_a_formula_has_the_value_it_has_on_paper(source: str, value: float) -> None:
    assert value_of(source) == pytest.approx(value)


def test_names_stand_for_scores() -> None:
    formula = compile_formula("0.8*correct + 0.2*format_2")
    assert formula.names == {"correct", "format_2"}
    assert formula({"correct": 1.0, "format_2": 0.5, "other": 9.0}) == pytest.approx(0.9)


def test_a_grader_may_be_called_like_a_function() -> None:
    assert value_of("min * max(min, 3)", min=2.0) == 6


def expressions() -> st.SearchStrategy[str]:
    atoms = st.floats(0, 1e6).map(repr) | st.sampled_from(sorted(VALUES))

    def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        two = st.tuples(inner, st.sampled_from([" + ", " - ", " * ", " / ", "^", "-"]), inner).map("".join)
        of_one = st.tuples(st.sampled_from(["abs", "floor", "ceil", "exp", "sqrt", "log"]), inner)
        of_two = st.tuples(st.sampled_from(["min", "max"]), inner, inner)
        return (
            two
            | inner.map("({})".format)
            | inner.map("-{}".format)
            | of_one.map(lambda call: "{}({})".format(*call))
            | of_two.map(lambda call: "{}({}, {})".format(*call))
        )

    return st.recursive(atoms, wider, max_leaves=12)


PYTHON: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
    ast.USub: operator.neg,
}
PYTHON_CALLS: dict[str, Callable[..., float]] = {**vars(math), "min": min, "max": max, "abs": abs}


def by_python(node: ast.expr) -> float:
    """The value of Python's own reading. Raises ArithmeticError or ValueError where a part has none."""
    match node:
        case ast.Constant(value=float() as value):
            return value
        case ast.Name(id=name):
            return VALUES[name]
        case ast.UnaryOp(op, operand):
            value = PYTHON[type(op)](by_python(operand))
        case ast.BinOp(left, op, right):
            value = PYTHON[type(op)](by_python(left), by_python(right))
        case ast.Call(ast.Name(id=name), arguments):
            value = float(PYTHON_CALLS[name](*map(by_python, arguments)))
        case _:
            raise TypeError(node)
    if not math.isfinite(value):
        raise OverflowError
    return value


@given(expressions())
def test_a_formula_has_the_value_that_python_gives(source: str) -> None:
    try:
        expected = by_python(ast.parse(source.replace("^", "**"), mode="eval").body)
    except (ArithmeticError, ValueError):
        with pytest.raises(Flagged):
            compile_formula(source)(VALUES)
        return
    assert compile_formula(source)(VALUES) == expected


@given(st.text("0123456789.eE+-*/^(), \t\nabminloger_%$é"))
def test_any_text_is_a_formula_or_a_mistake(text: str) -> None:
    try:
        formula = compile_formula(text)
        assert math.isfinite(formula(dict.fromkeys(formula.names, 0.5)))
    except (Mistake, Flagged):
        pass


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("a / (a - a)", "divides by zero with a = 1"),
        ("10 ^ 10 ^ 10", "too large"),
        ("exp(exp(exp(9)))", "too large"),
        ("1e308 * 10", "too large"),
        ("1 / (1e308 * 10)", "too large"),
        ("log(0)", "does not exist"),
        ("sqrt(-1)", "does not exist"),
        ("(-8) ^ (1 / 3)", "does not exist"),
        ("0 ^ -1", "does not exist"),
    ],
)
def test_a_formula_without_a_value_is_flagged_with_a_sentence(source: str, what: str) -> None:
    assert what in details_of(source, a=1.0)


def test_a_tower_of_powers_ends_at_once() -> None:
    started = perf_counter()
    details_of("9 ^ 9 ^ 9 ^ 9 ^ 9")
    assert perf_counter() - started < 1


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "formula.ends_early"),
        ("1 +", "formula.ends_early"),
        ("(1", "formula.ends_early"),
        ("1 2", "formula.unexpected"),
        ("2 a", "formula.unexpected"),
        ("1)", "formula.unexpected"),
        ("* 2", "formula.unexpected"),
        ("2 ** 3", "formula.unexpected"),
        ("min()", "formula.unexpected"),
        ("min(1,)", "formula.unexpected"),
        ("(1, 2)", "formula.unexpected"),
        ("a % 2", "formula.unknown_sign"),
        ("a.b", "formula.unknown_sign"),
        ("a if b else c", "formula.unexpected"),
        ("__import__('os')", "formula.unknown_sign"),
        ("a[0]", "formula.unknown_sign"),
        ("é", "formula.unknown_sign"),
        ("sin(1)", "formula.unknown_function"),
        ("(a)(1)", "formula.unexpected"),
        ("sqrt(1, 2)", "formula.one_value"),
        ("1e999", "formula.number_too_large"),
        ("9" * 400, "formula.number_too_large"),
        ("(" * 51 + "1" + ")" * 51, "formula.too_deep"),
        ("-" * 5_000 + "1", "formula.too_deep"),
        ("2" + "^2" * 5_000, "formula.too_deep"),
    ],
)
def test_what_is_not_a_formula_is_refused(source: str, code: str) -> None:
    assert mistake_in(source).code == code


def test_a_mistake_says_where_it_is() -> None:
    assert str(mistake_in("a + * b")) == "“*” at character 5 is not expected there."
    assert str(mistake_in("a &  b")).startswith("“&” at character 3")


def test_a_function_that_is_nearly_known_is_guessed() -> None:
    assert mistake_in("maximum(a, b)").guess == "max"
    assert mistake_in("square_root(a)").guess == "sqrt"
    assert mistake_in("sine(a)").guess is None


def test_a_long_flat_formula_is_fine() -> None:
    assert value_of("+".join(["1"] * 5_000)) == 5_000


def test_a_name_that_no_grader_has_is_refused_with_a_guess() -> None:
    with pytest.raises(Mistake) as caught:
        check_names(compile_formula("correct + formt"), {"correct": 1, "format": 2})
    assert str(caught.value) == "“formt” is not one of the graders correct, format; did you mean format?"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("0.8 * a + 0.2 * b", 0.6),
        ("0.2 * b - 0.8 * a", 0.6),
        ("a - b", -3),
        ("a * b", 3),
        ("2 * a * b", 3),
        ("b / a", 3),
        ("(a + b) / 2", 1.5),
        ("min(a, b)", 3),
        ("min(a, b, 2)", 2),
        ("b + max(a, 7)", 3),
        ("b + abs(-a) ^ 2", 3),
        ("b ^ a", 3),
        ("0.5 + a", 0.5),
    ],
)
def test_a_name_can_be_taken_out_of_a_formula(source: str, value: float) -> None:
    rest = compile_formula(source).without({"a"})
    assert rest is not None
    assert rest({"b": 3}) == pytest.approx(value)


@pytest.mark.parametrize("source", ["a", "2 * a", "a / 2", "a / 4 ^ 2", "-a", "min(a, 1)", "sqrt(a)", "a ^ 2", "2 ^ a"])
def test_a_formula_of_what_is_gone_is_gone(source: str) -> None:
    assert compile_formula(source).without({"a"}) is None
