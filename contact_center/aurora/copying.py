"""Rows into PostgreSQL by COPY, with ids known beforehand so that rows can point at each other."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.fields import NOT_PROVIDED

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def cell(value: Any) -> str:
    """A value in the text format of COPY. Aware datetimes, dates, numbers, text, bytes, lists of JSON columns,
    tuples of plain words for array columns."""
    if value is None:
        return NULL
    if type(value) is str and value.isprintable() and "\\" not in value:
        return value
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, tuple):
        return "{" + ",".join(value) + "}"
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


class Table:
    """Collects rows of one model for one COPY. Fields that are not given take the model's default.

    Ids continue after the highest one there is, so nobody else may insert meanwhile.
    """

    def __init__(self, model: type[models.Model], **constant: Any) -> None:
        fields = [one for one in model._meta.concrete_fields if not one.generated]
        self.name = model._meta.db_table
        self.columns = [field.column for field in fields]
        self.index = {field.attname: number for number, field in enumerate(fields)}
        self.defaults = [cell(constant.get(field.attname, _default(field))) for field in fields]
        self.count = 0
        self._lines: list[str] = []
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT coalesce(max(id), 0) FROM "{self.name}"')  # noqa: S608
            self.last_id = int(cursor.fetchone()[0])

    def add(self, **values: Any) -> int:
        """Keep a row until it is taken; returns its id. Raises KeyError for an unknown field."""
        self.last_id += 1
        row = self.defaults.copy()
        index = self.index
        row[index["id"]] = str(self.last_id)
        for name, value in values.items():
            row[index[name]] = cell(value)
        self._lines.append("\t".join(row))
        return self.last_id

    def taken(self) -> tuple[str, str] | None:
        """What was kept since the last time, as a statement and its data; None for nothing."""
        if not self._lines:
            return None
        self.count += len(self._lines)
        data = "\n".join(self._lines) + "\n"
        self._lines.clear()
        columns = ", ".join(f'"{column}"' for column in self.columns)
        return f'COPY "{self.name}" ({columns}) FROM STDIN', data

    def count_on(self) -> None:
        """Let the database give the next row the next id."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [f'"{self.name}"', self.last_id])


class Writer:
    """Sends rows in the caller's transaction while the next ones are being made: one thread, one batch at a time."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._link = connection.connection
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="copy")
        self._running: Future[None] | None = None

    def send(self, tables: Iterable[Table]) -> None:
        """Begin to write what these tables kept, in their order. Raises psycopg2.Error of the batch before."""
        batch = [taken for table in tables if (taken := table.taken())]
        self.wait()
        self._running = self._pool.submit(self._copy, batch)

    def wait(self) -> None:
        """Return when everything is written. Raises psycopg2.Error when the database refused a row."""
        if self._running is not None:
            running, self._running = self._running, None
            running.result()

    def close(self) -> None:
        """Stop the thread after its batch."""
        self._pool.shutdown()

    def _copy(self, batch: list[tuple[str, str]]) -> None:
        with self._link.cursor() as cursor:
            for statement, data in batch:
                cursor.copy_expert(statement, io.StringIO(data))


def _default(field: models.Field[Any, Any]) -> Any:
    """What a row has where nothing is said; times are always said, so they stand empty here."""
    if isinstance(field, ArrayField):
        return ()
    if field.default is NOT_PROVIDED or callable(field.default):
        if field.default in (list, dict):
            return field.default()
        return None if field.null or not isinstance(field, models.CharField | models.TextField) else ""
    return field.default
