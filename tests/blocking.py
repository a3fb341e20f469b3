"""For tests of two sessions that want the same rows."""

import threading
import time

from django.db import connection, connections, transaction


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


def at_once(*verbs):
    """Begin these in threads of their own at one moment; what each gave, or the name of what it raised, in order."""
    together, results = threading.Barrier(len(verbs)), [""] * len(verbs)

    def run(number, verb):
        try:
            together.wait(60)
            results[number] = verb()
        except Exception as error:
            results[number] = type(error).__name__
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(verbs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    return results


def while_waiting(first, verb, then=lambda: None):
    """What `verb` gave, which begins once another transaction has done `first`, and waits; then it does `then`."""
    is_done = threading.Event()

    def hold():
        with transaction.atomic():
            first()
            is_done.set()
            until_somebody_waits()
            then()

    return at_once(hold, lambda: is_done.wait(60) and verb())[1]
