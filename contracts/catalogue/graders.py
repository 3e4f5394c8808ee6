"""What is wrong with graders, evaluators, and what they ask."""

from contracts.catalogue.entry import Entry

GRADERS: dict[str, Entry] = {
    "evaluator.not_found": (
        "user",
        "There is no evaluator “{evaluator}” here.",
        "Save it in the evaluator builder, or name another version.",
    ),
    "evaluator.changed_meanwhile": (
        "user",
        "“{newest}” was saved by {author} on {at}, and you started from another version. Nothing was overwritten.",
        "Compare it with yours, then save again on top of version {number}, or under another name.",
    ),
    "evaluator.too_large": (
        "grader",
        "The grader's JSON has {size_kb} KB, and {most_kb} KB are the most.",
        "Move texts that differ from row to row into columns of the dataset, and read them as “item.…”.",
    ),
    "evaluator.in_use": (
        "user",
        "Jobs still use this evaluator: {jobs}.",
        "Keep it: these jobs could not be understood without it. A changed grader can become its next version.",
    ),
    "evaluator.missing": (
        "user",
        "The method {method} needs an evaluator.",
        "Choose an evaluator, or put a grader into the method.",
    ),
    "evaluator.invalid": ("grader", "{detail}", "Correct the grader at the place that is named."),
    "evaluator.column_missing": (
        "grader",
        "The evaluator reads “item.{column}”, and the dataset has no such column. Its columns are: {columns}.",
        "Map a column of that name, or change the evaluator's template.",
    ),
    "evaluator.model_missing": (
        "grader",
        "The evaluator asks the reward model “{model}”, and there is no such model here.",
        "Train a reward model, or name one of the model hub in the evaluator.",
    ),
    "evaluator.judge_missing": (
        "grader",
        "The evaluator asks the judge “{judge}”, and there is none of that name here. There are: {judges}.",
        "Name one of them in the evaluator, or add the judge in the settings.",
    ),
    "evaluator.judge_misspelt": (
        "grader",
        "The evaluator asks the judge “{judge}”, and there is none of that name here; did you mean {guess}? There are: "
        "{judges}.",
        "Name one of them in the evaluator, or add the judge in the settings.",
    ),
    "judge.name_taken": (
        "user",
        "There is a judge “{judge}” already.",
        "Choose another name, or delete that one first.",
    ),
    "secret.unreadable": (
        "platform",
        "The secret “{secret}” cannot be read: the platform's secret key has changed since it was stored.",
        "Store the secret again under the same name, or give the platform its former WHETSTONE_SECRET_KEY.",
    ),
    "evaluator.too_many_rows": (
        "user",
        "An evaluator that asks judges or web services is tried on at most {most} rows at once.",
        "Choose fewer rows.",
    ),
    "evaluator.secret_missing": (
        "grader",
        "The evaluator refers to the secret “{secret}”, and there is none of that name here.",
        "Add the secret in the settings, or correct its name in the evaluator.",
    ),
    "judge.in_use": (
        "user",
        "Judges still use this secret: {judges}.",
        "Delete these judges first, or give them another key.",
    ),
    "evaluator.not_a_reward_model": (
        "grader",
        "The evaluator asks “{model}” for scores, and that is no reward model.",
        "Name a model in the evaluator that was trained by the method reward_model.",
    ),
    "evaluator.template_failed": (
        "grader",
        "The chat template of the reward model “{model}” cannot write a conversation with the turns {roles}: {detail}",
        "Name another reward model in the evaluator, or choose rows with turns that its template knows.",
    ),
    "grader.always_fails": (
        "grader",
        "The evaluator could not score a single answer: {detail}",
        "Open the evaluator, try it on one of these answers, and mend what it reports.",
    ),
    "grader.no_jail": (
        "platform",
        "The evaluator runs code, and this worker cannot hold code back: {detail}",
        "Ask the operator, or use an evaluator without Python and code tests.",
    ),
    "grader.mostly_unscored": (
        "grader",
        "Of the last {of} answers {lost} could not be scored: {detail}",
        "Look at the judge or service that is named, or try the evaluator on one of these answers. Then clone the job.",
    ),
    "grader.constant": (
        "grader",
        "Every answer of the first {batches} batches got the same score, {score}: there was nothing to learn from.",
        "Look at the rollouts. If the score is wrong, mend the evaluator. If it is right, choose rows that the model "
        "gets right now and then, or give points for a part of the answer.",
    ),
}
