"""Saying what the columns are."""

from contracts.dataset import Column, ColumnMapping
from contracts.fault import Fault
from whetstone.accounts.models import User
from whetstone.artifacts.store import open_blob
from whetstone.datasets.keep import Contents, keep_after
from whetstone.datasets.models import DatasetVersion
from whetstone.datasets.statistics import prove


def map_columns(user: User, version: DatasetVersion, columns: tuple[Column, ...]) -> DatasetVersion:
    """The same file with another mapping, as the dataset's next version. Every row is read once to prove it.

    Raises:
        Fault: dataset.column_missing, dataset.not_mapped, dataset.row_invalid.
    """
    for column in columns:
        if column.name not in version.columns:
            raise Fault("dataset.column_missing", column=column.name, columns=", ".join(version.columns))
    mapping = ColumnMapping(columns=columns)
    if not mapping.has_question:
        raise Fault("dataset.not_mapped", dataset=str(version))
    with open_blob(version.blob) as file:
        answers = prove(file, mapping)
    contents = Contents(
        blob=version.blob,
        filename=version.filename,
        purpose=version.purpose,
        rows=version.rows,
        columns=version.columns,
        offsets=version.offsets,
        lines=version.lines,
        mapping=mapping,
        answers=answers,
        origin=version.origin,
    )
    return keep_after(user, version, contents)
