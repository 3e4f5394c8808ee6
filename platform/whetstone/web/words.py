"""The contracts' words as people read them. The same table for live pages stands in frontend/src/labels.ts."""

from django.utils.translation import gettext_lazy as _

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
SHAPES = {"chat": _("Conversations with answers"), "prompt": _("Prompts"), "": _("Columns not mapped")}
ORIGINS = {"built_in": _("Built in"), "imported": _("Imported"), "trained": _("Trained here")}
TASKS = {"text": _("Text"), "reward": _("Reward")}
METHODS = {"full": _("Full fine-tuning"), "lora": _("LoRA"), "grpo": _("GRPO")}
ROLES = {
    "messages": _("Conversation"),
    "system": _("System prompt"),
    "prompt": _("Prompt"),
    "completion": _("Completion"),
    "reference": _("Reference answer"),
    "item": _("For the grader"),
    "ignored": _("Ignored"),
}
