"""P2: the audit trail only grows, whoever asks. P3: a patient's name, number and words stay in pages and tables."""

import logging
import re
from functools import partial

import pytest
import redis
from django.conf import settings as project
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditEntry
from contact_center.audit.services import record
from contact_center.common import wake
from contact_center.common.logs import formatter
from inbox.models import Interaction, Message
from inbox.services.ledger import drain_ledger
from inbox.services.outbox import drain_outboxes
from tests.factories.inbox import InteractionFactory, MessageFactory, WebhookEventFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.fault

ATTEMPTS = [
    "UPDATE audit_auditentry SET action = 'changed'",
    "UPDATE audit_auditentry SET detail = '{}' WHERE id = (SELECT max(id) FROM audit_auditentry)",
    "UPDATE audit_auditentry SET actor_id = NULL",
    "DELETE FROM audit_auditentry",
    "DELETE FROM audit_auditentry WHERE id = (SELECT min(id) FROM audit_auditentry)",
    "WITH gone AS (DELETE FROM audit_auditentry RETURNING id) SELECT count(*) FROM gone",
    "MERGE INTO audit_auditentry a USING (SELECT 1 AS x) s ON true WHEN MATCHED THEN DELETE",
    "INSERT INTO audit_auditentry SELECT * FROM audit_auditentry ON CONFLICT (id) DO UPDATE SET action = 'x'",
]
TRUNCATE = "TRUNCATE audit_auditentry CASCADE"


@pytest.mark.django_db
def test_p2_the_application_can_neither_change_nor_delete_what_is_on_record(agent):
    with transaction.atomic():
        for _ in range(3):
            record(actor=agent, action=AuditAction.VIEWED, object_type="patient", object_id=1)
    before = list(AuditEntry.objects.order_by("id").values())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    denied = sum(is_denied(statement) for statement in (*ATTEMPTS, TRUNCATE))
    print(f"P2: {denied} of {len(ATTEMPTS) + 1} attempts on the audit trail denied")
    assert (denied, list(AuditEntry.objects.order_by("id").values())) == (len(ATTEMPTS) + 1, before)


def is_denied(statement):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return getattr(error.__cause__, "pgcode", "") == "42501"
    return False


# ---- P3 ----

CANARY, NUMBER = "Quokkason", "+13055550188"
MARKS = (CANARY.lower(), NUMBER[2:])


class Lines(logging.Handler):
    """Every line that any logger writes, as it would stand in the log."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.setFormatter(formatter())
        self.lines = []

    def emit(self, line):
        if not line.name.startswith(("factory", "faker")):  # of the tests themselves
            self.lines.append(self.format(line))


@pytest.fixture
def told():
    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.setLevel(before)
    root.removeHandler(handler)


@pytest.fixture
def redis_cache(settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": project.REDIS_URL}
    }
    with redis.Redis.from_url(project.REDIS_URL) as client:
        yield client
    cache.clear()


@pytest.mark.django_db
def test_p3_a_patients_name_number_and_words_stay_in_pages_and_tables(
    agent, supervisor, sms_channel, signed_in, told, redis_cache, monkeypatch, django_capture_on_commit_callbacks
):
    published = []
    monkeypatch.setattr(wake, "wake", lambda task, queue: published.append((task, queue)))
    with django_capture_on_commit_callbacks(execute=True):
        seen = walk(signed_in(agent), signed_in(supervisor), agent, sms_channel)
    drain_outboxes()
    WebhookEventFactory(body=f"From={NUMBER}&Body={CANARY}".encode(), kind="messaging")
    drain_ledger()
    hits = {
        "log lines": hits_in(told),
        "Redis": hits_in(all_of(redis_cache)),
        "task arguments": hits_in(map(str, published)),
        "addresses": hits_in(seen),
        "audit entries": hits_in(map(str, AuditEntry.objects.values_list("detail", flat=True))),
    }
    counted = f"{len(told)} log lines, {len(seen)} addresses, {len(published)} nudges"
    print(f"P3: {counted}, everything in Redis: {sum(map(len, hits.values()))} hits")
    assert {name: found for name, found in hits.items() if found} == {}
    assert (len(told) > 2, len(seen) > 50, len(published) > 0) == (True, True, True)


def walk(browser, leading, agent, channel):
    """Open, search, answer, note, hand over, fail and look up; every address that was asked for or offered."""
    patient = PatientFactory(given_name=CANARY, family_name=CANARY, phone=NUMBER)
    row = InteractionFactory(
        channel=channel, owner=agent, patient=patient, contact_value=NUMBER, contact_name=CANARY, thread_key=NUMBER
    )
    MessageFactory(interaction=row, text=f"{CANARY} has a rash", address=NUMBER)
    here = {"args": [row.pk]}
    answers = [
        browser.get(reverse("inbox:list")),
        browser.get(reverse("inbox:interaction", **here)),
        browser.get(reverse("inbox:side", **here)),
        browser.post(reverse("inbox:search"), {"q": CANARY}, follow=True),
        browser.post(reverse("inbox:find"), {"q": CANARY}, headers={"HX-Request": "true"}),
        browser.post(reverse("inbox:draft", **here), {"text": CANARY, "mode": "sms"}),
        browser.post(reverse("inbox:compose", **here), {"text": f"Hello {CANARY}", "mode": "sms"}, follow=True),
        browser.post(reverse("inbox:compose", **here), {"text": f"note on {CANARY}", "mode": "note"}, follow=True),
        browser.get(reverse("inbox:link", **here), {}),
        browser.get(reverse("patients:record", args=[patient.pk])),
        browser.get(f"/nowhere/{row.pk}/"),
        leading.get(reverse("inbox:outbox")),
        leading.get(reverse("patients:patient-data", args=[patient.pk])),
        leading.post(reverse("patients:patient-data", args=[patient.pk]), {"give": "1"}, follow=True),
        leading.get(reverse("inbox:quarantine")),
    ]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    assert Message.objects.filter(direction="outbound").exists() and Interaction.objects.exists()
    return [found for answer in answers for found in addresses_of(answer)]


def addresses_of(answer):
    found = [answer.request["PATH_INFO"] + "?" + answer.request["QUERY_STRING"]]
    found += [url for url, _status in getattr(answer, "redirect_chain", [])]
    page = answer.content.decode("utf-8", "replace")
    return found + re.findall(r'(?:href|src|action|hx-[a-z]+|data-[a-z-]*url)="([^"]*)"', page)


def all_of(client):
    reads = {b"string": client.get, b"hash": client.hgetall, b"set": client.smembers}
    reads[b"list"] = partial(client.lrange, start=0, end=-1)
    for key in client.scan_iter(count=500):
        read = reads.get(client.type(key))
        yield f"{key!r} {read(key) if read else ''!r}"


def hits_in(lines):
    return [line[:300] for line in lines if any(mark in line.lower() for mark in MARKS)]
