"""The API: pages' rights, cursor pages, filters, writes through the services, errors in one shape."""

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from contact_center.accounts.models import TeamMembership
from contact_center.audit.models import AuditEntry
from inbox.enums import Direction, EventStatus, InteractionStatus, MessageStatus
from inbox.models import Interaction, Message
from patients.models import ContactPoint, Patient
from patients.selectors.consents import word_on
from tests.factories.hours import CalendarFactory, SlaClockFactory, SlaPolicyFactory
from tests.factories.inbox import (
    CaseFactory,
    DispositionFactory,
    InteractionFactory,
    MessageFactory,
    MessageTemplateFactory,
    QueueFactory,
    ReasonFactory,
    TagFactory,
    TaskFactory,
    WebhookEventFactory,
)
from tests.factories.patients import ConsentFactory, ContactPointFactory, PatientFactory

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture
def as_role():
    """`as_role(role, team)` is a client whose key has that role and serves that team's queues."""

    def client(role=Role.SUPERVISOR, team=None):
        key, text = accounts.create_api_key(actor=None, name="Sync", role=role)
        if team:
            TeamMembership.objects.create(user=key.user, team=team)
        machine = APIClient()
        machine.credentials(HTTP_AUTHORIZATION=f"Token {text}")
        machine.user = key.user
        return machine

    return client


@pytest.fixture
def machine(as_role):
    return as_role()


@pytest.fixture
def interaction(sms_channel):
    row = InteractionFactory(channel=sms_channel, contact_value="+13055550123", patient=PatientFactory())
    MessageFactory(interaction=row)
    return row


def ids(response):
    return [row["id"] for row in response.json()["results"]]


COLLECTIONS = {
    "patients": PatientFactory,
    "contact-points": ContactPointFactory,
    "consents": ConsentFactory,
    "interactions": InteractionFactory,
    "messages": MessageFactory,
    "cases": CaseFactory,
    "queues": QueueFactory,
    "calendars": CalendarFactory,
    "sla-policies": SlaPolicyFactory,
    "sla-clocks": SlaClockFactory,
    "reasons": ReasonFactory,
    "dispositions": DispositionFactory,
    "ledger-events": WebhookEventFactory,
    "outbox": lambda: MessageFactory(direction=Direction.OUTBOUND),
    "tags": TagFactory,
    "tasks": TaskFactory,
}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_collection_lists_newest_first_and_reads_by_id(machine, name):
    rows = [COLLECTIONS[name]() for _ in range(3)]
    listed = machine.get(f"{V1}/{name}/")
    assert (listed.status_code, ids(listed)) == (200, [row.pk for row in reversed(rows)])
    one = machine.get(f"{V1}/{name}/{rows[0].pk}/")
    assert (one.status_code, one.json()) == (200, listed.json()["results"][-1])


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_list_costs_the_same_for_one_and_three_rows(machine, name):

    def cost():
        with CaptureQueriesContext(connection) as queries:
            machine.get(f"{V1}/{name}/")
        return len(queries)

    COLLECTIONS[name]()
    machine.get(f"{V1}/{name}/")
    one = cost()
    COLLECTIONS[name](), COLLECTIONS[name]()
    assert cost() == one


def test_pages_follow_a_cursor_that_new_rows_do_not_shift(machine):
    rows = [PatientFactory() for _ in range(5)]
    first = machine.get(f"{V1}/patients/", {"limit": 2})
    PatientFactory()
    second = machine.get(first.json()["next"])
    assert (ids(first), ids(second)) == ([rows[4].pk, rows[3].pk], [rows[2].pk, rows[1].pk])


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "bz0tMQ=="])
def test_a_cursor_that_is_not_ours_is_not_found(machine, cursor):
    assert machine.get(f"{V1}/patients/", {"cursor": cursor}).status_code == 404


def test_filters_narrow_a_list(machine, interaction, whatsapp_channel):
    other = InteractionFactory(channel=whatsapp_channel, owner=machine.user)
    questions = {
        "status=queued": [interaction.pk],
        "status=queued&status=active": [other.pk, interaction.pk],
        "channel_kind=whatsapp": [other.pk],
        f"patient={interaction.patient_id}": [interaction.pk],
        f"owner={machine.user.pk}": [other.pk],
        "active_since=2999-01-01T00:00:00Z": None,
        "active_since=2100-01-01T00:00:00Z": [],
    }
    for question, expected in questions.items():
        response = machine.get(f"{V1}/interactions/?{question}")
        assert (question, ids(response) if response.status_code == 200 else None) == (question, expected)


