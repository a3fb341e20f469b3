"""What partner agents, auditors and logs of addresses never get to see."""

import pytest
from django.urls import reverse

from inbox.models import Interaction
from tests.factories.inbox import CaseFactory, ChannelFactory, InteractionFactory, ReasonFactory
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
    hidden = PatientFactory(family_name="Verborgen", is_sensitive=True, phone="+13055550112")
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
    RelatedPersonFactory(patient=patient, relative=PatientFactory(is_sensitive=True), name="Hidden Relative")
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
