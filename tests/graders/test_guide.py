import typing

from graders import Grader
from scripts.graders_examples import EXAMPLES
from scripts.graders_guide import PAGE, page


def test_the_guide_says_what_the_code_does() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m scripts.graders_guide"


def test_the_guide_shows_every_kind() -> None:
    assert {model for model, _, _ in EXAMPLES} == set(typing.get_args(typing.get_args(Grader)[0]))