def test_a_moment_may_be_written_with_any_offset(machine, interaction):
    response = machine.get(f"{V1}/interactions/", {"active_since": "1971-08-30T00:17:07+22:33"})
    assert ids(response) == [interaction.pk]


def test_what_was_searched_for_is_not_logged(machine, capsys, caplog):
    caplog.set_level(logging.INFO, "django_structlog")
    machine.post(f"{V1}/patients/search/", {"q": "zebedee", "limit": "x"}, format="json")
    machine.get(f"{V1}/patients/999/?q=zebedee")
    logged = caplog.text + "".join(capsys.readouterr())
    assert ("zebedee" in logged, "/api/v1/patients/999/" in logged) == (False, True)


@pytest.mark.parametrize(
    "question",
    [
        "interactions/?patient=1e400",
        "interactions/?patient=-1",
        "interactions/?patient=99999999999999999999",
        "interactions/?status=asleep",
        "interactions/?active_since=yesterday",
        "interactions/?active_since=9999-12-31T23:59:59-14:00",
        "interactions/?active_since=0001-01-01T00:00:00%2B14:00",
        "interactions/?reference=%00",
    ],
)
def test_a_question_that_makes_no_sense_is_a_400_by_field(machine, question):
    response = machine.get(f"{V1}/{question}")
    assert response.status_code == 400
    assert all(isinstance(sentences, list) for sentences in response.json().values())


@pytest.mark.parametrize("number", ["0", "999999999999999999", "9999999999999999999999", "-1", "abc", "%00"])
def test_an_id_that_nobody_has_is_not_found(machine, number):
    assert machine.get(f"{V1}/patients/{number}/").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"given_name": "\\ud800", "family_name": "x"}',
        b'{"given_name": "a\\u0000b", "family_name": "x"}',
        b'{"given_name": NaN, "family_name": "x"}',
        b'{"gender": ["\\udfff"]}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"given_name": "A", "family_name": "B", "birth_date": "9999-99-99"}',
        b'{"given_name": "A", "family_name": "B", "addresses": [{"scheme": "phone", "value": "12"}]}',
        b'{"given_name": "' + b"x" * 500 + b'", "family_name": "B"}',
    ],
)
def test_a_body_that_cannot_be_is_a_400_and_stores_nothing(machine, body):
    response = machine.generic("POST", f"{V1}/patients/", body, content_type="application/json")
    assert (response.status_code, Patient.objects.count()) == (400, 0)


def test_without_a_key_the_answer_is_a_challenge():
    response = APIClient().get(f"{V1}/patients/")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")


def test_a_browser_session_opens_no_api(agent, signed_in):
    assert signed_in(agent).get(f"{V1}/patients/").status_code == 401


# ---- patients ----


def test_a_patient_is_created_with_addresses_through_the_service(machine):
    response = machine.post(
        f"{V1}/patients/",
        {
            "given_name": "Ana",
            "family_name": "Souza",
            "birth_date": "1980-02-29",
            "addresses": [{"scheme": "phone", "value": "(305) 555-0123"}],
        },
        format="json",
    )
    patient = Patient.objects.get()
    assert (response.status_code, response.json()["id"], response.json()["mrn"]) == (201, patient.pk, patient.mrn)
    assert response.json()["contact_points"][0]["value"] == "+13055550123"
    assert AuditEntry.objects.filter(action="created", actor=machine.user, patient_id=patient.pk).count() == 1


def test_a_patient_is_changed_in_part(machine):
    patient = PatientFactory(given_name="Ana", family_name="Souza")
    response = machine.patch(f"{V1}/patients/{patient.pk}/", {"given_name": "Anna"}, format="json")
    patient.refresh_from_db()
    assert (response.status_code, patient.full_name) == (200, "Anna Souza")
    assert machine.put(f"{V1}/patients/{patient.pk}/", {}, format="json").status_code == 405


def test_preferences_are_read_and_changed_with_the_patient(machine):
    address = f"{V1}/patients/{PatientFactory().pk}/"
    wanted = {
        "preferred_channel": "sms",
        "contact_from": "09:00:00",
        "contact_until": "18:00:00",
        "interpreter_language": "ht",
        "communication_style": "brief",
        "access_needs": ["sight", "reading"],
        "access_note": "Large print, please",
    }
    changed = machine.patch(address, wanted, format="json")
    assert (changed.status_code, {name: changed.json()[name] for name in wanted}) == (200, wanted)
    for name, wrong in (("contact_until", None), ("access_needs", ["magic"]), ("preferred_channel", "pigeon")):
        refused = machine.patch(address, {name: wrong}, format="json")
        assert (name, refused.status_code, list(refused.json())) == (name, 400, [name])
    assert {name: machine.get(address).json()[name] for name in wanted} == wanted


