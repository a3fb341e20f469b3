"""Take, assign, wrap up, link: what the page does with a yes, a no and a mistake."""

import json
import re
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from inbox.enums import Direction
from inbox.models import Interaction
from inbox.selectors import conversation
from patients.models import Patient
from patients.services.duplicates import compare_records
from tests.factories.inbox import (
    DispositionFactory,
    InteractionFactory,
    MessageFactory,
    ReasonFactory,
    WebhookEventFactory,
)
from tests.factories.patients import PatientFactory

HTMX = {"HX-Request": "true", "HX-Target": "div#dialogs"}
pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"inbox:{name}", args=args)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def waiting(sms_channel):
    return InteractionFactory(channel=sms_channel)


@pytest.fixture
def mine(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, owner=agent)


def test_taking_makes_the_agent_the_owner(agent, waiting, signed_in):
    answer = signed_in(agent).post(url("take", waiting.pk), headers=HTMX)
    assert (answer.status_code, fresh(waiting).owner, fresh(waiting).status) == (200, agent, "active")


@pytest.mark.parametrize("headers", [HTMX, None])
def test_whoever_comes_second_is_told_who_has_it(headers, second_agent, mine, agent, signed_in):
    answer = signed_in(second_agent).post(url("take", mine.pk), headers=headers)
    if headers:
        told = json.loads(answer["HX-Trigger"])["toast"]
        assert (answer.status_code, told["kind"]) == (409, "danger")
        said = told["text"]
    else:
        assert answer.status_code == 302
        said = str(next(iter(get_messages(answer.wsgi_request))))
    assert said == f"{agent} has taken this interaction already."
    assert fresh(mine).owner == agent


def test_returning_puts_it_back_into_the_queue_without_an_owner(agent, mine, signed_in):
    signed_in(agent).post(url("release", mine.pk), headers=HTMX)
    assert (fresh(mine).owner, fresh(mine).status) == (None, "queued")


def wrap(client, interaction, headers=HTMX, **data):
    return client.post(url("wrap-up", interaction.pk), data, headers=headers)


@pytest.mark.parametrize("headers", [HTMX, None])
def test_wrap_up_names_what_is_missing_at_the_field_and_keeps_the_rest(headers, agent, mine, signed_in):
    reason, later = ReasonFactory(), DispositionFactory(is_resolved=False)
    answer = wrap(
        signed_in(agent), mine, headers, reason=reason.pk, disposition=later.pk, outcome="Explained the fasting."
    )
    errors = {name: list(words) for name, words in answer.context["form"].errors.items()}
    assert (answer.status_code, fresh(mine).status) == (422, "active")
    assert errors == {
        "next_step": ["Say what happens next."],
        "next_step_owner": ["Say who does it."],
        "next_step_date": ["Say by when."],
    }
    page = answer.content.decode()
    assert ("Explained the fasting.</textarea>" in page, page.count('aria-invalid="true"')) == (True, 3)


def test_wrap_up_with_a_next_step_closes_and_remembers_owner_and_date(agent, second_agent, mine, signed_in):
    reason, later = ReasonFactory(), DispositionFactory(is_resolved=False)
    due = timezone.localdate() + timedelta(days=2)
    answer = wrap(
        signed_in(agent),
        mine,
        reason=reason.pk,
        disposition=later.pk,
        next_step="Call with the result",
        next_step_owner=second_agent.pk,
        next_step_date=due.isoformat(),
    )
    row = fresh(mine)
    assert (answer.status_code, answer["HX-Retarget"]) == (200, "#workspace")
    assert (row.status, row.next_step, row.next_step_owner, row.next_step_date) == (
        "closed",
        "Call with the result",
        second_agent,
        due,
    )


def test_resolved_now_needs_no_next_step(agent, mine, signed_in):
    reason, resolved = ReasonFactory(), DispositionFactory(is_resolved=True)
    wrap(signed_in(agent), mine, reason=reason.pk, disposition=resolved.pk, next_step_owner=agent.pk)
    assert (fresh(mine).status, fresh(mine).next_step_owner) == ("closed", None)


def test_wrap_up_is_stopped_when_the_patient_wrote_meanwhile(agent, mine, signed_in):
    reason, resolved = ReasonFactory(), DispositionFactory(is_resolved=True)
    seen = MessageFactory(interaction=mine, direction="inbound", status="received")
    MessageFactory(interaction=mine, direction="inbound", status="received")
    data = {"reason": reason.pk, "disposition": resolved.pk, "seen_message_id": seen.pk}
    answer = wrap(signed_in(agent), mine, **data)
    assert (answer.status_code, fresh(mine).status) == (409, "active")
    assert answer.context["form"].non_field_errors() == [
        "The patient wrote while you were wrapping up. Read it before you close."
    ]


def test_a_closed_conversation_can_be_opened_again(agent, sms_channel, signed_in):
    closed = InteractionFactory(channel=sms_channel, status="closed")
    signed_in(agent).post(url("reopen", closed.pk), headers=HTMX)
    assert (fresh(closed).status, fresh(closed).owner) == ("active", agent)


