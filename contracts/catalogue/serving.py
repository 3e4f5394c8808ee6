"""What can go wrong when a model is asked to write."""

from contracts.catalogue.entry import Entry

SERVING: dict[str, Entry] = {
    "deployment.model_missing": (
        "user",
        "The model “{model}” does not exist, or this key may not use it.",
        "List the models at /v1/models. A checkpoint has its own name, which ends in “:ckpt-step-” and a number.",
    ),
    "deployment.writes_no_text": (
        "user",
        "“{model}” is a reward model: it scores answers and writes none.",
        "Ask the model that it was trained from, or another one that writes text.",
    ),
    "deployment.no_weights": (
        "user",
        "“{model}” has no weights yet: it is an architecture, whose weights are drawn when a job starts.",
        "Train it, and ask the model that comes out.",
    ),
    "deployment.is_adapter": (
        "user",
        "The checkpoint “{model}” is an adapter alone.",
        "Make a model of the checkpoint on its job's page: the adapter is merged into its base then. Ask that model.",
    ),
    "deployment.no_engine": (
        "capacity",
        "No engine is running that could serve “{model}”.",
        "Start one on a machine with room for it: python -m trainer_worker.serve",
    ),
    "deployment.no_room": (
        "capacity",
        "“{model}” needs about {needed} GB of memory, and no engine has that much free.",
        "Wait until other models have been idle for a while, or start an engine on a larger machine.",
    ),
    "deployment.loading": (
        "capacity",
        "“{model}” is being loaded.",
        "Send the request again in a few seconds.",
    ),
    "deployment.failed": (
        "platform",
        "“{model}” could not be loaded: {detail}",
        "It is tried again in a minute. The engine's log says more.",
    ),
    "engine.cannot_lead": (
        "user",
        "This engine cannot write with an architecture like {architecture}: its memory of a text is not made of keys "
        "and values alone.",
        "Models like Llama, Qwen and Mistral without sliding windows work.",
    ),
    "engine.busy": (
        "capacity",
        "“{model}” has {waiting} requests waiting.",
        "Send the request again in a moment.",
    ),
    "engine.lost": (
        "capacity",
        "The engine that was writing stopped before it was done.",
        "Send the request again: another one takes its place.",
    ),
    "completion.too_long": (
        "user",
        "The model reads at most {context} tokens, and the prompt has {tokens}.",
        "Shorten the prompt.",
    ),
    "completion.no_room": (
        "user",
        "The model's context is {context} tokens: {tokens} of the prompt and {wanted} for the answer do not fit.",
        "Shorten the prompt, or ask for fewer tokens.",
    ),
    "completion.template_failed": (
        "user",
        "The model's chat template cannot write this conversation: {detail}",
        "Many templates want the roles user and assistant in turn, and at most one system message, as the first.",
    ),
    "completion.no_template": (
        "user",
        "The model has no chat template.",
        "Send plain text to /v1/completions instead.",
    ),
    "completion.empty": ("user", "The prompt is empty.", "Send at least one token."),
    "completion.token_unknown": (
        "user",
        "The model has no token {token}: it has {tokens}.",
        "Use the ids of this model's own tokenizer.",
    ),
    "completion.broken": (
        "platform",
        "The engine broke while it wrote: {detail}",
        "Send the request again. The engine's log says more.",
    ),
}
