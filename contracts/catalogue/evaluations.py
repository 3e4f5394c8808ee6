"""What is wrong with an evaluation, or with a comparison of two."""

from contracts.catalogue.entry import Entry

EVALUATIONS: dict[str, Entry] = {
    "evaluation.not_found": (
        "user",
        "There is no evaluation “{evaluation}” here.",
        "Look it up in the list of evaluations.",
    ),
    "evaluation.reward_model": (
        "user",
        "“{model}” is a reward model: it scores answers and cannot write any.",
        "Evaluate a model that writes text. A reward model can be part of the evaluator.",
    ),
    "evaluation.no_evaluator": (
        "user",
        "An evaluation needs an evaluator: it says how good an answer is.",
        "Choose a saved evaluator, or give a grader.",
    ),
    "evaluation.no_room": (
        "user",
        "Answers of {longest} tokens leave no room for a prompt: “{model}” reads {context} tokens, prompt and answer "
        "together.",
        "Set max_completion_length to at most {most}.",
    ),
    "evaluation.nothing_to_ask": (
        "data",
        "Not one of the {rows} rows can be asked: each prompt is empty, or longer than the {context} tokens that the "
        "model reads leave beside an answer of {longest}.",
        "Lower max_completion_length, or choose a model with a longer context.",
    ),
    "evaluation.template_failed": (
        "data",
        "The model's chat template cannot write row {row}: {detail}",
        "Look which roles the row has and which ones the model's template knows.",
    ),
    "evaluation.not_finished": (
        "user",
        "The evaluation “{evaluation}” is {status}: it has not come to its end.",
        "Wait until it has succeeded, or start it anew.",
    ),
    "evaluation.not_comparable": (
        "user",
        "The two evaluations differ in more than the model: {what}.",
        "Compare evaluations of the same dataset version by the same evaluator version, answered under the same "
        "settings.",
    ),
    "evaluation.bad_requirement": (
        "user",
        "“{text}” is no requirement.",
        "Write one like “delta > 0”. There are: {names}.",
    ),
}
