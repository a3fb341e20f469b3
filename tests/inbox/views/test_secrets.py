"""What partner agents, auditors and logs of addresses never get to see."""

import pytest
from django.urls import reverse

from contact_center.audit.models import AuditEntry
from inbox.enums import Direction
from inbox.models import Interaction
from tests.factories.inbox import (
    CaseFactory,
    ChannelFactory,
    InteractionFactory,
    MessageFactory,
    ReasonFactory,
    WebhookEventFactory,
)
from tests.factories.patients import PatientFactory, RelatedPersonFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner_channel(partner_queue):
    return ChannelFactory(kind="sms", queue=partner_queue)


def page_of(client, interaction):
    return client.get(reverse("inbox:interaction", args=[interaction.pk])).content.decode()


def test_a_partner_agent_sees_no_case_of_a_sensitive_reason_and_an_agent_does(
    partner_agent, agent, partner_channel, partner_queue, signed_in
):
    patient = PatientFactory()
    interaction = InteractionFactory(channel=partner_channel, patient=patient)
    CaseFactory(patient=patient, reason=ReasonFactory(is_sensitive=True), queue=partner_queue, title="Secret matter")
    CaseFactory(patient=patient, reason=ReasonFactory(), queue=partner_queue, title="Plain matter")
    seen = {
        user.role: [
            title for title in ("Secret matter", "Plain matter") if title in page_of(signed_in(user), interaction)
        ]
        for user in (partner_agent, agent)
    }
    assert seen == {"partner_agent": ["Plain matter"], "agent": ["Secret matter", "Plain matter"]}


def test_a_partner_agent_sees_no_case_of_a_queue_they_do_not_serve(
    partner_agent, partner_channel, clinical_queue, signed_in
):
    patient = PatientFactory()
    interaction = InteractionFactory(channel=partner_channel, patient=patient)
    CaseFactory(patient=patient, queue=clinical_queue, title="Elsewhere")
    assert "Elsewhere" not in page_of(signed_in(partner_agent), interaction)


def test_a_partner_agent_is_offered_and_may_link_only_patients_who_are_not_sensitive(
    partner_agent, partner_channel, signed_in
):
    plain = PatientFactory(family_name="Offen", phone="+13055550112")
    hidden = PatientFactory(family_name="Verborgen", sensitivity="vip", phone="+13055550112")
    interaction = InteractionFactory(channel=partner_channel, contact_value="+13055550112")
    client = signed_in(partner_agent)
    link = reverse("inbox:link", args=[interaction.pk])
    pages = page_of(client, interaction) + client.get(link).content.decode()
    assert ("Offen" in pages, "Verborgen" in pages) == (True, False)
    client.post(link, {"patient": hidden.pk})
    assert Interaction.objects.get(pk=interaction.pk).patient_id is None
    client.post(link, {"patient": plain.pk})
    assert Interaction.objects.get(pk=interaction.pk).patient_id == plain.pk


def test_a_partner_agent_does_not_read_the_names_of_sensitive_relatives(partner_agent, partner_channel, signed_in):
    patient = PatientFactory()
    RelatedPersonFactory(patient=patient, relative=PatientFactory(sensitivity="vip"), name="Hidden Relative")
    RelatedPersonFactory(patient=patient, relative=PatientFactory(), name="Known Relative")
    RelatedPersonFactory(patient=patient, name="Mere Neighbour")
    page = page_of(signed_in(partner_agent), InteractionFactory(channel=partner_channel, patient=patient))
    names = ("Hidden Relative", "Known Relative", "Mere Neighbour")
    assert [name for name in names if name in page] == ["Known Relative", "Mere Neighbour"]


def test_a_new_message_on_a_case_with_a_sensitive_reason_is_hidden_from_a_partner_agent(
    partner_agent, agent, partner_channel, signed_in
):
    case = CaseFactory(patient=PatientFactory(), reason=ReasonFactory(is_sensitive=True))
    interaction = InteractionFactory(channel=partner_channel, patient=case.patient, case=case)
    plain = InteractionFactory(channel=partner_channel, case=CaseFactory(reason=None))
    statuses = {
        (user.role, row.pk): signed_in(user).get(reverse("inbox:interaction", args=[row.pk])).status_code
        for user in (partner_agent, agent)
        for row in (interaction, plain)
    }
    assert statuses == {
        ("partner_agent", interaction.pk): 404,
        ("partner_agent", plain.pk): 200,
        ("agent", interaction.pk): 200,
        ("agent", plain.pk): 200,
    }


# ---- traces of reading ----

BACKGROUND = {"X-Background": "1"}


def entries(action):
    found = AuditEntry.objects.filter(action=action).order_by("id")
    return [(entry.object_type, entry.object_id, entry.patient_id) for entry in found]


@pytest.mark.parametrize("part", ["interaction", "talk", "side"])
def test_whichever_part_of_a_conversation_is_read_first_leaves_the_one_trace(agent, sms_channel, signed_in, part):
    patient = PatientFactory()
    interaction = InteractionFactory(channel=sms_channel, patient=patient)
    client = signed_in(agent)
    for name in (part, "interaction", "talk", "side"):
        assert client.get(reverse(f"inbox:{name}", args=[interaction.pk])).status_code == 200
    assert entries("viewed") == [("patient", patient.pk, patient.pk)]


