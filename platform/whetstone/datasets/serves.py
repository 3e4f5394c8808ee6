"""Which methods a dataset can be used for, and why not."""

from django.utils.translation import gettext as _

from whetstone.datasets.models import DatasetVersion

METHODS = ("full", "lora", "grpo")


def why_not(version: DatasetVersion, method: str) -> str:
    """Empty when the dataset serves the method, else one sentence."""
    if not version.shape:
        return _("Its columns are not mapped yet.")
    if method in ("full", "lora", "supervised") and version.shape != "chat":
        return _("Its rows hold no answer to imitate. Map a column as completion, or end the messages with an answer.")
    return ""
