"""The inbox list and the conversation page."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditEntry
from inbox.enums import Direction, MessageStatus
from inbox.models import Interaction, Message, Note
from tests.factories.care import AlertFactory
from tests.factories.inbox import (
    AttachmentFactory,
    CaseFactory,
    InteractionFactory,
    MessageFactory,
    MessageTemplateFactory,
    NoteFactory,
    TaskFactory,
)
from tests.factories.patients import ContactPointFactory, PatientFactory, RelatedPersonFactory

HTMX = {"HX-Request": "true", "HX-Target": "div#workspace"}
pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"inbox:{name}", args=args)


def queries_of(client, address, count):
    """Queries of the second visit, when session and content types are warm."""
    client.get(address)
    with count() as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.fixture
def count(django_assert_max_num_queries):
    return lambda: django_assert_max_num_queries(100)


def test_the_list_asks_as_many_questions_of_the_database_for_three_rows_as_for_one(
    agent, sms_channel, signed_in, count
):
    client = signed_in(agent)
    InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
    one = queries_of(client, url("list"), count)
    for _ in range(2):
        InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
    assert queries_of(client, url("list"), count) == one


def test_the_conversation_asks_as_many_questions_for_a_long_thread_as_for_a_short_one(
    agent, sms_channel, signed_in, count
):
    patient = PatientFactory(phone="+13055550142")
    interaction = InteractionFactory(channel=sms_channel, owner=agent, patient=patient)
    MessageFactory(interaction=interaction)
    NoteFactory(interaction=interaction)
    client = signed_in(agent)
    short = queries_of(client, url("interaction", interaction.pk), count)
    earlier = InteractionFactory(channel=sms_channel, patient=patient, status="closed")
    for row in (interaction, interaction, earlier):
        AttachmentFactory(message=MessageFactory(interaction=row))
        NoteFactory(interaction=row)
    # One more: the earlier conversations of the thread are read together, however many they are.
    assert queries_of(client, url("interaction", interaction.pk), count) <= short + 1


MOST_QUESTIONS = 46


def test_the_conversation_asks_as_many_questions_for_fifty_of_everything_beside_it_as_for_one(
    agent, sms_channel, signed_in, count
):
    patient = PatientFactory(phone="+13054440142")
    interaction = InteractionFactory(channel=sms_channel, owner=agent, patient=patient)
    client, address = signed_in(agent), url("interaction", interaction.pk)

    def add(times):
        for _ in range(times):
            row = InteractionFactory(channel=sms_channel, patient=patient, owner=agent, status="closed")
            MessageFactory(interaction=row)
            NoteFactory(interaction=interaction, author=agent)
            TaskFactory(interaction=interaction, owner=agent)
            CaseFactory(patient=patient, owner=agent)
            AlertFactory(patient=patient, created_by=agent)
            ContactPointFactory(patient=patient)
            RelatedPersonFactory(patient=patient)

    add(1)
    one = queries_of(client, address, count)
    add(49)
    assert (queries_of(client, address, count), one <= MOST_QUESTIONS) == (one, True)


def test_a_row_shows_who_waits_on_which_channel_for_how_long_and_what_was_said(agent, sms_channel, signed_in):
    patient = PatientFactory(given_name="María", family_name="Quispe")
    since = timezone.now() - timedelta(minutes=12)
    row = InteractionFactory(
        channel=sms_channel, owner=agent, patient=patient, snippet="¿Puedo desayunar?", waiting_since_at=since
    )
    page = signed_in(agent).get(url("rows"), headers=HTMX).content.decode()
    shown = page.split(f'id="row-{row.pk}"')[1].split("</li>")[0]
    assert [word in shown for word in ("María Quispe", "SMS", "12m", "¿Puedo desayunar?")] == [True] * 4


def test_who_waits_longest_for_us_stands_before_who_was_answered(agent, sms_channel, signed_in):
    now = timezone.now()
    answered = InteractionFactory(channel=sms_channel, owner=agent, waiting_since_at=None)
    late = InteractionFactory(channel=sms_channel, owner=agent, waiting_since_at=now - timedelta(hours=2))
    early = InteractionFactory(channel=sms_channel, owner=agent, waiting_since_at=now - timedelta(hours=5))
    urgent = InteractionFactory(channel=sms_channel, owner=agent, waiting_since_at=now, priority=1)
    groups = signed_in(agent).get(url("list")).context["row_groups"]
    assert [[row.pk for row in group["rows"]] for group in groups] == [[urgent.pk, early.pk, late.pk], [answered.pk]]


def test_the_views_count_what_is_mine_and_what_nobody_owns(agent, second_agent, sms_channel, signed_in):
    for owner in (agent, agent, None, second_agent):
        InteractionFactory(channel=sms_channel, owner=owner)
    InteractionFactory(channel=sms_channel, status="closed")
    groups = signed_in(agent).get(url("views"), headers=HTMX).context["view_groups"]
    counts = {entry.key: entry.count for group in groups for entry in group["entries"]}
    assert counts == {
        "mine": 2,
        "unassigned": 1,
        "open": 4,
        "mentions": 0,
        "drafts": 0,
        "snoozed": 0,
        "done": 0,
        "closed": None,
        f"queue-{sms_channel.queue_id}": 4,
        "channel-sms": 4,
    }


@pytest.mark.parametrize(
    "name", ["interaction", "talk", "side", "snooze", "transfer", "labels", "wrap-up", "link", "templates"]
)
def test_a_conversation_of_another_queue_is_not_there(name, outsider, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel)
    assert signed_in(outsider).get(url(name, interaction.pk)).status_code == 404


@pytest.mark.parametrize(
    "name", ["compose", "take", "release", "snooze", "wake", "transfer", "labels", "wrap-up", "reopen", "link"]
)
def test_nobody_acts_on_a_conversation_of_another_queue(name, outsider, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel)
    answer = signed_in(outsider).post(url(name, interaction.pk), {"mode": "sms", "text": "Hello"})
    interaction.refresh_from_db()
    assert (answer.status_code, interaction.owner, Message.objects.count()) == (404, None, 0)


def test_people_who_do_not_work_the_inbox_are_refused(auditor, signed_in):
    client = signed_in(auditor)
    assert [client.get(url(name)).status_code for name in ("list", "rows", "views")] == [403, 403, 403]


def test_opening_a_patient_leaves_one_trace_and_drawing_the_page_again_leaves_none(agent, sms_channel, signed_in):
    patient = PatientFactory()
    interaction = InteractionFactory(channel=sms_channel, owner=agent, patient=patient)
    client = signed_in(agent)
    for name in ("interaction", "talk", "side"):
        assert client.get(url(name, interaction.pk), headers=HTMX).status_code == 200
    seen = AuditEntry.objects.filter(action=AuditAction.VIEWED)
    assert [(entry.actor_id, entry.patient_id) for entry in seen] == [(agent.pk, patient.pk)]


def test_the_owner_who_opens_a_conversation_has_read_it(agent, second_agent, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, owner=agent, unread_count=2)
    signed_in(second_agent).get(url("interaction", interaction.pk))
    assert Interaction.objects.get(pk=interaction.pk).unread_count == 2
    signed_in(agent).get(url("interaction", interaction.pk))
    assert Interaction.objects.get(pk=interaction.pk).unread_count == 0


def test_one_timeline_holds_every_channel_of_the_patient_and_marks_the_present_one(
    agent, sms_channel, whatsapp_channel, signed_in
):
    patient = PatientFactory()
    earlier = InteractionFactory(channel=whatsapp_channel, patient=patient, status="closed")
    MessageFactory(interaction=earlier, text="By WhatsApp", occurred_at=timezone.now() - timedelta(days=2))
    present = InteractionFactory(channel=sms_channel, patient=patient, owner=agent)
    MessageFactory(interaction=present, text="By SMS")
    items = signed_in(agent).get(url("talk", present.pk), headers=HTMX).context["items"]
    drawn = [(item["kind"], item["is_present"]) for item in items]
    assert drawn == [
        ("day", False),
        ("opening", False),
        ("message", False),
        ("day", True),
        ("opening", True),
        ("message", True),
    ]


def test_what_people_write_is_shown_as_text_and_never_as_markup(agent, sms_channel, signed_in):
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    interaction = InteractionFactory(channel=sms_channel, owner=agent, contact_name=evil, snippet=evil)
    MessageFactory(interaction=interaction, text=evil)
    page = signed_in(agent).get(url("interaction", interaction.pk)).content.decode()
    assert (page.count("<script>alert"), page.count("<img src=x")) == (0, 0)
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


def send(client, interaction, text, headers=None, **extra):
    page = client.get(url("talk", interaction.pk), headers=HTMX).context
    data = {"mode": "sms", "text": text, "form_key": page["form_key"], "seen_message_id": page["seen_message_id"]}
    return data | extra, client.post(url("compose", interaction.pk), data | extra, headers=headers)


def test_a_reply_is_queued_once_however_often_the_same_form_is_sent(agent, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, owner=agent)
    client = signed_in(agent)
    data, first = send(client, interaction, "We are open until six.", HTMX)
    again = client.post(url("compose", interaction.pk), data, headers=HTMX)
    sent = Message.objects.filter(direction=Direction.OUTBOUND)
    assert (first.status_code, again.status_code) == (200, 200)
    assert [(row.text, row.status, row.author) for row in sent] == [
        ("We are open until six.", MessageStatus.QUEUED, agent)
    ]


def test_the_same_words_can_be_sent_again_on_purpose(agent, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, owner=agent)
    client = signed_in(agent)
    for _ in range(2):
        send(client, interaction, "Yes", HTMX)
    assert Message.objects.filter(direction=Direction.OUTBOUND, text="Yes").count() == 2


def test_without_javascript_a_reply_leads_back_to_the_page(agent, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, owner=agent)
    _data, answer = send(signed_in(agent), interaction, "Hello")
    assert (answer.status_code, answer.url) == (302, url("interaction", interaction.pk))


@pytest.mark.parametrize("headers", [HTMX, None])
def test_free_text_after_the_window_is_refused_at_the_box_with_the_words_kept(
    headers, agent, whatsapp_channel, signed_in
):
    long_ago = timezone.now() - timedelta(hours=25)
    interaction = InteractionFactory(channel=whatsapp_channel, owner=agent, last_inbound_at=long_ago)
    _data, answer = send(signed_in(agent), interaction, "Too late", headers, mode="whatsapp")
    page = answer.content.decode()
    assert (answer.status_code, Message.objects.filter(direction=Direction.OUTBOUND).count()) == (422, 0)
    assert ("24-hour" in answer.context["composer_errors"], ">Too late</textarea>" in page) == (True, True)


def test_a_closed_window_offers_templates_and_an_open_one_shows_when_it_closes(agent, whatsapp_channel, signed_in):
    now = timezone.now()
    closed, opened = (InteractionFactory(channel=whatsapp_channel, owner=agent) for _ in range(2))
    MessageFactory(interaction=closed, occurred_at=now - timedelta(hours=30))
    MessageFactory(interaction=opened, occurred_at=now)
    client = signed_in(agent)
    options = [client.get(url("talk", row.pk), headers=HTMX).context["reply_options"][0] for row in (closed, opened)]
    assert [(option.is_available, option.needs_template) for option in options] == [(False, True), (True, False)]
    assert options[1].window_closes_at == now + timedelta(hours=24)


def test_a_template_is_sent_with_its_variables_filled_in(agent, whatsapp_channel, signed_in):
    long_ago = timezone.now() - timedelta(hours=30)
    interaction = InteractionFactory(channel=whatsapp_channel, owner=agent, last_inbound_at=long_ago)
    template = MessageTemplateFactory(body="Hello {{1}}, please call us.")
    client = signed_in(agent)
    address = f"{url('templates', interaction.pk)}?template={template.pk}"
    empty = client.post(address, {"form_key": "k"}, headers=HTMX)
    sent = client.post(address, {"form_key": "k", "variable-1": "María"}, headers=HTMX)
    assert (empty.status_code, sent.status_code) == (422, 200)
    assert list(Message.objects.filter(direction=Direction.OUTBOUND).values_list("text", flat=True)) == [
        "Hello María, please call us."
    ]


def test_a_channel_that_is_off_says_why(agent, sms_channel, email_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
    options = signed_in(agent).get(url("talk", interaction.pk), headers=HTMX).context["reply_options"]
    told = {option.kind: option.reason for option in options}
    assert told == {"sms": "", "email": "There is no address to send to."}


def test_the_number_behind_an_unknown_whatsapp_can_be_answered_by_sms_too(
    agent, sms_channel, whatsapp_channel, signed_in
):
    interaction = InteractionFactory(channel=whatsapp_channel, owner=agent, contact_value="+13055550142")
    client = signed_in(agent)
    options = client.get(url("talk", interaction.pk), headers=HTMX).context["reply_options"]
    assert [(option.kind, option.is_available) for option in options] == [("whatsapp", False), ("sms", True)]
    _data, answer = send(client, interaction, "We write by SMS then.", HTMX, mode="sms")
    message = Message.objects.get(direction=Direction.OUTBOUND)
    assert (answer.status_code, message.channel, message.address) == (200, sms_channel, "+13055550142")


def test_a_whatsapp_user_without_number_cannot_be_reached_by_sms_before_the_patient_is_known(
    agent, sms_channel, whatsapp_channel, signed_in
):
    interaction = InteractionFactory(
        channel=whatsapp_channel, owner=agent, contact_scheme="whatsapp_user_id", contact_value="US.77"
    )
    options = signed_in(agent).get(url("talk", interaction.pk), headers=HTMX).context["reply_options"]
    assert {option.kind: option.reason for option in options}["sms"] == (
        "Link the patient first: only then is it known where else to reach them."
    )


def test_a_closed_whatsapp_window_offers_templates_in_a_conversation_by_sms(
    agent, sms_channel, whatsapp_channel, signed_in
):
    interaction = InteractionFactory(channel=sms_channel, owner=agent, contact_value="+13055550142")
    template = MessageTemplateFactory(body="Hello {{1}}, please call us.")
    client = signed_in(agent)
    talk = client.get(url("talk", interaction.pk), headers=HTMX)
    option = next(one for one in talk.context["reply_options"] if one.kind == "whatsapp")
    assert (option.is_available, option.needs_template) == (False, True)
    assert f'hx-get="{url("templates", interaction.pk)}"' in talk.content.decode()
    address = f"{url('templates', interaction.pk)}?template={template.pk}"
    client.post(address, {"form_key": "k", "variable-1": "María"}, headers=HTMX)
    message = Message.objects.get(direction=Direction.OUTBOUND)
    assert (message.channel, message.address, message.interaction_id, message.text) == (
        whatsapp_channel,
        "+13055550142",
        interaction.pk,
        "Hello María, please call us.",
    )


@pytest.mark.parametrize(
    ("scheme", "value", "mode"), [("email", "ana@mail.example", "email"), ("phone", "+13055550142", "sms")]
)
def test_a_form_is_answered_the_way_its_sender_asked_for(
    scheme, value, mode, agent, form_channel, whatsapp_channel, sms_channel, email_channel, signed_in
):
    patient = PatientFactory(phone="+13055550142", email="ana@mail.example")
    row = InteractionFactory(
        channel=form_channel, owner=agent, patient=patient, contact_scheme=scheme, contact_value=value
    )
    assert signed_in(agent).get(url("talk", row.pk), headers=HTMX).context["mode"] == mode


def test_answering_on_another_channel_stays_in_the_conversation(agent, sms_channel, email_channel, signed_in):
    patient = PatientFactory(email="maria@mail.example")
    interaction = InteractionFactory(channel=sms_channel, owner=agent, patient=patient)
    _data, answer = send(signed_in(agent), interaction, "By mail then", HTMX, mode="email")
    message = Message.objects.get(direction=Direction.OUTBOUND)
    assert (answer.status_code, message.channel, message.address, message.interaction_id) == (
        200,
        email_channel,
        "maria@mail.example",
        interaction.pk,
    )


def test_a_note_is_kept_and_never_sent(agent, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, owner=agent)
    send(signed_in(agent), interaction, "Prefers mornings", HTMX, mode="note")
    assert (Note.objects.get().body, Message.objects.count()) == ("Prefers mornings", 0)


def test_a_reply_to_something_older_than_the_newest_message_is_stopped(agent, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, owner=agent)
    client = signed_in(agent)
    page = client.get(url("talk", interaction.pk), headers=HTMX).context
    MessageFactory(interaction=interaction, text="Wait, one more thing")
    data = {"mode": "sms", "text": "Done", "form_key": page["form_key"], "seen_message_id": page["seen_message_id"]}
    answer = client.post(url("compose", interaction.pk), data, headers=HTMX)
    assert (answer.status_code, "Wait, one more thing" in answer.content.decode()) == (409, True)
    assert Message.objects.filter(direction=Direction.OUTBOUND).count() == 0


def test_a_clean_file_is_downloaded_and_never_opened_by_the_browser(agent, sms_channel, signed_in):
    message = MessageFactory(interaction=InteractionFactory(channel=sms_channel, owner=agent))
    clean = AttachmentFactory(message=message, status="clean", name="plan.pdf", file=ContentFile(b"%PDF", name="x"))
    answer = signed_in(agent).get(url("attachment", clean.pk), follow=True)
    assert (answer["Content-Disposition"], answer["X-Content-Type-Options"], answer["Content-Type"]) == (
        'attachment; filename="plan.pdf"',
        "nosniff",
        "application/octet-stream",
    )
    assert AuditEntry.objects.filter(action=AuditAction.DOWNLOADED, object_id=clean.pk).count() == 1


@pytest.mark.parametrize("status", ["pending", "refused", "failed"])
def test_a_file_that_is_not_clean_cannot_be_had(status, agent, sms_channel, signed_in):
    message = MessageFactory(interaction=InteractionFactory(channel=sms_channel, owner=agent))
    file = AttachmentFactory(message=message, status=status, file=ContentFile(b"MZ", name="x"))
    page = signed_in(agent).get(url("talk", message.interaction_id), headers=HTMX).content.decode()
    assert (signed_in(agent).get(url("attachment", file.pk)).status_code, url("attachment", file.pk) in page) == (
        404,
        False,
    )


def test_a_file_of_another_queue_cannot_be_had(outsider, sms_channel, signed_in):
    message = MessageFactory(interaction=InteractionFactory(channel=sms_channel))
    file = AttachmentFactory(message=message, status="clean", file=ContentFile(b"x", name="x"))
    assert signed_in(outsider).get(url("attachment", file.pk)).status_code == 404


def test_a_failed_message_says_why_in_words(agent, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, owner=agent)
    MessageFactory(
        interaction=interaction,
        direction=Direction.OUTBOUND,
        status="failed",
        error_text="The number is a landline and cannot receive messages.",
    )
    page = signed_in(agent).get(url("talk", interaction.pk), headers=HTMX).content.decode()
    assert "Not delivered. The number is a landline and cannot receive messages." in page
