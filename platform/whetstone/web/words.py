"""The contracts' words as people read them. The same table for live pages stands in frontend/src/labels.ts."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

import contracts.method

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STATUSES = {
    "validating_files": _("Validating files"),
    "queued": _("Queued"),
    "running": _("Running"),
    "paused": _("Paused"),
    "succeeded": _("Succeeded"),
    "failed": _("Failed"),
    "cancelled": _("Cancelled"),
}
PHASES = {
    "downloading": _("downloading"),
    "loading": _("loading the model"),
    "evaluating": _("evaluating held-out rows"),
    "training": _("training"),
    "saving": _("saving"),
    "uploading": _("uploading"),
}
SHAPES = {
    "chat": _("Conversations with answers"),
    "prompt": _("Prompts"),
    "preference": _("Pairs of answers"),
    "labelled": _("Labelled answers"),
    "": _("Columns not mapped"),
}
PARTS = {"prompt": _("Prompt"), "answer": _("Chosen answer"), "rejected": _("Rejected answer")}
ORIGINS = {"built_in": _("Built in"), "imported": _("Imported"), "trained": _("Trained here")}
IMPORT_STATES = {
    "uploading": _("Waiting for its files"),
    "queued": _("Waiting"),
    "running": _("Importing"),
    "succeeded": _("Succeeded"),
    "failed": _("Failed"),
    "cancelled": _("Cancelled"),
}
FITS = {"fits": _("Fits"), "tight": _("Tight"), "too_big": _("Too big")}
FIT_MARKS = {"fits": "good", "tight": "waiting", "too_big": "bad"}
"""Classes of badges."""
TASKS = {"text": _("Text"), "reward": _("Reward")}
METHODS: "dict[str, _StrPromise]" = {
    name: _(str(method.model_config["title"])) for name, method in contracts.method.METHODS.items()
}
