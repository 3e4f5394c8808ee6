"""What can go wrong when a model is asked to write or to score."""

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
        "Ask a model that writes text, or have answers scored: POST /api/v1/scores.",
    ),
    "deployment.gives_no_score": (
        "user",
        "“{model}” writes text and gives no scores.",
        "Ask a reward model: a job with the method reward_model makes one.",
    ),
    "deployment.no_weights": (
        "user",
        "“{model}” has no weights yet: it is an architecture, whose weights are drawn when a job starts.",
        "Train it, and ask the model that comes out.",
    ),
    "deployment.not_found": (
        "user",
        "There is no deployment “{deployment}” here.",
        "Look it up in the list of deployments.",
    ),
    "deployment.not_possible": (
        "user",
        "The deployment is {status}, and cannot be {wanted} from there.",
        "Reload the page to see where it stands.",
    ),
    "deployment.bad_name": (
        "user",
        "“{name}” is no name for a deployment.",
        "Take letters, digits, dots, colons, dashes, underscores and slashes, and begin with a letter or a digit.",
    ),
    "deployment.name_taken": (
        "user",
        "There is a deployment “{name}” already.",
        "Choose another name, or delete that deployment first.",
    ),
    "deployment.name_of_a_model": (
        "user",
        "“{name}” is the name of another model.",
        "Choose another name: whoever asks for that model must not get this one.",
    ),
    "deployment.no_pool": (
        "user",
        "No engine is in the pool “{pool}”.",
        "Choose “auto”, or start an engine there: WHETSTONE_POOL={pool} python -m trainer_worker.serve",
    ),
    "deployment.no_base": (
        "user",
        "“{model}” is an adapter, and its base is not in the hub with weights of its own.",
        "Import the base, or deploy a model that the adapter was merged into.",
    ),
    "deployment.no_adapter": (
        "user",
        "“{model}” has no adapter that could be laid over its base.",
        "Deploy it as a whole model.",
    ),
    "deployment.off": (
        "user",
        "“{model}” was stopped.",
        "Start it on its page, or with POST /api/v1/deployments/{deployment}/start.",
    ),
    "serving_test.not_found": (
        "user",
        "There is no serving test “{test}” here.",
        "Look it up on the deployment's page.",
    ),
    "serving_test.of_a_scorer": (
        "user",
        "“{model}” is a reward model: a serving test measures how fast a model writes.",
        "Its page says how long its scores take.",
    ),
    "serving_test.running": (
        "user",
        "A serving test of “{model}” runs already.",
        "Wait for its end, or cancel it: two at once would measure each other.",
    ),
    "serving_test.has_ended": ("user", "The serving test “{test}” has ended.", "Reload the page to see its results."),
    "serving_test.no_answer": (
        "platform",
        "“{model}” did not answer the first request of the test ({problem}).",
        "Start the deployment and ask it once by hand; its page says what is wrong.",
    ),
    "serving_test.gave_up": (
        "platform",
        "The test was begun {attempts} times, and each time the process that carried it out ended.",
        "Look into the supervisor's log, then start another test.",
    ),
    "serving_test.failed": (
        "platform",
        "The test stopped with an error: {detail}",
        "The supervisor's log says more. Start another test.",
    ),
    "engine.unfit_adapter": (
        "user",
        "The adapter of “{model}” cannot be laid over a base that others use: {detail}.",
        "Plain LoRA can. Deploy the model that it was merged into instead.",
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
    "server.stopping": (
        "capacity",
        "This web process is being stopped, and takes no new questions.",
        "Send the request again in a few seconds: another process takes its place.",
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
        "The engine that was answering stopped before it was done.",
        "Send the request again: another one takes its place.",
    ),
    "completion.too_long": (
        "user",
        "The model reads at most {context} tokens, and the prompt has about {tokens}.",
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
    "completion.unread": (
        "user",
        "More than {megabytes} MB of the answer waited to be read, so it was written no further.",
        "Read the stream as it comes, or ask for fewer tokens or log-probabilities.",
    ),
    "completion.bad_form": (
        "user",
        "No answer can be held to this schema: {detail}",
        "Change the schema. Without “strict”, keywords that are not known are left out.",
    ),
    "completion.form_too_complex": (
        "user",
        "The schema takes longer than {seconds} s to prepare, or more memory than it may.",
        "Make it simpler: fewer alternatives, shorter lists of values, patterns without many choices.",
    ),
    "completion.form_lost": (
        "user",
        "The schema became too complex in the midst of the answer: {detail}",
        "Make it simpler: fewer alternatives, patterns without many choices.",
    ),
    "completion.no_tools": (
        "user",
        "The model's chat template knows no tools.",
        "Ask a model that was trained to call tools, or describe what you want in a message.",
    ),
    "completion.calls_unread": (
        "user",
        "The model's chat template has it call tools in a way that this engine does not read.",
        "Set tool_choice to “required” or to a function: such calls are forced into a form that is read.",
    ),
    "completion.refused": (
        "user",
        "The engine does not take this request: {detail}",
        "Change the request as it says.",
    ),
    "score.too_long": (
        "user",
        "The model reads at most {context} tokens, and the conversation has {tokens}.",
        "Shorten the conversation.",
    ),
    "score.empty": ("user", "The model's chat template makes nothing of this conversation.", "Send at least one word."),
    "score.not_a_number": (
        "grader",
        "“{model}” gave {score}, which is no score.",
        "Its weights may be broken: look at the loss of the job that it comes from.",
    ),
    "score.broken": (
        "platform",
        "The engine broke while it scored: {detail}",
        "Send the request again. The engine's log says more.",
    ),
    "completion.broken": (
        "platform",
        "The engine broke while it wrote: {detail}",
        "Send the request again. The engine's log says more.",
    ),
}