def test_a_shared_number_offers_everybody_who_has_it_and_links_only_who_is_chosen(agent, sms_channel, signed_in):
    rosa, luis = PatientFactory(phone="+13055557777"), PatientFactory(phone="+13055557777")
    shared = InteractionFactory(channel=sms_channel, contact_value="+13055557777", is_contact_shared=True)
    client = signed_in(agent)
    offered = client.get(url("side", shared.pk), headers=HTMX).context["candidates"]
    client.post(url("link", shared.pk), {"patient": luis.pk}, headers=HTMX)
    assert (offered, fresh(shared).patient) == ([rosa, luis], luis)


@pytest.mark.parametrize(("beyond", "is_said"), [(0, 0), (1, 1)])
def test_of_many_who_share_a_number_twenty_are_offered_and_it_says_when_there_are_more(
    agent, sms_channel, signed_in, monkeypatch, beyond, is_said
):
    monkeypatch.setattr(conversation, "MOST_CANDIDATES", 2)
    some = PatientFactory.create_batch(2 + beyond, phone="+13055557777")
    shared = InteractionFactory(channel=sms_channel, contact_value="+13055557777", is_contact_shared=True)
    client = signed_in(agent)
    side, form = (client.get(url(name, shared.pk), headers=HTMX) for name in ("side", "link"))
    assert side.context["candidates"] == form.context["results"] == some[:2]
    assert [page.content.decode().count("And more: search by name.") for page in (side, form)] == [is_said] * 2


def test_a_patient_is_found_by_name_and_linked(agent, waiting, signed_in):
    maria = PatientFactory(given_name="María", family_name="Quispe")
    PatientFactory(given_name="John", family_name="Smith")
    client = signed_in(agent)
    found = client.post(url("link", waiting.pk), {"q": "quispe"}, headers=HTMX).context["results"]
    client.post(url("link", waiting.pk), {"patient": maria.pk}, headers=HTMX)
    assert (found, fresh(waiting).patient) == ([maria], maria)


def test_a_partner_may_choose_among_the_matches_but_not_search_everybody(
    partner_agent, partner_queue, sms_channel, signed_in
):
    stranger = PatientFactory(given_name="María", family_name="Quispe")
    match = PatientFactory(phone="+13055557777")
    row = InteractionFactory(channel=sms_channel, queue=partner_queue, contact_value="+13055557777")
    client = signed_in(partner_agent)
    results = client.post(url("link", row.pk), {"q": "quispe"}, headers=HTMX).context["results"]
    refused = client.post(url("link", row.pk), {"patient": stranger.pk}, headers=HTMX)
    assert (results, refused.status_code, fresh(row).patient) == ([match], 422, None)
    client.post(url("link", row.pk), {"patient": match.pk}, headers=HTMX)
    assert fresh(row).patient == match


def test_a_new_patient_gets_the_address_of_the_conversation(agent, waiting, signed_in):
    data = {"given_name": "Ana", "family_name": "Lima", "birth_date": "1980-02-03", "language": "pt"}
    Interaction.objects.filter(pk=waiting.pk).update(contact_value="+13055550199")
    answer = signed_in(agent).post(url("create-patient", waiting.pk), data, headers=HTMX)
    patient = Patient.objects.get()
    assert (answer.status_code, fresh(waiting).patient, patient.full_name) == (200, patient, "Ana Lima")
    assert [point.value for point in patient.contact_points.all()] == ["+13055550199"]


def test_a_wrong_birth_date_is_told_at_its_field_and_nobody_is_created(agent, waiting, signed_in):
    data = {"given_name": "Ana", "family_name": "Lima", "birth_date": "2999-01-01", "language": "en"}
    answer = signed_in(agent).post(url("create-patient", waiting.pk), data, headers=HTMX)
    assert (answer.status_code, Patient.objects.count(), fresh(waiting).patient) == (422, 0, None)
    assert answer.context["form"].errors == {"birth_date": ["Enter a date between 1890 and today."]}
    assert 'value="Ana"' in answer.content.decode()


def linked_field(page):
    return re.search(r'name="linked" value="(\d*)"', page.content.decode())[1]


def test_the_same_form_sent_twice_makes_one_patient(agent, waiting, signed_in):
    Interaction.objects.filter(pk=waiting.pk).update(contact_value="+13055550199")
    client = signed_in(agent)
    shown = linked_field(client.get(url("link", waiting.pk)))
    data = {"given_name": "Ana", "family_name": "Lima", "language": "pt", "linked": shown}
    answers = [client.post(url("create-patient", waiting.pk), data, headers=HTMX) for _ in range(2)]
    assert ([answer.status_code for answer in answers], Patient.objects.count()) == ([200, 409], 1)


