"""What went wrong, said so that the person who reads it can act on it."""

from typing import Literal

from pydantic import model_validator

from contracts import Contract, Printed

Cause = Literal["user", "data", "grader", "capacity", "platform"]

# code -> (who can mend it, what happened, what to do next). The texts are gettext message ids:
# `{name}` is filled from the fault's params after translation.
CATALOGUE: dict[str, tuple[Cause, str, str]] = {
    "request.invalid": ("user", "{detail}", "Correct the field and send it again."),
    "request.not_json": ("user", "This is not JSON: {detail}", "Send a JSON object."),
    "model.not_found": (
        "user",
        "There is no model “{model}” here.",
        "Choose one of the models in the model hub.",
    ),
    "model.in_use": (
        "user",
        "Jobs still refer to the model “{model}”: {jobs}.",
        "Keep it: these jobs could not be understood without what they began with.",
    ),
    "permission.not_found": ("user", "There is no permission “{permission}” here.", "It may have been deleted before."),
    "team.not_found": (
        "user",
        "You belong to no team “{team}”.",
        "Name teams that you are a member of, by the short name that their models bear.",
    ),
    "model.is_reward_model": (
        "user",
        "“{model}” is a reward model: it scores answers and cannot write any, which the method {method} needs.",
        "Choose the model that it was trained from, or another one that writes text.",
    ),
    "model.not_safetensors": (
        "user",
        "“{file}” is no safetensors file: weights and states in other forms can carry code, and are not read.",
        "Convert the model to safetensors, and leave the other files out.",
    ),
    "adapter.not_found": (
        "user",
        "The model “{model}” has no adapter: it is whole.",
        "Export the model itself.",
    ),
    "file.not_found": (
        "user",
        "“{model}” has no file “{file}”.",
        "Choose one of the files that its page lists.",
    ),
    "artifact.lost": (
        "platform",
        "The file {path} is not whole in the platform's store.",
        "Ask the operator to run `manage.py doctor` and to put the file back from a backup.",
    ),
    "dataset.not_found": (
        "user",
        "There is no dataset “{dataset}” here.",
        "It may have been deleted: choose another, or upload the file.",
    ),
    "dataset.too_large": (
        "data",
        "The file is larger than {limit_mb} MB.",
        "Split the file, or ask the operator to raise WHETSTONE_MAX_UPLOAD_MB.",
    ),
    "dataset.empty": ("data", "The file holds no rows.", "Upload a file with one JSON object a line."),
    "dataset.broken_line": (
        "data",
        "Line {line}: {detail}",
        "Mend this line and upload the file again. Nothing of it was kept.",
    ),
    "dataset.column_missing": (
        "data",
        "The dataset has no column “{column}”. Its columns are: {columns}.",
        "Map another column, or choose another dataset.",
    ),
    "dataset.not_mapped": (
        "data",
        "Nobody has said yet which column of “{dataset}” holds what.",
        "Open the dataset and map its columns.",
    ),
    "dataset.wrong_shape": (
        "data",
        "The method {method} needs rows of shape {needed}, and “{dataset}” is of shape {shape}.",
        "Map the dataset's columns for this method, or choose another dataset.",
    ),
    "dataset.ungraded_prompts": (
        "data",
        "“{dataset}” holds no rows of shape {needed}: the method {method} can only ask the model its prompts, and "
        "nothing says how good its answers are.",
        "Choose an evaluator that scores them, or another held-out dataset.",
    ),
    "dataset.unanswered": (
        "data",
        "Row {row} of “{dataset}” holds no answer to imitate. So do {others} more rows.",
        "Give every row an answer, or choose a method that samples its own.",
    ),
    "dataset.empty_answer": (
        "data",
        "Row {row} of “{dataset}” holds an empty answer: there is nothing to learn from it. So do {others} more.",
        "Fill these answers or take the rows out, and upload the file again.",
    ),
    "dataset.equal_pairs": (
        "data",
        "In all {rows} pairs of “{dataset}” the chosen answer is the rejected one: there is nothing to learn.",
        "Check which columns are mapped as chosen and rejected.",
    ),
    "dataset.one_label": (
        "data",
        "All {rows} answers of “{dataset}” are labelled {label}, and the method {method} needs good and bad ones.",
        "Add rows of the other kind, or choose another method.",
    ),
    "dataset.held_out_is_training": (
        "data",
        "The held-out dataset is the file that is trained on: its score will say nothing about other rows.",
        "Split the dataset on its page, and choose one part for each.",
    ),
    "dataset.split_empty": (
        "user",
        "This split would leave no row on one of its sides: {rows} rows have {prompts} different prompts.",
        "Choose another share, or a dataset with more prompts.",
    ),
    "dataset.row_invalid": (
        "data",
        "Row {row}: {detail}",
        "Mend the row and upload a new version of the dataset, or map its columns differently.",
    ),
    "dataset.too_long": (
        "data",
        "All {rows} rows are too long: {context} tokens fit.",
        "Choose a model with a longer context, raise max_length if it is set, or shorten the rows.",
    ),
    "dataset.in_use": (
        "user",
        "Jobs still use this dataset: {jobs}.",
        "Keep it: these jobs could not be understood without it. A new file can become its next version.",
    ),
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
    "webhook.not_found": (
        "user",
        "There is no webhook endpoint “{endpoint}” here.",
        "It may have been deleted: look under Settings, or list them at /v1/webhook_endpoints.",
    ),
    "delivery.not_found": (
        "user",
        "There is no delivery “{delivery}” here.",
        "Deliveries that have ended are kept for 30 days.",
    ),
    "webhook.unreachable": (
        "user",
        "Nobody answered at {url}: {detail}.",
        "Look whether it is up. An address of your own network has to be named in WHETSTONE_PRIVATE_HOSTS.",
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
    "pool.not_found": ("user", "There is no pool “{pool}”.", "Choose one of: {pools}."),
    "job.not_found": ("user", "There is no job “{job}” here.", "Look it up in the list of jobs."),
    "job.no_rollouts": (
        "user",
        "There are no stored answers of the job “{job}”.",
        "Choose a job that sampled answers not long ago, or rows of a dataset. Answers are thrown away some time after "
        "their job has ended.",
    ),
    "job.already_ended": ("user", "The job has already ended: {status}.", "Clone the job to run it again."),
    "job.not_possible": (
        "user",
        "A job that is {status} cannot be {wanted}.",
        "Reload the page to see where it stands.",
    ),
    "job.integration_ignored": (
        "user",
        "Metrics stay on this platform: nothing is sent to {integration}.",
        "Look at the job's page, or read its events and its result file over the API.",
    ),
    "job.process_died": (
        "platform",
        "The training process ended before it was done ({how}).",
        "Read the end of the log below. If it repeats, lower batch_size or max_completion_length and clone the job.",
    ),
    "job.out_of_memory": (
        "capacity",
        "The training process was killed, most likely because memory ran out ({how}).",
        "Clone the job with {smaller}, or choose a larger pool.",
    ),
    "job.training_failed": (
        "platform",
        "Training stopped with an error: {detail}",
        "Read the end of the log below; it names the place.",
    ),
    "job.worker_lost": (
        "platform",
        "The worker fell silent, {attempts} times in a row.",
        "Look at the worker's machine and its log, then clone the job.",
    ),
    "job.hung": (
        "platform",
        "The training did not finish a step for {minutes} minutes, where one usually takes {usual_s} seconds.",
        "Read the end of the log below. It was killed and goes on from its last checkpoint.",
    ),
    "job.hung_before_a_step": (
        "platform",
        "The training was silent for {minutes} minutes and had not finished a step yet.",
        "Read the end of the log below. It was killed and begins again where this attempt began.",
    ),
    "job.report_refused": (
        "platform",
        "The platform refused what the worker reported: {detail}",
        "See below what was refused. If it repeats, bring worker and platform to the same version, and clone the job.",
    ),
    "checkpoint.damaged": (
        "platform",
        "The checkpoint of step {step} is damaged: {detail}",
        "Nothing: the job goes on from the checkpoint before it.",
    ),
    "checkpoint.not_found": (
        "user",
        "The job has no whole checkpoint of step {step}.",
        "Choose one of those that the job's page lists: only the newest and the best are kept.",
    ),
    "checkpoint.is_adapter": (
        "user",
        "The checkpoint of step {step} holds an adapter. Only a worker can merge it into its base, at the job's end.",
        "Download the adapter, or take the model that the job makes when it ends.",
    ),
    "worker.disk_full": (
        "capacity",
        "The disk of the worker “{worker}” is full: {free_mb} MB are free, and the job needs more than {needed_mb} MB.",
        "Free some space on the worker's machine, or lower WHETSTONE_CACHE_GB. Earlier checkpoints are unharmed.",
    ),
    "job.worker_restarted": (
        "platform",
        "The worker that carried the job out began anew.",
        "Nothing: the job goes on from its last checkpoint.",
    ),
    "job.loss_not_finite": (
        "user",
        "The loss became {value} at step {step}.",
        "Lower learning_rate or max_grad_norm, and clone the job.",
    ),
    "lora.no_target": (
        "user",
        "No layer of the model matches the LoRA targets {targets}.",
        "Use “all-linear”, or name layers that the model has: {layers}.",
    ),
    "lora.output_layer": (
        "user",
        "The output layer {layer} cannot have an adapter: the loss reads its weights directly.",
        "Take it out of the LoRA targets, or use “all-linear”, which leaves it out.",
    ),
    "upload.not_found": (
        "user",
        "There is no upload “{upload}” here.",
        "Begin a new one: an upload is forgotten a day after its hour.",
    ),
    "upload.not_pending": (
        "user",
        "The upload is {status}.",
        "Begin a new one: an upload takes parts for an hour, until it is completed or cancelled.",
    ),
    "upload.wrong_parts": (
        "user",
        "The parts do not make the file that was announced: {detail}.",
        "Name each part once and in order, so that together they have the announced number of bytes.",
    ),
    "upload.wrong_md5": (
        "user",
        "What arrived has the MD5 {found}, which is not the one that was given.",
        "Send the parts again: one of them was changed on the way.",
    ),
    "upload.too_large": (
        "user",
        "The file is larger than {limit_mb} MB.",
        "Split the file, or ask the operator to raise WHETSTONE_MAX_PARTS_MB.",
    ),
    "upload.interrupted": ("user", "The upload broke off.", "Send the file again. Nothing of it was kept."),
    "platform.disk_low": (
        "platform",
        "The platform's disk is nearly full: {free_gb} GB are free, and below {least_gb} GB it takes nothing new.",
        "Ask the operator to free some space. Jobs that run go on.",
    ),
    "platform.disk_full": (
        "platform",
        "The platform's disk is full.",
        "Ask the operator to free some space. A job that it stopped goes on from its last checkpoint.",
    ),
    "auth.missing": ("user", "No API key was given.", "Send the header “Authorization: Bearer <key>”."),
    "auth.invalid": ("user", "This API key is not valid.", "Make a new key under Settings."),
    "auth.expired": ("user", "This API key expired on {at}.", "Make a new key under Settings."),
    "auth.revoked": ("user", "This API key was revoked on {at}.", "Make a new key under Settings."),
    "auth.scope_missing": (
        "user",
        "This takes an API key with the scope “{scope}”, and this one has: {scopes}.",
        "Make a key with that scope under Settings.",
    ),
    "rate.exceeded": (
        "user",
        "This key may send {limit} requests a minute, and has.",
        "Wait {seconds} seconds. Lists bring many rows in one request, and a stream of events replaces asking again.",
    ),
    "replay.other_request": (
        "user",
        "The idempotency key “{key}” was used for another request.",
        "Draw a new key for each request, and repeat one only with the very same address and body.",
    ),
    "replay.in_progress": (
        "user",
        "The request with the idempotency key “{key}” is still being answered.",
        "Wait a second and send it again: then it gets the same answer.",
    ),
    "body.too_large": (
        "user",
        "The request is larger than {limit_mb} MB.",
        "Send less at once. Files go to /v1/files, and large ones in parts to /v1/uploads.",
    ),
    "body.too_slow": (
        "user",
        "For {seconds} seconds nothing more of the request arrived.",
        "Send it again.",
    ),
    "name.taken": ("user", "The name “{name}” is taken.", "Choose another name."),
}


class FaultReport(Contract):
    """A fault as it is stored, sent and shown."""

    code: str
    params: dict[str, Printed | int | float] = {}
    field: str | None = None
    """Path of the field at fault, like `method.grpo.hyperparameters.batch_size`."""
    evidence: Printed | None = None
    """What was seen: the end of a log, a traceback, a line of the file."""

    @model_validator(mode="after")
    def can_be_said(self) -> "FaultReport":
        """A fault that nobody can read out would break every page of its job."""
        try:
            _ = self.message, self.next_step
        except KeyError as missing:
            raise ValueError(f"nobody knows {missing} of the fault {self.code}") from None
        return self

    @property
    def cause(self) -> Cause:
        return CATALOGUE[self.code][0]

    @property
    def message(self) -> str:
        return CATALOGUE[self.code][1].format(**self.params)

    @property
    def next_step(self) -> str:
        return CATALOGUE[self.code][2].format(**self.params)


class Fault(Exception):
    """Raised where something is wrong that a user can understand and mend."""

    def __init__(
        self,
        code: str,
        *,
        field: str | None = None,
        evidence: str | None = None,
        **params: str | int | float,
    ) -> None:
        self.report = FaultReport(code=code, params=params, field=field, evidence=evidence)
        super().__init__(self.report.message)
