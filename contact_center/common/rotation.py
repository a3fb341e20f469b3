"""Bringing encrypted values over to the present key, in batches; what is done stays done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import connection, transaction

from contact_center.common import encrypted
from contact_center.common.encrypted import EncryptedTextField

BATCH = 500
Rotate = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Place:
    """One encrypted column: its name, how many values wait for the present key, and what takes some of them over."""

    name: str
    waiting: Callable[[], int]
    rotate: Rotate


_others: dict[str, Place] = {}


def register(place: Place) -> None:
    """Add encrypted values that are no `EncryptedTextField`; call it in an app's `ready()`."""
    _others[place.name] = place


def places() -> list[Place]:
    """Everything that is encrypted here, by name."""
    fields = [
        field
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    ]
    found = [_place_of(field) for field in fields] + list(_others.values())
    return sorted(found, key=lambda place: place.name)


def rotate(place: Place) -> Iterator[int]:
    """Take over batch after batch, each in its own transaction; yields how many each had.

    Raises CannotDecrypt at a value of which the key is gone; everything before it is done.
    """
    while count := place.rotate(BATCH):
        yield count


def _place_of(field: EncryptedTextField) -> Place:
    table, column, key = field.model._meta.db_table, field.column, field.model._meta.pk.column
    present = f"{encrypted.PREFIX}:{encrypted.current_key_id()}:%"
    where = f'"{column}" <> \'\' AND "{column}" NOT LIKE %s'

    def waiting() -> int:
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE {where}', [present])  # noqa: S608
            return int(cursor.fetchone()[0])

    def take_over(limit: int) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f'SELECT "{key}", "{column}" FROM "{table}" WHERE {where} ORDER BY "{key}" LIMIT %s FOR UPDATE',  # noqa: S608
                [present, limit],
            )
            rows = cursor.fetchall()
            fresh = [(encrypted.encrypt(encrypted.decrypt(old, field.place), field.place), pk) for pk, old in rows]
            cursor.executemany(f'UPDATE "{table}" SET "{column}" = %s WHERE "{key}" = %s', fresh)  # noqa: S608
            return len(rows)

    return Place(field.place, waiting, take_over)
