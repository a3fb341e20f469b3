"""Too many slow requests queue or are refused politely; a restarted database costs at most one failure a connection."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.faults.stack import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]


def sessions_of_web():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]


@pytest.mark.slow
def test_D3_four_hundred_slow_requests_at_once_give_no_error_and_few_sessions(make_lab, desk):
    lab = make_lab()
    lab.start_web()
    most, done = [0], threading.Event()

    def watch():
        while not done.is_set():
            most[0] = max(most[0], sessions_of_web())
            time.sleep(0.1)
        connection.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(400) as pool:
        answers = Counter(status for status, _ in pool.map(lambda _: lab.get("/slow/?s=0.2", 60), range(400)))
    done.set()
    watcher.join(10)
    print(f"D3: 400 slow requests: {dict(answers)}, {most[0]} backends")
    assert set(answers) <= {200, 503}
    assert answers[200] >= 200
    assert most[0] <= 40


def test_D4_ended_sessions_cost_at_most_one_failure_each_and_recover(make_lab, desk):
    lab = make_lab()
    lab.start_web()
    answers, done = [], threading.Event()

    def ask():
        while not done.is_set():
            status, _ = lab.get("/slow/?s=0.01", 10)
            answers.append((time.monotonic(), status))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(answers) > 50, 20, "the server is under load")
    sessions = sessions_of_web()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
    ended_at = time.monotonic()
    time.sleep(3)
    done.set()
    for thread in threads:
        thread.join(15)
    failed = [at - ended_at for at, status in answers if status != 200]
    kinds = sorted({status for _, status in answers})
    last = max(failed, default=0.0)
    print(f"D4: {sessions} sessions ended: {len(failed)} failures {kinds}, the last {last:.2f} s after")
    assert len(failed) <= sessions
    assert set(kinds) <= {200, 503}
    assert last <= 2.0
