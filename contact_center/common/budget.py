"""Time budgets for questions whose price nobody knows beforehand, such as searches."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg2.errors import QueryCanceled


class OutOfTime(Exception):
    """The database did not answer within the time that was given."""


@contextmanager
def within(milliseconds: int) -> Iterator[None]:
    """Let each statement inside take at most that long. Raises OutOfTime; the connection and the caller's transaction
    go on as if nothing had been asked."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "WITH before AS MATERIALIZED (SELECT current_setting('statement_timeout') AS value)"
                " SELECT value, set_config('statement_timeout', %s, true) FROM before",
                [str(milliseconds)],
            )
            before = cursor.fetchone()[0]
            yield
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise OutOfTime from None
        raise
