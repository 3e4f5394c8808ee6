"""Rows that every request looks up in the same way. Django takes longer to write such a query than to run it."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)
Value = str | int


class Lookup(Generic[M]):
    """A query whose SQL is written once. Its rows come as a QuerySet brings them, with what `select_related` names.

    `rows` makes the query of some values. They stand in its SQL in their order; Django sorts the keywords of a filter.
    """

    def __init__(self, rows: Callable[..., QuerySet[M]]) -> None:
        self._rows = rows
        self._written: dict[str, _Written[M]] = {}
        """By the kind of database."""

    def first(self, *values: Value) -> M | None:
        return next(iter(self.all(*values)), None)

    def all(self, *values: Value) -> list[M]:
        written = self._written.get(connection.vendor)
        if written is None:
            marks = tuple(str(n) if isinstance(value, str) else n for n, value in enumerate(values))
            written = self._written[connection.vendor] = _Written(self._rows(*marks), marks)
        return written.all(values)


class _Written(Generic[M]):
    """What Django's own iteration over a QuerySet works out before its first row."""

    def __init__(self, rows: QuerySet[M], marks: tuple[Value, ...]) -> None:
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, found = compiler.as_sql()
        assert found == marks, f"the values stand in the SQL in another order: {found}"
        assert compiler.klass_info is not None
        self._model: type[M] = compiler.klass_info["model"]
        own = compiler.klass_info["select_fields"]
        self._end = own[-1] + 1  # a model's own columns come first
        self._names = [column.target.attname for column, *_ in compiler.select[: self._end]]
        about = (compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS)
        self._beside = get_related_populators(*about)  # type: ignore[call-arg]  # the stubs are of a newer Django
        self._converters = compiler.get_converters([column for column, *_ in compiler.select]).items()

    def all(self, values: tuple[Value, ...]) -> list[M]:
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            return [self._object([*row]) for row in cursor.fetchall()]

    def _object(self, row: list[Any]) -> M:  # Any: whatever a column holds
        for place, (converters, column) in self._converters:
            for convert in converters:
                row[place] = convert(row[place], column, connection)
        made = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[: self._end])
        for one in self._beside:
            one.populate(row, made)
        return made
