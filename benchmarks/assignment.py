"""Work handed out to 500 people while 10,000 conversations wait: offers a second, and how long one decision takes.

A round is what a worker does after a release: read who is free and what waits, decide, make the offers. Here a round
finds few people free, as in a day's work, and once all of them. The floor is the bare SQL that inserts an offer's row
and moves its interaction, in a transaction each. BENCH_WAITING and BENCH_PEOPLE change the size.
"""

import os
import time
from datetime import timedelta

from benchmarks.machine import Row, environment

WAITING, PEOPLE = int(os.environ.get("BENCH_WAITING", "10000")), int(os.environ.get("BENCH_PEOPLE", "500"))
ROUNDS, FREED = 60, 5
LEAST_A_SECOND, MOST_MILLISECONDS, MOST_WITH_READING = 20.0, 200.0, 1500.0


def measure(database_url: str) -> list[Row]:
    """Offers a second beside bare SQL, and the decision's 99th percentile."""
    os.environ.update(environment(database_url, "http://127.0.0.1:1"), DJANGO_SETTINGS_MODULE="contact_center.settings")
    import django

    django.setup()
    from django.db import connection

    _fill()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    looks, decisions = _decisions()
    rate, made = _all_at_once()
    floor = _bare(made)
    return [
        Row(
            f"work offered to {PEOPLE} free people, {WAITING} waiting", f"{rate:.0f} /s", f"{floor:.0f} /s",
            f"{rate / floor:.0%}", f">= {LEAST_A_SECOND:.0f} /s", rate >= LEAST_A_SECOND and made == PEOPLE,
        ),
        _slowest(f"decision among {PEOPLE} people and {WAITING} waiting, p99", decisions, MOST_MILLISECONDS),
        _slowest("the same with what it reads, p99", looks, MOST_WITH_READING),
    ]  # fmt: skip


def _slowest(name: str, seconds: list[float], most: float) -> Row:
    """The 99th percentile in milliseconds, its median beside it."""
    order = sorted(one * 1000 for one in seconds)
    p99 = order[int(len(order) * 0.99)]
    return Row(name, f"{p99:.0f} ms", f"median {order[len(order) // 2]:.0f} ms", "", f"<= {most:.0f} ms", p99 <= most)


def _fill() -> None:
    from django.utils import timezone

    from contact_center.accounts.models import Presence, Team, TeamMembership, User
    from inbox.models import AgentState, Channel, Interaction, Queue, QueueSettings
    from inbox.selectors.hours import forget_setup

    now = timezone.now()
    team = Team.objects.create(name="Bench", slug="bench")
    queues = [Queue.objects.create(name=f"Queue {n}", slug=f"queue-{n}") for n in range(4)]
    for queue in queues:
        queue.teams.add(team)
        QueueSettings.objects.create(queue=queue, sharing="push", offer_seconds=600)
    channel = Channel.objects.create(
        name="SMS", kind="sms", adapter="twilio_messaging", address="+15005550100", queue=queues[0]
    )
    people = User.objects.bulk_create(User(email=f"p{n}@bench.test", role="agent", password="!") for n in range(PEOPLE))
    TeamMembership.objects.bulk_create(TeamMembership(user=one, team=team) for one in people)
    Presence.objects.bulk_create(Presence(user=one, state="online", since_at=now) for one in people)
    AgentState.objects.bulk_create(AgentState(user=one, idle_since_at=now) for one in people)
    Interaction.objects.bulk_create(
        (
            Interaction(
                channel=channel, channel_kind="sms", queue=queues[n % 4], thread_key=str(n), contact_value=str(n),
                priority=2 + n % 3, waiting_since_at=now - timedelta(seconds=n), opened_at=now, last_message_at=now,
            )
            for n in range(WAITING)
        ),
        batch_size=2000,
    )  # fmt: skip
    forget_setup()


def _decisions() -> tuple[list[float], list[float]]:
    """Seconds of each look at the desk with its decision, and of the decision alone, while a few people are free."""
    from django.utils import timezone

    from inbox.distribution import decide
    from inbox.selectors.distribution import available_agents, waiting_work

    looks, decisions = [], []
    for number in range(ROUNDS):
        begun, now = time.monotonic(), timezone.now()
        agents = available_agents(now)
        for one in agents:
            one.is_asked = (one.id + number) % (PEOPLE // FREED) != 0
        free = sum(not one.is_asked for one in agents)
        works = waiting_work(now, free=free)
        read = time.monotonic()
        pairs = decide(agents, works, now.timestamp())
        looks.append(time.monotonic() - begun)
        decisions.append(time.monotonic() - read)
        assert len(pairs) == free
    return looks, decisions


def _all_at_once() -> tuple[float, int]:
    from inbox.services.assignment import hand_out_work

    begun = time.monotonic()
    made = hand_out_work()
    return made / (time.monotonic() - begun), made


def _bare(count: int) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM inbox_interaction WHERE status = 'offered' ORDER BY id LIMIT %s", [count])
        ids = [pk for (pk,) in cursor.fetchall()]
        cursor.execute("CREATE TABLE bench_offer (LIKE inbox_offer INCLUDING DEFAULTS)")
        cursor.execute("CREATE TABLE bench_work AS SELECT * FROM inbox_interaction")
        cursor.execute("CREATE UNIQUE INDEX ON bench_work (id)")
        begun = time.monotonic()
        for pk in ids:
            cursor.execute("BEGIN")
            cursor.execute("INSERT INTO bench_offer SELECT * FROM inbox_offer WHERE interaction_id = %s", [pk])
            cursor.execute("UPDATE bench_work SET status = 'offered', updated_at = now() WHERE id = %s", [pk])
            cursor.execute("COMMIT")
    return count / (time.monotonic() - begun)
