"""What the warnings of `graders.contrast` say on the page."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CONTRASTS: dict[str, str | Promise] = {
    "unanswered": _(
        "These rows hold no right answer: on the dataset's page, map the column that holds it as the reference."
    ),
    "unscored": _("No answer could be scored: look at the error of one of them first."),
    "untried": _("All these rows have the same right answer, so nothing wrong could be tried. Choose other rows."),
    "constant": _(
        "Right and wrong answers all get the same score: reinforcement learning would find nothing to learn from. "
        "Check that the grader reads the answer, and the column that holds the right one."
    ),
    "wrong_as_high": _(
        "On at least half of the rows a wrong answer scores as high as the right one: the model would learn to give "
        "any answer. Multiply with a grader that compares the answer with the right one."
    ),
}
"""By name."""
