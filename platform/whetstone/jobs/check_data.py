"""Can a method learn from this dataset? Told by what was counted when its columns were mapped."""

from contracts.fault import Fault
from contracts.method import CanonicalMethod
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.serves import fitting, rows_for, why_not, why_not_held_out


def check_held_out(version: DatasetVersion, method: CanonicalMethod, param: str) -> None:
    """What must be true of held-out rows: of training rows too, or else an evaluator scores the model's own answers.

    Raises:
        Fault: what check_rows raises, or dataset.ungraded_prompts.
    """
    if not version.shape or not why_not(version.shape, method):
        return check_rows(version, method, param)
    reward = method.reward
    is_graded = reward is not None and (reward.grader is not None or reward.evaluator is not None)
    if not why_not_held_out(version.shape, method, is_graded=is_graded):
        return None
    if reward is not None and not why_not_held_out(version.shape, method, is_graded=True):
        needed = " / ".join(fitting(method.shape))
        raise Fault("dataset.ungraded_prompts", field=param, method=method.type, needed=needed, dataset=str(version))
    raise _wrong_shape(version, method, param)


def check_rows(version: DatasetVersion, method: CanonicalMethod, param: str) -> None:
    """What must be true of rows that a method learns from.

    Raises:
        Fault: dataset.not_mapped, dataset.unanswered, dataset.wrong_shape, dataset.empty_answer, dataset.equal_pairs.
    """
    if not version.shape:
        raise Fault("dataset.not_mapped", field=param, dataset=str(version))
    if why_not(version.shape, method):
        raise _wrong_shape(version, method, param)
    answers = version.answers
    if empty := answers.empty_for(method.shape):
        raise Fault("dataset.empty_answer", field=param, row=empty.first, dataset=str(version), others=empty.others)
    if method.shape in ("preference", "labelled") and 0 < version.rows == answers.equal:
        raise Fault("dataset.equal_pairs", field=param, rows=version.rows, dataset=str(version))


def _wrong_shape(version: DatasetVersion, method: CanonicalMethod, param: str) -> Fault:
    """A few rows without an answer among many that have one are named; else the whole file is of another kind."""
    answers = version.answers
    if method.shape == "chat" and answers.answered and answers.first_unanswered is not None:
        others = version.rows - answers.answered - 1
        row = answers.first_unanswered
        return Fault("dataset.unanswered", field=param, row=row, dataset=str(version), others=others)
    needed = " / ".join(fitting(method.shape))
    return Fault(
        "dataset.wrong_shape",
        field=param,
        method=method.type,
        needed=needed,
        dataset=str(version),
        shape=version.shape,
    )


def check_labels(version: DatasetVersion, method: CanonicalMethod, param: str) -> None:
    """Raises Fault dataset.one_label: learning from verdicts takes good and bad ones."""
    rows = rows_for(version, method)
    if method.shape != "labelled" or 0 < rows.good < rows.total:
        return
    label = "good" if rows.good else "bad"
    raise Fault(
        "dataset.one_label", field=param, rows=rows.total, dataset=str(version), label=label, method=method.type
    )


def check_apart(training: DatasetVersion, validation: DatasetVersion) -> None:
    """Raises Fault dataset.held_out_is_training for two versions of the same file."""
    if training.blob_id == validation.blob_id:
        raise Fault("dataset.held_out_is_training", field="validation_file")
