"""Somebody on a call whose patient becomes protected meanwhile: the call stays theirs, the conversation closes."""

import pytest
from django.urls import reverse
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from inbox.models import Call, Notification
from inbox.services import supervising
from tests.factories.inbox import ChannelFactory, DispositionFactory, InteractionFactory
from tests.factories.patients import PatientFactory
from tests.factories.voice import CallFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "dialogs"}
CLOSED = "The conversation is not open to you any more."


@pytest.fixture
def held(partner_agent, partner_queue):
    """The call of a partner agent, who may break no glass, with a patient who has just become protected."""
    channel = ChannelFactory(kind="voice", queue=partner_queue)
    talk = InteractionFactory(channel=channel, queue=partner_queue, owner=partner_agent, status="active")
    call = CallFactory(
        channel=channel, interaction=talk, agent=partner_agent, status="connected", answered_at=timezone.now()
    )
    talk.patient = PatientFactory(sensitivity="vip")
    talk.save()
    return call


def test_it_is_told_and_the_call_is_handed_on(held, partner_agent, queue, provider, signed_in):
    browser, transfer = signed_in(partner_agent), reverse("inbox:call-transfer", args=[held.pk])
    conversation = reverse("inbox:interaction", args=[held.interaction_id])
    assert browser.get(conversation).status_code == 404
    bar = browser.get(reverse("inbox:phone")).content.decode()
    assert (CLOSED in bar, conversation in bar, transfer in bar) == (True, False, True)
    asked = browser.get(transfer, headers=HTMX)
    assert (asked.status_code, CLOSED in asked.content.decode()) == (200, True)
    done = browser.post(transfer, {"queue": queue.pk, "why": "Protected now", "note": "Asks for Monday"})
    assert (done.status_code, done["Location"]) == (302, reverse("inbox:list"))
    assert f"Transferred. {CLOSED}" in browser.get(done["Location"]).content.decode()
    held.refresh_from_db()
    assert (held.status, held.queue, held.agent, held.interaction.queue_id) == ("waiting", queue, None, queue.pk)


def test_it_is_held_and_ended_like_any_other_and_its_wrap_up_waits_for_somebody_who_can_open_it(
    held, partner_agent, provider, signed_in
):
    browser, url = signed_in(partner_agent), reverse("inbox:call", args=[held.pk])
    assert browser.post(url, {"do": "hold"}, headers=HTMX | {"HX-Target": "phone"}).status_code == 200
    assert Call.objects.get().status == "held"
    ended = browser.post(url, {"do": "hang_up"}, headers=HTMX | {"HX-Target": "phone"})
    assert (ended["HX-Redirect"], Call.objects.get().status) == (reverse("inbox:list"), "completed")
    held.interaction.refresh_from_db()
    assert (held.interaction.status, held.interaction.owner) == ("queued", None)


def test_when_it_hangs_a_supervisor_ends_it_and_it_waits_for_somebody_who_can_open_it(
    held, partner_agent, supervisor, provider
):
    supervising.complete_stuck(
        actor=supervisor, user_id=partner_agent.pk, interaction_id=held.interaction_id,
        disposition=DispositionFactory(is_resolved=True), reason="stuck",
    )  # fmt: skip
    held.refresh_from_db()
    held.interaction.refresh_from_db()
    assert (held.status, held.interaction.status, held.interaction.owner) == ("completed", "queued", None)
    entry = AuditEntry.objects.filter(object_type="interaction", object_id=held.interaction_id).latest("pk")
    assert (entry.actor_id, entry.detail["to"], entry.detail["reason"]) == (supervisor.pk, "ended", "stuck")
    assert Notification.objects.filter(user=partner_agent, kind="supervised").count() == 1
