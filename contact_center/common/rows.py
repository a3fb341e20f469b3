"""Reading and writing single rows with statements that are put together once per table, where that cost was measured.

`Model.save` compiles its SQL anew each time, which is half the price of taking in a message (`make bench`).
"""

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
    fields = [field for field in model._meta.concrete_fields if not (field.primary_key or field.generated)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({marks}) RETURNING id', fields  # noqa: S608


@cache
def _update_statement(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    stamp = [field.name for field in model._meta.concrete_fields if getattr(field, "auto_now", False)]
    fields: list[Any] = [model._meta.get_field(name) for name in dict.fromkeys([*names, *stamp])]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    return f'UPDATE "{model._meta.db_table}" SET {columns} WHERE id = %s', fields  # noqa: S608
