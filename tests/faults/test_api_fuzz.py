"""X9: whatever is sent to the API, the answer is never a 5xx."""

import itertools
import json
import logging
from collections import Counter

import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from rest_framework.test import APIClient
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from inbox.enums import Direction, EventStatus, MessageStatus
from tests.factories.inbox import (
    CaseFactory,
    DispositionFactory,
    InteractionFactory,
    MessageFactory,
    MessageTemplateFactory,
    ReasonFactory,
    TagFactory,
    TaskFactory,
    WebhookEventFactory,
)
from tests.factories.patients import ContactPointFactory
from tests.factories.scheduling import EntryFactory, an_open_visit

MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.fixture
def machine(db, caplog):
    caplog.set_level(logging.CRITICAL)
    _key, text = accounts.create_api_key(actor=None, name="Fuzz", role=Role.ADMIN)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client


@pytest.fixture
def known(machine):
    """Ids that exist, by the word that names them in addresses and bodies; else nearly every case would be a 404."""
    point = ContactPointFactory()
    interaction = InteractionFactory(patient=point.patient)
    message = MessageFactory(interaction=interaction)
    failed = MessageFactory(interaction=interaction, direction=Direction.OUTBOUND, status=MessageStatus.FAILED)
    case = CaseFactory(patient=point.patient)
    reason, disposition = ReasonFactory(), DispositionFactory()
    event = WebhookEventFactory(status=EventStatus.QUARANTINED)
    visit = an_open_visit(patient=point.patient)
    return {
        "appointments": visit.pk,
        "service": visit.service_id,
        "practitioner": visit.practitioner_id,
        "location": visit.location_id,
        "waitlist": EntryFactory(patient=point.patient, service=visit.service).pk,
        "patients": point.patient_id,
        "patient": point.patient_id,
        "fhir": point.patient_id,
        "contact-points": point.pk,
        "interactions": interaction.pk,
        "interaction": interaction.pk,
        "messages": message.pk,
        "seen_message_id": message.pk,
        "outbox": failed.pk,
        "cases": case.pk,
        "channels": interaction.channel_id,
        "channel": interaction.channel_id,
        "queues": interaction.queue_id,
        "queue": interaction.queue_id,
        "reasons": reason.pk,
        "reason": reason.pk,
        "dispositions": disposition.pk,
        "disposition": disposition.pk,
        "ledger-events": event.pk,
        "tags": TagFactory().pk,
        "tasks": TaskFactory(interaction=interaction).pk,
        "template": MessageTemplateFactory(channel_kind="sms").pk,
        "assignee": case.owner_id,
        "next_step_owner": case.owner_id,
    }


def send(machine, case, known, *, use_known):
    """The generated case as a request; with `use_known` the ids in it are ones that exist."""
    path, body = case.formatted_path, case.body
    if use_known:
        collection = path.split("/")[3]
        values = dict.fromkeys(case.path_parameters or {}, known.get(collection, 1))
        values |= {name: "Appointment" for name in values if name == "kind"}
        path = case.operation.full_path.format(**values) if values else path
        if isinstance(body, dict):
            body = body | {name: known[name] for name in body if name in known}
    if isinstance(body, NotSet):
        raw = b""
    else:
        raw = body if isinstance(body, bytes) else json.dumps(body, default=str).encode("utf-8", "surrogatepass")
    query = {name: "" if value is None else value for name, value in (case.query or {}).items()}
    kept = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
    headers = {name: str(value).encode("ascii", "ignore").decode() for name, value in kept.items()}
    return machine.generic(
        case.method, path, raw, content_type=case.media_type or "application/json", query_params=query, headers=headers
    )


def assault(machine, known, each):
    """Send `each` cases per operation and way of making them; the statuses, and what was answered with a 5xx."""
    schema = schemathesis.openapi.from_dict(machine.get("/api/schema/", {"format": "json"}).json())
    operations = [result.ok() for result in schema.get_all_operations()]
    statuses, broken, turn = Counter(), [], itertools.count()
    for operation, mode in itertools.product(operations, MODES):

        @seed(20260101)
        @settings(
            max_examples=each,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case):
            with transaction.atomic():
                response = send(machine, case, known, use_known=next(turn) % 3 > 0)
                transaction.set_rollback(True)
            statuses[response.status_code] += 1
            if response.status_code >= 500:
                broken.append((case.method, response.request["PATH_INFO"], case.query, case.body))

        try:
            check()
        except Exception as error:
            if type(error).__name__ not in {"Unsatisfiable", "SkipTest", "Skipped"}:
                raise
    return statuses, broken


def tell(statuses, broken):
    print(f"X9: {statuses.total()} cases, {len(broken)} answered with 5xx; {dict(sorted(statuses.items()))}")


@pytest.mark.fault
def test_some_hundreds_of_cases_break_nothing(machine, known):
    statuses, broken = assault(machine, known, each=2)
    tell(statuses, broken)
    assert broken == []
    assert statuses.total() >= 300 and statuses[200] + statuses[201] >= 50


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_ten_thousand_cases_break_nothing(machine, known):
    statuses, broken = assault(machine, known, each=130)
    tell(statuses, broken)
    assert broken == []
    assert statuses.total() >= 10_000
