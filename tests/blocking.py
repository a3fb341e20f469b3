"""For tests of two sessions that want the same rows."""

import time

from django.db import connection


def until_somebody_waits():
    """Come back when another session of this database waits for a lock; after five seconds anyway."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees the same sessions all along
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