def test_reading_a_conversation_of_nobody_known_leaves_a_trace_with_the_patients_it_offered(
    agent, sms_channel, signed_in
):
    offered = PatientFactory(phone="+13055550119")
    interaction = InteractionFactory(channel=sms_channel, contact_value="+13055550119")
    signed_in(agent).get(reverse("inbox:talk", args=[interaction.pk]))
    assert entries("viewed") == [("interaction", interaction.pk, None)]
    assert AuditEntry.objects.get(action="viewed").detail == {"candidates": [offered.pk]}


def test_a_screen_that_stays_open_leaves_a_trace_every_quarter_of_an_hour(agent, sms_channel, signed_in, time_machine):
    interaction = InteractionFactory(channel=sms_channel, patient=PatientFactory())
    time_machine.move_to("2026-03-02 10:00:00+00:00", tick=False)
    client, counts = signed_in(agent), []
    for _ in range(4):
        client.get(reverse("inbox:talk", args=[interaction.pk]))
        counts.append(len(entries("viewed")))
        time_machine.shift(450)
    assert counts == [1, 1, 2, 2]


def test_another_patient_linked_meanwhile_is_a_trace_of_its_own(agent, sms_channel, signed_in):
    first, second = PatientFactory(), PatientFactory()
    interaction = InteractionFactory(channel=sms_channel, patient=first)
    client = signed_in(agent)
    page_of(client, interaction)
    Interaction.objects.filter(pk=interaction.pk).update(patient=second)
    page_of(client, interaction)
    assert [patient_id for _type, _id, patient_id in entries("viewed")] == [first.pk, second.pk]


# ---- searching ----


def test_what_is_searched_for_stands_in_no_address(agent, sms_channel, signed_in):
    wanted = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory(family_name="Quispe"))
    InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory(family_name="Smith"))
    client = signed_in(agent)
    answer = client.post(reverse("inbox:search"), {"view": "mine", "q": "quispe"}, follow=True)
    page = answer.content.decode()
    assert [row.pk for row in answer.context["page"].object_list] == [wanted.pk]
    assert "quispe" not in answer.request["QUERY_STRING"].lower()
    assert "q=" not in page.replace('value="quispe"', "") and 'value="quispe"' in page
    repeated = client.get(reverse("inbox:rows"), {"view": "mine", "s": answer.context["search_key"]})
    assert [row.pk for row in repeated.context["page"].object_list] == [wanted.pk]


def test_a_key_of_another_session_finds_nothing_out(agent, second_agent, sms_channel, signed_in):
    client = signed_in(agent)
    key = client.post(reverse("inbox:search"), {"view": "mine", "q": "quispe"}).url.partition("s=")[2]
    other = signed_in(second_agent).get(reverse("inbox:list"), {"s": key})
    assert (len(key), other.context["query"]) == (8, "")


def test_a_search_that_refreshes_itself_leaves_no_further_entry(agent, sms_channel, signed_in):
    client = signed_in(agent)
    key = client.post(reverse("inbox:search"), {"q": "smith"}, follow=True).context["search_key"]
    for _ in range(3):
        client.get(reverse("inbox:rows"), {"s": key}, headers=BACKGROUND)
    assert entries("searched") == [("patient", None, None)]


# ---- outbox and quarantine ----


def test_an_auditor_sees_that_a_message_waits_but_not_to_whom_and_what(auditor, agent, sms_channel, signed_in):
    patient = PatientFactory(family_name="Geheim")
    interaction = InteractionFactory(channel=sms_channel, patient=patient, owner=agent)
    message = MessageFactory(interaction=interaction, direction=Direction.OUTBOUND, text="Your biopsy")
    pages = {user.role: signed_in(user).get(reverse("inbox:outbox")).content.decode() for user in (auditor, agent)}
    seen = {role: [f"outbox-{message.pk}" in page, "Geheim" in page, "biopsy" in page] for role, page in pages.items()}
    assert seen == {"auditor": [True, False, False], "agent": [True, True, True]}


def test_a_drawn_outbox_is_on_record_once_with_whom_it_named(auditor, agent, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, patient=PatientFactory(), owner=agent)
    message = MessageFactory(interaction=interaction, direction=Direction.OUTBOUND)
    client = signed_in(agent)
    client.get(reverse("inbox:outbox"))
    client.get(reverse("inbox:outbox"), headers=BACKGROUND)
    signed_in(auditor).get(reverse("inbox:outbox"))
    entry = AuditEntry.objects.get(action="searched")
    assert (entry.actor_id, entry.object_type) == (agent.pk, "message")
    assert entry.detail == {"found": [message.pk], "patients": [interaction.patient_id]}


def test_only_a_quarantined_event_gives_out_its_raw_source_and_names_the_patient(supervisor, sms_channel, signed_in):
    patient = PatientFactory()
    message = MessageFactory(interaction=InteractionFactory(channel=sms_channel, patient=patient))
    done = WebhookEventFactory(status="processed", body=b"Body=secret")
    event = WebhookEventFactory(status="quarantined", body=b"Body=odd", message=message)
    client = signed_in(supervisor)
    answers = [client.get(reverse("inbox:quarantine-raw", args=[row.pk])) for row in (done, event)]
    assert [answer.status_code for answer in answers] == [404, 200]
    assert answers[1].content == b"Body=odd"
    assert entries("downloaded") == [("webhook_event", event.pk, patient.pk)]
