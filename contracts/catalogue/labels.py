"""What can go wrong with conversations and with what people say of answers."""

from contracts.catalogue.entry import Entry

LABELS: dict[str, Entry] = {
    "conversation.not_found": (
        "user",
        "There is no conversation “{conversation}” here.",
        "It may have been deleted: look at the list beside the chat.",
    ),
    "conversation.changed_meanwhile": (
        "user",
        "This conversation was changed meanwhile, in another tab or by somebody else.",
        "Read it again, or keep yours as a new conversation.",
    ),
    "conversation.too_large": (
        "user",
        "The conversation is {size_kb} KB long, and at most {most_kb} KB are kept.",
        "Begin a new one.",
    ),
    "label.not_found": (
        "user",
        "There is no label “{label}” here.",
        "It may have been undone: list them at /api/v1/labels.",
    ),
    "label.equal_answers": (
        "user",
        "Both answers are the same: none is better.",
        "Call it a tie, or ask for other answers.",
    ),
    "label.empty_answer": (
        "user",
        "One of the answers holds no text: a training could not learn from it.",
        "Ask for another answer, or call both bad.",
    ),
    "label.unchanged": (
        "user",
        "The answer is as the model wrote it: that is no correction.",
        "Change it, or give it a thumb up.",
    ),
    "label.wrong_shape": (
        "data",
        "“{dataset}” holds rows of shape {shape}, and these labels make rows of shape {needed}.",
        "Choose another dataset for them, or a new name.",
    ),
    "label.does_not_fit": (
        "data",
        "The columns of “{dataset}” cannot take labels: {detail}",
        "Choose another dataset for them, or a new name.",
    ),
    "label.nothing_new": (
        "user",
        "Every label of “{dataset}” is in its newest version already.",
        "Label some more answers first.",
    ),
    "label.no_rows": (
        "user",
        "The labels of “{dataset}” make no row: ties, pairs of which both are bad, and draws between people do not.",
        "Label some more answers first.",
    ),
    "label.being_published": (
        "user",
        "Somebody else makes a version of “{dataset}” at this very moment.",
        "Try again in a moment.",
    ),
}
