"""What is wrong with a job, its method and its settings, or with the platform that carries it out."""

from contracts.catalogue.entry import Entry

JOBS: dict[str, Entry] = {
    "permission.not_found": ("user", "There is no permission “{permission}” here.", "It may have been deleted before."),
    "team.not_found": (
        "user",
        "You belong to no team “{team}”.",
        "Name teams that you are a member of, by the short name that their models bear.",
    ),
    "delivery.not_found": (
        "user",
        "There is no delivery “{delivery}” here.",
        "Deliveries that have ended are kept for 30 days.",
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
    "job.too_big": (
        "capacity",
        "About {needed} GB of memory are needed, and the machines of the pool “{pool}” have {there}.",
        "Try {smaller}, or choose a larger pool.",
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
        "The checkpoint of step {step} holds an adapter over weights that only its job has.",
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