def test_consents_are_noted_word_after_word_and_the_one_that_holds_is_told(machine):
    patient, protected = PatientFactory(), PatientFactory(sensitivity="vip")
    given = {
        "patient": patient.pk, "purpose": "reminders", "channel_kind": "sms", "status": "granted",
        "source": "signed form",
    }  # fmt: skip
    words = [
        machine.post(f"{V1}/consents/", given | {"status": said}, format="json") for said in ("granted", "withdrawn")
    ]
    first, second = (word.json()["id"] for word in words)
    of_patient = {"patient": patient.pk}
    assert [word.status_code for word in words] == [201, 201]
    assert ids(machine.get(f"{V1}/consents/", of_patient)) == [second, first]
    assert ids(machine.get(f"{V1}/consents/", of_patient | {"latest": "true"})) == [second]
    assert word_on(patient.pk, "reminders", "sms") is False
    assert AuditEntry.objects.filter(action="changed", object_type="consent", actor=machine.user).count() == 2
    hidden = machine.post(f"{V1}/consents/", given | {"patient": protected.pk}, format="json")
    unknown = machine.post(f"{V1}/consents/", given | {"purpose": "fun"}, format="json")
    assert (hidden.status_code, unknown.status_code, list(unknown.json())) == (404, 400, ["purpose"])
    ConsentFactory(patient=protected)
    assert ids(machine.get(f"{V1}/consents/", {"patient": protected.pk})) == []
    _key, reading = accounts.create_api_key(actor=None, name="Read", role=Role.SUPERVISOR, scopes=["patients:read"])
    reader = APIClient()
    reader.credentials(HTTP_AUTHORIZATION=f"Token {reading}")
    assert reader.get(f"{V1}/consents/").status_code == 200
    assert reader.post(f"{V1}/consents/", given, format="json").status_code == 403


def test_each_read_of_patients_leaves_one_entry_that_names_them(machine):
    one, two = PatientFactory(given_name="Zebedee"), PatientFactory()
    machine.get(f"{V1}/patients/{one.pk}/")
    machine.get(f"{V1}/patients/")
    machine.post(f"{V1}/patients/search/", {"q": "zebedee"}, format="json")
    entries = AuditEntry.objects.filter(actor=machine.user).order_by("id")
    assert [(row.action, row.patient_id, row.detail) for row in entries] == [
        ("viewed", one.pk, {"reason": "api"}),
        ("searched", None, {"found": [two.pk, one.pk], "patients": [one.pk, two.pk]}),
        ("searched", None, {"found": [one.pk]}),
    ]


@pytest.mark.parametrize(
    "given", [{}, {"q": ""}, {"q": "ana", "limit": -1}, {"q": "ana", "limit": "1e9"}, {"q": "x" * 101}]
)
def test_a_search_that_makes_no_sense_is_a_400_by_field(machine, given):
    response = machine.post(f"{V1}/patients/search/", given, format="json")
    assert response.status_code == 400
    assert all(isinstance(sentences, list) for sentences in response.json().values())


def test_searching_needs_only_the_right_to_read():
    found = PatientFactory(given_name="Zebedee")
    answers = {}
    for scope in ("patients:read", "patients:write"):
        _key, text = accounts.create_api_key(actor=None, name=scope, role=Role.SUPERVISOR, scopes=[scope])
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
        response = client.post(f"{V1}/patients/search/", {"q": "zebedee"}, format="json")
        answers[scope] = (
            response.status_code,
            [row["id"] for row in response.json()] if response.status_code == 200 else 0,
        )
    assert answers == {"patients:read": (200, [found.pk]), "patients:write": (403, 0)}


def test_an_address_is_added_verified_and_removed(machine):
    patient = PatientFactory()
    made = machine.post(
        f"{V1}/contact-points/", {"patient": patient.pk, "scheme": "email", "value": "Ana@Example.org"}, format="json"
    )
    pk = made.json()["id"]
    verified = machine.post(f"{V1}/contact-points/{pk}/verify/")
    removed = machine.delete(f"{V1}/contact-points/{pk}/")
    assert (made.status_code, made.json()["value"], verified.status_code, removed.status_code) == (
        201,
        "ana@example.org",
        200,
        204,
    )
    assert verified.json()["verified_at"] is not None
    assert not ContactPoint.objects.exists()


