import signal
import threading
import time
from typing import Any

import psycopg2
from celery import current_app
from celery.beat import Service
from django.core.management.base import BaseCommand
from django.db import connection

from contact_center.common.schedule import LosableScheduler

LOCK_KEY = 0x636F6E74_62656174  # "contbeat"


class Command(BaseCommand):
    help = "Runs Celery beat while holding an advisory lock, so that a second beat waits instead of doubling ticks."
    requires_system_checks = []  # they load every page; this process shows none

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while True:
            with self._session() as session:
                if self._leads(session):
                    self._tick_while_leading(session)
            time.sleep(2)

    @staticmethod
    def _stop(*_: Any) -> None:
        raise SystemExit(0)

    @staticmethod
    def _session() -> Any:
        """An own connection: the lock lives as long as it does."""
        parameters = connection.get_connection_params()
        session = psycopg2.connect(**{k: v for k, v in parameters.items() if k not in ("cursor_factory", "context")})
        session.autocommit = True
        return session

    @staticmethod
    def _leads(session: Any) -> bool:
        with session.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
            return bool(cursor.fetchone()[0])

    def _tick_while_leading(self, session: Any) -> None:
        service = Service(current_app, scheduler_cls=LosableScheduler)
        thread = threading.Thread(target=service.start, kwargs={"embedded_process": True}, daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                time.sleep(1)
                with session.cursor() as cursor:
                    cursor.execute("SELECT 1")
        except psycopg2.Error:
            self.stderr.write("beat lost the database; waiting to lead again")
        finally:
            service.stop(wait=False)
