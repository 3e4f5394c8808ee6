"""What is wrong with data and models, or with their files."""

from contracts.catalogue.entry import Entry

DATA: dict[str, Entry] = {
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
    "adapter.is_whole": (
        "user",
        "“{model}” is no adapter: there is nothing to merge.",
        "Choose an adapter of the model hub.",
    ),
    "adapter.unmergeable": (
        "data",
        "The adapter “{model}” cannot be merged into its base: {detail}",
        "Check that it belongs to this base; jobs and deployments cannot use it either.",
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
    "suite.unreadable": (
        "data",
        "The file is not laid out as this suite is: {detail}.",
        "Choose another suite, or bring the file as it was published: JSON lines, CSV or parquet.",
    ),
    "suite.no_examples": (
        "data",
        "There are not {shots} worked examples to show the model.",
        "Bring a second file with as many solved questions of the same suite, or ask for fewer.",
    ),
    "suite.no_judge": (
        "user",
        "Open answers are scored by a judge, and none was named.",
        "Choose one of the team's judges. The settings page adds one.",
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
}