# ---- who sees what ----


def test_a_partner_key_sees_its_queues_and_nothing_sensitive(as_role, partner_team, partner_queue, queue, sms_channel):
    partner = as_role(Role.PARTNER_AGENT, partner_team)
    theirs = InteractionFactory(channel=sms_channel, queue=partner_queue, patient=PatientFactory())
    MessageFactory(interaction=theirs)
    hidden = [
        InteractionFactory(channel=sms_channel, queue=queue),
        InteractionFactory(channel=sms_channel, queue=partner_queue, reason=ReasonFactory(is_sensitive=True)),
        InteractionFactory(channel=sms_channel, queue=partner_queue, patient=PatientFactory(sensitivity="vip")),
    ]
    for row in hidden:
        MessageFactory(interaction=row)
    assert ids(partner.get(f"{V1}/interactions/")) == [theirs.pk]
    assert ids(partner.get(f"{V1}/messages/")) == [theirs.messages.get().pk]
    assert ids(partner.get(f"{V1}/patients/")) == [theirs.patient_id]
    for row in hidden:
        assert partner.get(f"{V1}/interactions/{row.pk}/").status_code == 404
        assert partner.post(f"{V1}/interactions/{row.pk}/take/").status_code == 404
        refused = partner.post(f"{V1}/messages/", {"interaction": row.pk, "text": "x"}, format="json")
        assert (refused.status_code, list(refused.json())) == (400, ["interaction"])
    assert Message.objects.filter(direction=Direction.OUTBOUND).count() == 0


def test_an_agent_key_of_one_team_sees_nothing_of_another(as_role, other_team, other_queue, interaction):
    outsider = as_role(Role.AGENT, other_team)
    case = CaseFactory(queue=interaction.queue)
    for address in (f"interactions/{interaction.pk}", f"cases/{case.pk}", f"messages/{interaction.messages.get().pk}"):
        assert outsider.get(f"{V1}/{address}/").status_code == 404


def test_an_auditor_key_reads_ledger_and_outbox_only(as_role):
    auditor = as_role(Role.AUDITOR)
    statuses = {name: auditor.get(f"{V1}/{name}/").status_code for name in COLLECTIONS}
    assert {name for name, status in statuses.items() if status == 200} == {"ledger-events", "outbox"}
    assert set(statuses.values()) == {200, 403}


def test_the_ledger_never_shows_the_raw_source(machine):
    event = WebhookEventFactory(body=b"Body=zebedee", headers={"X": "zebedee"})
    assert "zebedee" not in machine.get(f"{V1}/ledger-events/{event.pk}/").content.decode()


# ---- writes ----


def test_a_message_is_queued_once_however_often_it_is_asked_for(machine, interaction):
    wish = {"interaction": interaction.pk, "text": "Good morning", "idempotency_key": "k1"}
    first = machine.post(f"{V1}/messages/", wish, format="json")
    again = machine.post(f"{V1}/messages/", wish, format="json")
    sent = Message.objects.get(direction=Direction.OUTBOUND)
    assert (first.status_code, first.json()["id"], again.json()["id"]) == (201, sent.pk, sent.pk)
    assert (sent.text, sent.status, sent.author, sent.address) == (
        "Good morning",
        MessageStatus.QUEUED,
        machine.user,
        "+13055550123",
    )


def test_of_a_templates_values_only_its_own_are_kept_each_on_one_line(machine, whatsapp_channel):
    interaction, template = InteractionFactory(channel=whatsapp_channel), MessageTemplateFactory()
    values = {"1": "Ana\nMaría", "other": "x", "\x00": "x"}
    body = {"interaction": interaction.pk, "template": template.pk, "template_variables": values}
    answer = machine.post(f"{V1}/messages/", body, format="json")
    assert (answer.status_code, answer.json()["text"]) == (201, "Hello Ana María, please call us.")
    assert Message.objects.get().template_variables == {"1": "Ana María"}


def test_an_answer_to_what_was_not_read_is_a_conflict(machine, interaction):
    seen = interaction.messages.get().pk
    MessageFactory(interaction=interaction)
    wish = {"interaction": interaction.pk, "text": "Hello", "seen_message_id": seen}
    response = machine.post(f"{V1}/messages/", wish, format="json")
    assert (response.status_code, list(response.json())) == (409, ["detail"])


