"""What the tricks of `graders.attack` are called on the page, and what helps against each."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TRICKS: dict[str, tuple[str | Promise, str | Promise]] = {
    "empty": (
        _("An empty answer"),
        _("Something pays for saying nothing. Combine it with a grader that is 0 for an empty answer, by multiplying."),
    ),
    "repeated": (
        _("The right answer, thirty times"),
        _("Add a length or a repetition grader, or compare the whole answer instead of looking for a part of it."),
    ),
    "too_long": (
        _("The right answer after a thousand words of nothing"),
        _("Add a length grader, or the model learns to ramble before it answers."),
    ),
    "prompt_echo": (
        _("The question itself"),
        _("The prompt holds what is looked for. Compare the last number, a tag or the whole answer instead."),
    ),
    "all_options": (
        _("Every right answer of all rows at once"),
        _("Looking for a part of the answer pays for naming everything. Ask for the last one only, or for a format."),
    ),
    "wrong_form": (
        _("The bare result without its form"),
        _("If the form matters, add a format or a JSON grader. If it does not, this is no fault."),
    ),
}
"""Title and advice, by name."""