def test_whoever_is_much_like_somebody_here_is_shown_before_a_record_is_made(agent, waiting, signed_in):
    Interaction.objects.filter(pk=waiting.pk).update(contact_value="+13055550199")
    known = PatientFactory(given_name="Ana", family_name="Lima", birth_date="1980-02-03", phone="+13055550199")
    hidden = PatientFactory(given_name="Ana", family_name="Lima", birth_date="1980-02-03", sensitivity="vip")
    compare_records([known.pk, hidden.pk])
    client, data = signed_in(agent), {"given_name": "Anna", "family_name": "Lima", "birth_date": "1980-02-03"}
    data |= {"language": "pt", "linked": "", "form_key": "k"}
    first = client.post(url("create-patient", waiting.pk), data, headers=HTMX)
    page = first.content.decode()
    assert (first.status_code, [one.patient for one in first.context["alike"]]) == (409, [known])
    assert (fresh(waiting).patient, Patient.objects.count()) == (None, 2)
    seen = re.findall(r'name="seen" value="(\d+)"', page)
    assert (seen, 'form="link-known" name="patient"' in page, 'value="Anna"' in page) == ([str(known.pk)], True, True)
    assert AuditEntry.objects.get(detail__what="newcomer").detail["found"] == [known.pk]
    client.post(url("create-patient", waiting.pk), data | {"seen": seen}, headers=HTMX)
    assert (fresh(waiting).patient.given_name, Patient.objects.count()) == ("Anna", 3)


def test_an_old_form_does_not_take_a_conversation_from_whom_a_colleague_linked_it_to(
    agent, second_agent, waiting, signed_in
):
    right, wrong = PatientFactory(), PatientFactory()
    client = signed_in(agent)
    shown = linked_field(client.post(url("link", waiting.pk), {"q": wrong.family_name}))
    signed_in(second_agent).post(url("link", waiting.pk), {"patient": right.pk, "linked": shown})
    answer = client.post(url("link", waiting.pk), {"patient": wrong.pk, "linked": shown}, headers=HTMX)
    assert (answer.status_code, fresh(waiting).patient) == (409, right)


# ---- outbox and quarantine ----


def outbound(interaction, **fields):
    return MessageFactory(interaction=interaction, direction=Direction.OUTBOUND, **fields)


def test_the_outbox_says_why_a_message_was_held_back_and_sends_it_again(agent, mine, signed_in):
    message = outbound(mine, status="suppressed", gate_reason="opted_out")
    client = signed_in(agent)
    page = client.get(url("outbox"), {"show": "suppressed"}).content.decode()
    assert "This address asked us to stop." in page
    answer = client.post(url("retry", message.pk), {"next": "outbox"})
    assert (answer.url, fresh(message).status, fresh(message).gate_reason) == (url("outbox"), "queued", "")


def test_the_outbox_raises_an_alarm_when_a_message_waits_too_long(supervisor, mine, signed_in, settings):
    message = outbound(mine)
    client = signed_in(supervisor)
    calm = client.get(url("outbox")).context["alarm_count"]
    old = timezone.now() - timedelta(seconds=settings.OUTBOX_ALARM_SECONDS + 60)
    type(message).objects.filter(pk=message.pk).update(created_at=old)
    assert (calm, client.get(url("outbox")).context["alarm_count"]) == (0, 1)


def test_a_waiting_message_can_be_taken_back(agent, mine, signed_in):
    message = outbound(mine)
    signed_in(agent).post(url("cancel", message.pk))
    assert fresh(message).status == "cancelled"


def test_a_colleague_cannot_take_back_what_somebody_else_sends(second_agent, mine, signed_in):
    message = outbound(mine)
    assert signed_in(second_agent).post(url("cancel", message.pk)).status_code == 403
    assert fresh(message).status == "queued"


def test_the_outbox_asks_as_many_questions_for_three_messages_as_for_one(
    supervisor, mine, signed_in, django_assert_max_num_queries
):
    client = signed_in(supervisor)
    counts = []
    for _ in range(2):
        outbound(mine)
        client.get(url("outbox"))
        with django_assert_max_num_queries(60) as captured:
            client.get(url("outbox"))
        counts.append(len(captured))
        outbound(mine)
    assert counts[0] == counts[1]


def test_quarantine_shows_agents_the_stub_and_gives_the_raw_source_only_to_operations(agent, supervisor, signed_in):
    event = WebhookEventFactory(status="quarantined", error="Not readable.", body=b"\x00raw")
    page = signed_in(agent).get(url("quarantine")).content.decode()
    refused = signed_in(agent).get(url("quarantine-raw", event.pk))
    raw = signed_in(supervisor).get(url("quarantine-raw", event.pk))
    assert ("Not readable." in page, refused.status_code, raw.content) == (True, 403, b"\x00raw")
    assert raw["Content-Disposition"] == f'attachment; filename="event-{event.pk}.bin"'


def test_a_quarantined_event_is_processed_again_on_demand(supervisor, signed_in):
    event = WebhookEventFactory(status="quarantined", error="Not readable.")
    signed_in(supervisor).post(url("quarantine-retry", event.pk))
    assert fresh(event).status == "received"
