"""Celery beat while holding an advisory lock: `python -m contact_center.beat`.

A second beat waits instead of doubling ticks. Loads the settings and Celery, no apps: it only names tasks.
"""

import os
import signal
import sys
import threading
import time
from contextlib import closing
from typing import Any

import psycopg2
from celery.beat import Service

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contact_center.settings")

LOCK_KEY = 0x636F6E74_62656174  # "contbeat"


def main() -> None:
    """Lead and tick until stopped; wait while another beat leads or the database is away."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    while True:
        try:
            session = _connect()
        except psycopg2.Error:
            session = None
        if session is not None:
            with closing(session):  # not `with session`, which would hold one transaction open all the while
                if _leads(session):
                    _tick_while_leading(session)
        time.sleep(2)


def _connect() -> Any:
    """An own connection: the lock lives as long as it does."""
    from django.db import connection

    parameters = connection.get_connection_params()
    session = psycopg2.connect(**{k: v for k, v in parameters.items() if k not in ("cursor_factory", "context")})
    session.autocommit = True
    return session


def _leads(session: Any) -> bool:
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
        return bool(cursor.fetchone()[0])


def _tick_while_leading(session: Any) -> None:
    from contact_center.celery import app
    from contact_center.common.schedule import LosableScheduler

    service = Service(app, scheduler_cls=LosableScheduler)
    thread = threading.Thread(target=service.start, kwargs={"embedded_process": True}, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            time.sleep(1)
            with session.cursor() as cursor:
                cursor.execute("SELECT 1")
    except psycopg2.Error as error:
        print(f"beat lost the database ({type(error).__name__}); waiting to lead again", file=sys.stderr)  # noqa: T201
    finally:
        service.stop(wait=False)


if __name__ == "__main__":
    main()