def test_an_empty_message_is_refused_in_words(machine, interaction):
    response = machine.post(f"{V1}/messages/", {"interaction": interaction.pk, "text": " "}, format="json")
    assert (response.status_code, list(response.json())) == (422, ["detail"])


def test_take_assign_link_close_and_reopen_move_the_interaction(machine, agent, interaction):
    address = f"{V1}/interactions/{interaction.pk}"
    patient = PatientFactory()
    done = [
        machine.post(f"{address}/take/"),
        machine.post(f"{address}/assign/", {"assignee": agent.pk}, format="json"),
        machine.post(f"{address}/link-patient/", {"patient": patient.pk}, format="json"),
        machine.post(f"{address}/notes/", {"body": "Called back."}, format="json"),
        machine.post(
            f"{address}/close/",
            {"reason": ReasonFactory().pk, "disposition": DispositionFactory().pk, "outcome": "Answered."},
            format="json",
        ),
    ]
    row = Interaction.objects.get()
    assert [response.status_code for response in done] == [200, 200, 200, 201, 200]
    assert (row.owner, row.patient, row.status, row.outcome) == (agent, patient, InteractionStatus.CLOSED, "Answered.")
    assert machine.post(f"{address}/reopen/").json()["status"] == "active"
    assert machine.post(f"{address}/unlink-patient/").json()["patient"] is None
    assert machine.post(f"{address}/return/").json()["owner"] is None


def test_an_open_end_needs_a_next_step_and_becomes_a_case(machine, interaction):
    address = f"{V1}/interactions/{interaction.pk}"
    machine.post(f"{address}/take/")
    wish = {"reason": ReasonFactory().pk, "disposition": DispositionFactory(is_resolved=False).pk}
    refused = machine.post(f"{address}/close/", wish, format="json")
    step = {
        "next_step": "Call",
        "next_step_owner": None,
        "next_step_date": str(timezone.localdate() + timedelta(days=1)),
    }
    person = accounts.create_user(actor=None, email="p@aurora.test", role=Role.AGENT)
    closed = machine.post(f"{address}/close/", {**wish, **step, "next_step_owner": person.pk}, format="json")
    assert (refused.status_code, closed.status_code) == (422, 200)
    assert ids(machine.get(f"{V1}/cases/", {"owner": person.pk})) == [closed.json()["case"]]


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("assign", {"assignee": 999_999_999}, "assignee"),
        ("assign", {"assignee": "x"}, "assignee"),
        ("assign", {}, "assignee"),
        ("link-patient", {"patient": 2**63}, "patient"),
        ("link-patient", {"patient": 999_999_999}, "patient"),
        ("return", {"queue": 999_999_999}, "queue"),
    ],
)
def test_what_a_write_names_must_exist(machine, interaction, verb, body, field):
    response = machine.post(f"{V1}/interactions/{interaction.pk}/{verb}/", body, format="json")
    assert (response.status_code, list(response.json())) == (400, [field])


def test_a_quarantined_event_is_tried_again_and_another_is_a_conflict(machine):
    event = WebhookEventFactory(status=EventStatus.QUARANTINED)
    address = f"{V1}/ledger-events/{event.pk}/retry/"
    assert [machine.post(address).status_code for _ in range(2)] == [202, 409]


def test_a_failed_message_is_sent_again_and_taken_back(machine, interaction):
    message = MessageFactory(interaction=interaction, direction=Direction.OUTBOUND, status=MessageStatus.FAILED)
    address = f"{V1}/outbox/{message.pk}"
    assert machine.post(f"{address}/retry/").json()["status"] == "queued"
    assert machine.post(f"{address}/cancel/").json()["status"] == "cancelled"
    assert machine.post(f"{address}/cancel/").status_code == 409


def test_an_agent_key_cannot_retry_the_outbox(as_role, team, interaction):
    message = MessageFactory(interaction=interaction, direction=Direction.OUTBOUND, status=MessageStatus.FAILED)
    assert as_role(Role.AGENT, team).post(f"{V1}/outbox/{message.pk}/retry/").status_code == 403


def test_the_schema_is_public_and_describes_every_address():
    response = APIClient().get("/api/schema/", {"format": "json"})
    paths = response.json()["paths"]
    assert response.status_code == 200
    agenda = {"appointments", "slots", "waitlist", "hl7", "series"}
    assert {path.split("/")[3] for path in paths} == {*COLLECTIONS, *agenda, "channels", "complaints", "fhir"}
