"""Reading and writing rows with statements that are put together once per table, where that cost was measured.

`Model.save` compiles its SQL anew each time, which is half the price of taking in a message (`make bench`).
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def fetch_rows(model: type[Row], condition: str, values: list[Any]) -> list[Row]:
    """Whole rows of a table that fulfil `condition`, which is ours and may go on with ORDER BY, LIMIT or FOR UPDATE."""
    sql, names, readers = _select_statement(model)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} WHERE {condition}", values)
        found = [list(row) for row in cursor.fetchall()]
    for row in found:
        for place, read in readers:
            row[place] = read(row[place], None, connection)
    return [model.from_db(connection.alias, names, row) for row in found]


def insert_row(instance: models.Model) -> None:
    """Insert a new instance as `save(force_insert=True)` does and set its id; sends no signals."""
    sql, fields = _insert_statement(type(instance))
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(instance, fields, is_new=True))
        instance.pk = cursor.fetchone()[0]
    instance._state.adding, instance._state.db = False, connection.alias


def update_row(instance: models.Model, *names: str) -> None:
    """Write these fields of a row whose lock the caller holds, and its `updated_at`; sends no signals."""
    sql, fields = _update_statement(type(instance), names)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*_values(instance, fields, is_new=False), instance.pk])


def insert_rows(instances: Sequence[models.Model]) -> None:
    """Insert new instances of one model with one statement and set their ids, as `bulk_create` does at a quarter of its
    price; none is fine. Raises IntegrityError where one of them may not stand, and then none does."""
    if not instances:
        return
    head, fields = _insert_head(type(instances[0]))
    marks = "(" + ", ".join(["%s"] * len(fields)) + ")"
    rows = [_values(instance, fields, is_new=True) for instance in instances]
    with connection.cursor() as cursor:
        cursor.execute(
            f"{head} VALUES {', '.join([marks] * len(rows))} RETURNING id", [value for row in rows for value in row]
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    for instance, pk in zip(instances, ids, strict=True):
        instance.pk = pk
        instance._state.adding, instance._state.db = False, connection.alias


def update_rows(instances: Sequence[models.Model], *names: str) -> None:
    """Write these fields of rows of one model with one statement, as `bulk_update` does at a tenth of its price, and
    their `updated_at`; none is fine. Sends no signals."""
    if not instances:
        return
    sql, fields = _update_many_statement(type(instances[0]), names)
    marks = "(%s" + ", %s" * len(fields) + ")"
    values = [value for row in instances for value in (row.pk, *_values(row, fields, is_new=False))]
    with connection.cursor() as cursor:
        cursor.execute(sql % ", ".join([marks] * len(instances)), values)


def _values(instance: models.Model, fields: list[Any], *, is_new: bool) -> list[Any]:
    return [field.get_db_prep_save(field.pre_save(instance, is_new), connection) for field in fields]


@cache
def _select_statement(model: type[models.Model]) -> tuple[str, list[str], list[tuple[int, Any]]]:
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    readers = [(place, field.from_db_value) for place, field in enumerate(fields) if hasattr(field, "from_db_value")]
    return f'SELECT {columns} FROM "{model._meta.db_table}"', [field.attname for field in fields], readers  # noqa: S608


@cache
def _insert_statement(model: type[models.Model]) -> tuple[str, list[Any]]:
    head, fields = _insert_head(model)
    marks = ", ".join(["%s"] * len(fields))
    return f"{head} VALUES ({marks}) RETURNING id", fields


@cache
def _insert_head(model: type[models.Model]) -> tuple[str, list[Any]]:
    fields = [field for field in model._meta.concrete_fields if not (field.primary_key or field.generated)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    return f'INSERT INTO "{model._meta.db_table}" ({columns})', fields


@cache
def _written_fields(model: type[models.Model], names: tuple[str, ...]) -> list[Any]:
    stamp = [field.name for field in model._meta.concrete_fields if getattr(field, "auto_now", False)]
    return [model._meta.get_field(name) for name in dict.fromkeys([*names, *stamp])]


@cache
def _update_many_statement(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    """With one %s for the rows of values. Their types are named, as NULLs alone have none; without the length, since a
    cast would cut what is too long."""
    fields, table = _written_fields(model, names), model._meta.db_table
    types = [re.sub(r"\(\d+\)", "", str(field.db_type(connection))) for field in fields]
    columns = ", ".join(
        f'"{field.column}" = given."{field.column}"::{kind}' for field, kind in zip(fields, types, strict=True)
    )
    given = ", ".join(f'"{field.column}"' for field in fields)
    sql = f'UPDATE "{table}" SET {columns} FROM (VALUES %s) AS given(id, {given}) WHERE "{table}".id = given.id'  # noqa: S608
    return sql, fields


@cache
def _update_statement(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    fields = _written_fields(model, names)
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    return f'UPDATE "{model._meta.db_table}" SET {columns} WHERE id = %s', fields  # noqa: S608
