"""Which methods a dataset can be used for, why not, and how many rows they see of it."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from contracts.dataset import SERVES, Shape
from contracts.method import CanonicalMethod
from whetstone.datasets.models import DatasetVersion


class Rows(NamedTuple):
    """Rows as a method counts them."""

    total: int
    good: int
    """Those that are labelled as good."""


def fitting(shape: Shape) -> tuple[Shape, ...]:
    """Every shape of a dataset that can be used as this one, itself first."""
    return (shape, *(other for other, served in SERVES.items() if shape in served and other != shape))


def why_not(shape: str, method: CanonicalMethod) -> str:
    """Empty when a dataset of this shape serves the method, else one sentence that says what to do."""
    if not shape:
        return _("Its columns are not mapped yet.")
    if shape in fitting(method.shape):
        return ""
    if method.shape == "preference":
        return _("It holds no pairs. Map one column as the chosen answer and one as the rejected.")
    if method.shape == "labelled":
        return _("Nothing says which answers are good. Map a column as label, or a chosen and a rejected answer.")
    if shape == "labelled":
        return _("Its answers may be bad ones, so they are not imitated. Map its columns without the label.")
    return _("Its rows hold no answer to imitate. Map a column as completion, or end the messages with an answer.")


def why_not_held_out(shape: str, method: CanonicalMethod, *, is_graded: bool) -> str:
    """As `why_not`, for rows that are never trained on: where an evaluator scores the model's own answers, prompts do.

    Labelled answers do not stand in for those that supervised methods imitate: their loss would count the bad ones.
    """
    if is_graded and shape in fitting("prompt") and not (method.shape == "chat" and shape == "labelled"):
        return ""
    return why_not(shape, method)


def rows_for(version: DatasetVersion, method: CanonicalMethod) -> Rows:
    """A pair is a good and a bad answer for the methods that want labels."""
    if method.shape != "labelled":
        return Rows(version.rows, 0)
    if version.shape == "preference":
        return Rows(2 * version.rows, version.rows)
    return Rows(version.rows, version.answers.good)
