"""What is wrong with a model that somebody imports, or with where it should come from."""

from contracts.catalogue.entry import Entry

MODELS: dict[str, Entry] = {
    "import.not_found": ("user", "There is no import “{import_id}” here.", "It may have been forgotten: begin anew."),
    "import.wrong_state": (
        "user",
        "The import is {state}, and cannot be {wanted}.",
        "Reload the page to see where it stands.",
    ),
    "import.failed": (
        "platform",
        "The import stopped with an error: {detail}",
        "Read the supervisor's log; it names the place. Trying again goes on with what is not stored yet.",
    ),
    "import.gave_up": (
        "platform",
        "The import was begun {attempts} times, and each time the process that carried it out ended.",
        "Look into the supervisor's log and at the machine's memory, then try again: what is stored stays.",
    ),
    "import.name_taken": (
        "user",
        "There is a model “{model}” already.",
        "Choose another name, or delete the model first.",
    ),
    "import.no_name": (
        "user",
        "“{name}” is no name for a model.",
        "Take letters, digits, dots, dashes and underscores, with one slash at most, like Qwen/Qwen3-0.6B.",
    ),
    "hub.no_repo_id": (
        "user",
        "“{repo}” names no model of a hub.",
        "Write it as ORGANISATION/NAME, as its page's address ends.",
    ),
    "hub.no_model": (
        "user",
        "{host} has no model “{repo}”, or shows it to its members alone.",
        "Check the name. For a private model store a token under Settings, and choose it.",
    ),
    "hub.no_revision": (
        "user",
        "The model “{repo}” has no revision “{revision}”.",
        "Take a branch, a tag or a commit that its page lists.",
    ),
    "hub.gated": (
        "user",
        "{host} gives “{repo}” only to those who have accepted its terms.",
        "Accept them on the model's page, store a token of that account under Settings, and choose it.",
    ),
    "hub.token_refused": (
        "user",
        "{host} does not accept the token “{token}”.",
        "Store a new one under Settings, with the right to read this model, and try again.",
    ),
    "hub.rate_limited": (
        "capacity",
        "{host} has had too many requests from here.",
        "Wait some minutes and try again: what is stored stays. With a token more requests are allowed.",
    ),
    "hub.unreachable": (
        "platform",
        "{host} was not reached: {detail}.",
        "Look whether the platform may reach it; HF_ENDPOINT names a mirror inside your network. Then try again.",
    ),
    "hub.torn": (
        "platform",
        "The file {file} did not arrive whole: {detail}.",
        "Try again: what is stored stays.",
    ),
    "folder.off": (
        "user",
        "Models are not taken from folders of this server.",
        "Ask the operator to name the folders in WHETSTONE_MODEL_FOLDERS, or upload the files.",
    ),
    "folder.outside": (
        "user",
        "“{folder}” lies outside of the folders that models may be taken from.",
        "Choose a folder below one of: {roots}.",
    ),
    "folder.not_found": ("user", "There is no folder “{folder}” on the server.", "Check the path."),
    "folder.leads_out": (
        "user",
        "“{file}” is a link that leads out of the folders that models may be taken from.",
        "Put the file itself there.",
    ),
    "folder.changed": ("user", "The file {file} changed while it was read.", "Wait until it is whole, and try again."),
    "folder.admins_only": (
        "user",
        "Taking a model from a folder of the server takes an API key with the scope “admin”.",
        "Make a key with that scope under Settings.",
    ),
    "upload.wrong_place": (
        "user",
        "{file} has come up to byte {received}, and this part begins at {offset}.",
        "Go on at byte {received}.",
    ),
    "upload.no_such_file": (
        "user",
        "The import names no file “{file}”.",
        "Send the files that were announced when it was begun.",
    ),
    "model.only_pickles": (
        "user",
        "The model's weights are pickles, and reading a pickle can run code: {files}.",
        "Convert them: load the model with transformers where you trust it, and save it again with "
        "save_pretrained(folder, safe_serialization=True).",
    ),
    "model.no_weights": (
        "user",
        "There are no weights: no file model.safetensors, and none like model-00001-of-00003.safetensors.",
        "Take a folder as transformers' save_pretrained writes it.",
    ),
    "model.no_config": (
        "user",
        "There is no config.json, so nobody knows what the weights are.",
        "Take a folder as transformers' save_pretrained writes it.",
    ),
    "model.too_many_files": ("user", "A model has at most {most} files here.", "Save it in larger shards."),
    "model.broken_json": (
        "data",
        "{file} cannot be read: {detail}.",
        "Take the file anew from where the model comes from.",
    ),
    "model.broken_weights": (
        "data",
        "{file} is no safetensors file that can be trusted: {detail}.",
        "Take the file anew from where the model comes from, or save the model again.",
    ),
    "model.shard_missing": (
        "data",
        "The index says that {tensor} lies in {file}, and that file is not there.",
        "Add the file.",
    ),
    "model.tensor_missing": (
        "data",
        "The index says that {tensor} lies in {file}, and it does not.",
        "Take index and weights from the same version of the model.",
    ),
    "model.layers_missing": (
        "data",
        "config.json says that the model has {claimed} layers, and the weights of these are missing: {missing}.",
        "Take config and weights from the same version of the model.",
    ),
    "model.config_lies": (
        "data",
        "The tensor {tensor} is of shape {shape}, and config.json says {name} = {claimed}.",
        "Take config and weights from the same version of the model.",
    ),
    "model.not_text": (
        "user",
        "The model ({architecture}) sees or hears, and what is trained here reads and writes text alone.",
        "Take a text model, or save the text part of it as a model of its own.",
    ),
    "model.own_code": (
        "user",
        "Only code that comes with the model knows what {architecture} is, and such code is never run here.",
        "Take a model whose class transformers has itself.",
    ),
    "model.no_head": (
        "user",
        "The class {architecture} has no head: it neither writes text nor gives a score.",
        "Take the model that ends in ForCausalLM or ForSequenceClassification.",
    ),
    "model.many_labels": (
        "user",
        "The model ({architecture}) sorts into {labels} classes, and a reward model gives one score.",
        "Take a reward model: one label.",
    ),
    "model.unknown_architecture": (
        "user",
        "Training does not know the class {architecture}.",
        "Take a decoder that writes text and that transformers has itself.",
    ),
    "model.is_quantized": (
        "user",
        "The weights of “{model}” are quantized ({quantization}), and training needs them as they were.",
        "Choose the model that they were quantized from.",
    ),
    "model.no_chat_template": (
        "user",
        "The tokenizer of “{model}” has no chat template, so nobody can say how it reads a conversation.",
        "Choose the instruct or chat version of the model, or import it again with a chat_template.jinja beside it.",
    ),
    "model.is_adapter": (
        "user",
        "“{model}” is an adapter alone, and only a training merges it into its base.",
        "Start a job from it: the model that comes out can be asked.",
    ),
    "model.has_adapters": (
        "user",
        "Adapters need the model “{model}”: {adapters}.",
        "Delete these adapters first.",
    ),
    "adapter.no_base": (
        "user",
        "This is an adapter for “{base}”, and no model of that name is in the hub.",
        "Import “{base}” first, under that name, and then try again.",
    ),
    "adapter.wrong_base": (
        "user",
        "This adapter does not fit “{base}”: {detail}.",
        "Import the model that the adapter was trained on.",
    ),
    "adapter.not_lora": (
        "user",
        "This is an adapter of the kind “{kind}”, and LoRA alone is merged here.",
        "Merge it into its base where it was trained, and import the whole model.",
    ),
    "template.too_slow": (
        "user",
        "The chat template takes too long: it was stopped after {seconds} seconds.",
        "Do not train with this model as it is: the template would hold every conversation up.",
    ),
    "template.broken": (
        "user",
        "The chat template fails: {detail}",
        "Mend it, and import the model anew.",
    ),
    "template.none": ("user", "The model has no chat template.", "Conversations cannot be written out for it."),
    "template.no_jail": (
        "platform",
        "The template was not run: {detail}",
        "Ask the operator: templates run in the same jail as graders' code.",
    ),
}
