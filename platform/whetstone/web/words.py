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
    "evaluating": _("evaluating"),
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
DEPLOYMENT_STATES = {
    "queued": _("Waiting for room"),
    "loading": _("Loading"),
    "ready": _("Ready"),
    "stopping": _("Stopping"),
    "stopped": _("Stopped"),
    "failed": _("Failed"),
}
DEPLOYMENT_MARKS = {
    "queued": "waiting",
    "loading": "accent",
    "ready": "good",
    "stopping": "waiting",
    "stopped": "",
    "failed": "bad",
}
DEPLOYMENT_REASONS = {
    "asked": _("a request asked for it"),
    "started": _("somebody started it"),
    "given": _("a host has room for it"),
    "loaded": _("its host has loaded it"),
    "idle": _("nobody asked it for a while"),
    "stopped": _("somebody stopped it"),
    "let_go": _("its host let it go"),
    "host_silent": _("its host fell silent"),
    "host_leaving": _("its host is being stopped"),
    "host_forgot": _("its host started anew"),
    "failed": _("it could not be loaded"),
    "retried": _("it is tried again"),
}
SERVING_TEST_STATES = {
    "queued": _("Waiting"),
    "running": _("Measuring"),
    "succeeded": _("Done"),
    "failed": _("Failed"),
    "cancelled": _("Cancelled"),
}
TASKS = {"text": _("Text"), "reward": _("Reward")}
MEASURES = {
    "mean": _("Mean score"),
    "accuracy": _("Right answers"),
    "length_mean": _("Tokens an answer"),
    "truncated": _("Cut off"),
    "errors": _("Grader errors"),
    "not_scored": _("Not scored"),
}
SHARES = ("accuracy", "truncated", "errors", "not_scored", "improved", "regressed", "delta_accuracy")
CHANGES = {
    "delta": _("Change of the mean score"),
    "delta_accuracy": _("Change of right answers"),
    "delta_length": _("Change of tokens an answer"),
    "improved": _("Rows that improved"),
    "regressed": _("Rows that regressed"),
    "mean": _("Mean score"),
}
VERDICTS = {"ship": _("SHIP"), "dont_ship": _("DON'T SHIP"), "cant_tell": _("CAN'T TELL")}
JUDGEMENTS = {"met": _("met"), "not_met": _("not met"), "unsure": _("cannot be told")}
ANSWER_ORDERS = {
    "worst": _("Worst first"),
    "best": _("Best first"),
    "row": _("By row"),
    "longest": _("Longest first"),
}
ANSWER_FILTERS = {
    "all": _("All answers"),
    "failed": _("Wrong"),
    "passed": _("Right"),
    "truncated": _("Cut off"),
    "errors": _("Grader errors"),
    "not_scored": _("Not scored"),
}
METHODS: "dict[str, _StrPromise]" = {
    name: _(str(method.model_config["title"])) for name, method in contracts.method.METHODS.items()
}
SUITES = {
    "gsm8k": ("GSM8K", _("Word problems whose solution ends in #### and a number. Scored by the last number.")),
    "multiple_choice": (
        _("Multiple choice"),
        _("MMLU, ARC and files like them: a question, choices and the right one. Scored by the last letter."),
    ),
    "open_answers": (
        _("Open answers"),
        _("Questions without one right answer, like MT-Bench. A judge scores by the rows' rubric or three criteria."),
    ),
}
"""What a published test set is, and how it is scored."""
