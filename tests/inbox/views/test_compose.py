"""The reply box over HTTP: files, copies, later, taking back, send and resolve; with htmx and without JavaScript."""

import json
from datetime import timedelta

import pytest
from django.core import mail as outgoing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone, translation

from inbox.enums import Direction, MessageStatus
from inbox.models import Attachment, Draft, Message, Upload
from inbox.services.outbox import drain_outboxes
from tests.factories.inbox import AttachmentFactory, InteractionFactory, MessageFactory, MessageTemplateFactory
from tests.inbox.services.test_attachments import PDF, PNG

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "div#workspace"}


@pytest.fixture
def by_mail(email_channel, agent):
    row = InteractionFactory(channel=email_channel, contact_value="ana@example.org", owner=agent)
    MessageFactory(interaction=row, text="When?", cc=["son@example.org", "care@aurora.example", "ana@example.org"])
    return row


@pytest.fixture
def by_sms(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, contact_value="+13055550123", owner=agent)


def png(name="rash.png"):
    return SimpleUploadedFile(name, PNG, "image/png")


def compose(client, interaction, headers=HTMX, **data):
    given = {"mode": interaction.channel_kind, "text": "At nine", "form_key": "f1", **data}
    return client.post(reverse("inbox:compose", args=[interaction.pk]), given, headers=headers)


def outbound():
    return list(Message.objects.filter(direction=Direction.OUTBOUND).order_by("pk"))


def events(answer):
    return json.loads(answer.headers.get("HX-Trigger", "{}"))


@pytest.mark.parametrize("headers", [HTMX, None])
def test_files_of_the_form_leave_with_the_text(headers, signed_in, agent, by_sms):
    compose(signed_in(agent), by_sms, headers, files=[png(), SimpleUploadedFile("plan.pdf", PDF, "application/pdf")])
    (message,) = outbound()
    assert (message.text, [file.name for file in message.attachments.order_by("pk")]) == (
        "At nine",
        ["rash.png", "plan.pdf"],
    )


def test_a_file_is_uploaded_listed_and_removed(signed_in, agent, by_sms):
    client, url = signed_in(agent), reverse("inbox:upload", args=[by_sms.pk])
    listed = client.post(url, {"files": [png()]}, headers=HTMX)
    (waiting,) = listed.context["uploads"]
    assert (listed.status_code, waiting.upload.name) == (200, "rash.png")
    removed = client.post(
        reverse("inbox:upload-remove", args=[by_sms.pk]), {"upload_id": waiting.upload.pk}, headers=HTMX
    )
    assert removed.context["uploads"] == []


def test_a_refused_file_is_told_beside_the_list_and_the_text_stays(signed_in, agent, by_sms):
    bad = SimpleUploadedFile("x.svg", b'<svg onload="alert(1)">', "image/svg+xml")
    answer = compose(signed_in(agent), by_sms, files=[png(), bad])
    assert (answer.status_code, answer.context["upload_problems"], answer.context["composer_text"]) == (
        422,
        ["“x.svg” is not sent: This type of file is not accepted."],
        "At nine",
    )
    assert ([one.upload.name for one in answer.context["uploads"]], outbound()) == (["rash.png"], [])


def test_the_same_form_with_a_file_twice_sends_once(signed_in, agent, by_sms):
    client = signed_in(agent)
    for _ in range(2):
        compose(client, by_sms, files=[png()])
    assert ([row.attachments.count() for row in outbound()], Upload.objects.filter(sent_with=None).count()) == ([1], 0)
    (sent,) = Upload.objects.all()
    compose(client, by_sms, upload=[sent.pk])
    assert len(outbound()) == 1


def test_removing_a_file_without_javascript_keeps_the_text(signed_in, agent, by_sms):
    client = signed_in(agent)
    client.post(reverse("inbox:upload", args=[by_sms.pk]), {"files": [png()]})
    row = Upload.objects.get()
    answer = compose(client, by_sms, None, remove=row.pk, upload=[row.pk])
    assert (answer.context["composer_text"], Upload.objects.count(), outbound()) == ("At nine", 0, [])


def test_marking_a_file_without_javascript_sends_nothing_and_keeps_the_text(signed_in, agent, by_sms):
    client = signed_in(agent)
    client.post(reverse("inbox:upload", args=[by_sms.pk]), {"files": [png()]})
    row = Upload.objects.get()
    answers = [compose(client, by_sms, None, mark=f"{row.pk}:{on}", upload=[row.pk]) for on in (1, 0)]
    marks = [answer.context["uploads"][0].upload.is_sensitive for answer in answers]
    assert (marks, answers[0].context["composer_text"], outbound()) == ([True, False], "At nine", [])


def test_nobody_elses_conversation_takes_a_file(signed_in, outsider, by_sms):
    answer = signed_in(outsider).post(reverse("inbox:upload", args=[by_sms.pk]), {"files": [png()]})
    assert (answer.status_code, Upload.objects.count()) == (404, 0)


def test_a_body_over_the_limit_is_refused_unread(signed_in, agent, by_sms, settings):
    settings.MAX_UPLOAD_BYTES = 100
    answer = signed_in(agent).post(reverse("inbox:upload", args=[by_sms.pk]), {"files": [png()]})
    assert (answer.status_code, Upload.objects.count()) == (413, 0)


def test_a_picture_is_drawn_for_whoever_sees_the_conversation_and_never_runs(signed_in, agent, outsider, by_sms):
    compose(signed_in(agent), by_sms, files=[png()])
    url = reverse("inbox:picture", args=[outbound()[0].attachments.get().pk])
    answer = signed_in(agent).get(url, follow=True)
    assert (b"".join(answer.streaming_content), answer["Content-Type"], answer["X-Content-Type-Options"]) == (
        PNG,
        "image/png",
        "nosniff",
    )
    assert answer["Content-Disposition"].startswith("attachment")
    assert signed_in(outsider).get(url).status_code == 404
    page = AttachmentFactory(message=outbound()[0], status="clean", content_type="text/html")
    assert signed_in(agent).get(reverse("inbox:picture", args=[page.pk])).status_code == 404


def test_who_got_the_patients_mail_is_shown_and_can_be_changed_before_the_answer_leaves(signed_in, agent, by_mail):
    client = signed_in(agent)
    page = client.get(reverse("inbox:interaction", args=[by_mail.pk]))
    compose(client, by_mail, cc="son@example.org; Nurse@Example.org, ana@example.org")
    assert (page.context["composer_cc"], outbound()[0].cc) == (
        "son@example.org",
        ["son@example.org", "nurse@example.org"],
    )


@pytest.mark.parametrize("cc", ["no address", "a@b\nBcc: x@example.org", ", ".join(f"p{n}@x.org" for n in range(11))])
def test_a_copy_to_nonsense_or_too_many_is_refused_and_kept(cc, signed_in, agent, by_mail):
    answer = compose(signed_in(agent), by_mail, cc=cc)
    assert (answer.status_code, answer.context["composer_cc"].split(), outbound()) == (422, cc.split(), [])


def test_copies_are_for_mail_only(signed_in, agent, by_sms):
    compose(signed_in(agent), by_sms, cc="son@example.org")
    assert outbound()[0].cc == []


def test_a_mail_is_held_and_undo_is_offered_while_a_text_leaves_at_once(signed_in, agent, by_mail, by_sms, settings):
    settings.MAIL_UNDO_SECONDS = 10
    client = signed_in(agent)
    mailed, texted = compose(client, by_mail), compose(client, by_sms)
    held, at_once = outbound()
    offer = events(mailed)["undo-offer"]
    assert (offer["seconds"], offer["url"]) == (10, reverse("inbox:take-back", args=[held.pk]))
    assert (held.next_attempt_at > timezone.now(), at_once.next_attempt_at, events(texted)) == (True, None, {})


@pytest.mark.parametrize("headers", [HTMX, None])
def test_undo_puts_text_copies_and_files_back(headers, signed_in, agent, by_mail):
    client = signed_in(agent)
    compose(client, by_mail, files=[png()], cc="son@example.org")
    (message,) = outbound()
    answer = client.post(reverse("inbox:take-back", args=[message.pk]), headers=headers)
    shown = answer.context
    assert (shown["composer_text"], shown["composer_cc"], [one.upload.name for one in shown["uploads"]]) == (
        "At nine",
        "son@example.org",
        ["rash.png"],
    )
    message.refresh_from_db()
    drain_outboxes()
    assert (message.status, Draft.objects.get().text, outgoing.outbox) == (MessageStatus.CANCELLED, "At nine", [])


def test_undo_keeps_what_was_typed_meanwhile_below(signed_in, agent, by_mail):
    client = signed_in(agent)
    compose(client, by_mail)
    client.post(reverse("inbox:draft", args=[by_mail.pk]), {"mode": "email", "text": "Next thought"})
    answer = client.post(reverse("inbox:take-back", args=[outbound()[0].pk]), headers=HTMX)
    assert answer.context["composer_text"] == "At nine\n\nNext thought"


def test_undo_that_comes_too_late_says_so(signed_in, agent, by_mail):
    client = signed_in(agent)
    compose(client, by_mail)
    Message.objects.filter(pk=outbound()[0].pk).update(status="sent", gate_decision="send")
    answer = client.post(reverse("inbox:take-back", args=[outbound()[0].pk]), headers=HTMX)
    assert (answer.status_code, events(answer)["toast"]["text"]) == (409, "It is too late: this message has left.")


def test_send_and_resolve_sends_and_leads_to_the_wrap_up(signed_in, agent, by_sms):
    client = signed_in(agent)
    answer = compose(client, by_sms, do="close")
    plain = compose(client, by_sms, None, do="close", text="And more", form_key="f2")
    assert (len(outbound()), events(answer)) == (2, {"wrap-up-now": {}})
    assert plain["Location"] == reverse("inbox:wrap-up", args=[by_sms.pk])


def test_send_and_resolve_of_nothing_resolves_nothing(signed_in, agent, by_sms):
    answer = compose(signed_in(agent), by_sms, do="close", text="")
    assert (answer.status_code, events(answer), outbound()) == (422, {}, [])


@pytest.mark.parametrize("headers", [HTMX, None])
def test_sending_later_asks_when_and_keeps_everything_until_then(headers, signed_in, agent, by_sms):
    client = signed_in(agent)
    asked = compose(client, by_sms, headers, do="later", files=[png()])
    assert (asked.context["data"]["text"], len(asked.context["data"]["uploads"]), outbound()) == ("At nine", 1, [])
    told = (asked.headers.get("X-Composer"), asked.headers.get("HX-Retarget"))
    assert told == (("keep", "#dialogs") if headers else (None, None))
    data = {"do": "schedule", "when": "tomorrow", "upload": asked.context["data"]["uploads"]}
    compose(client, by_sms, headers, **data)
    compose(client, by_sms, headers, **data)
    (message,) = outbound()
    assert (timezone.localtime(message.scheduled_at).hour, message.attachments.count()) == (9, 1)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "when"),
        ({"when": "never"}, "when"),
        ({"when": "other"}, "at_time"),
        ({"when": "other", "on_date": "2020-01-01", "at_time": "10:00"}, "__all__"),
        ({"when": "other", "on_date": "2399-01-01", "at_time": "10:00"}, "__all__"),
        ({"when": "other", "on_date": "tomorrow", "at_time": "10:00"}, "on_date"),
    ],
)
def test_a_moment_that_does_not_do_is_told_at_its_field(given, field, signed_in, agent, by_sms):
    answer = compose(signed_in(agent), by_sms, do="schedule", **given)
    assert (answer.status_code, field in answer.context["form"].errors, outbound()) == (422, True, [])
    assert answer.context["data"]["text"] == "At nine"


def test_a_message_that_is_put_off_can_be_moved_hurried_and_taken_back_in_the_thread(signed_in, agent, by_sms):
    client = signed_in(agent)
    compose(client, by_sms, do="schedule", when="tomorrow")
    (message,) = outbound()
    day = (timezone.localdate() + timedelta(days=3)).isoformat()
    client.post(
        reverse("inbox:message-later", args=[message.pk]),
        {"when": "other", "on_date": day, "at_time": "11:30"},
        headers=HTMX,
    )
    moved = timezone.localtime(Message.objects.get(pk=message.pk).scheduled_at)
    client.post(reverse("inbox:message-now", args=[message.pk]), headers=HTMX)
    message.refresh_from_db()
    assert (moved.date().isoformat(), moved.hour, message.scheduled_at) == (day, 11, None)


@pytest.mark.parametrize("name", ["message-now", "take-back"])
def test_a_stranger_cannot_touch_a_message_that_waits(name, signed_in, agent, outsider, second_agent, by_mail):
    compose(signed_in(agent), by_mail)
    url = reverse(f"inbox:{name}", args=[outbound()[0].pk])
    codes = [signed_in(user).post(url).status_code for user in (outsider, second_agent)]
    assert (codes, outbound()[0].status) == ([404, 403], MessageStatus.QUEUED)


def test_a_failure_is_told_in_the_readers_language(signed_in, agent, by_sms, monkeypatch):
    message = MessageFactory(
        interaction=by_sms, direction=Direction.OUTBOUND, status=MessageStatus.FAILED, error_code="30005",
        provider="twilio_messaging", error_text="as it was stored",
    )  # fmt: skip
    from inbox.templatetags.desk import why_sentence

    with translation.override("es"):
        monkeypatch.setattr("inbox.selectors.failures.gettext", lambda text: f"[{text}]")
        assert why_sentence(message) == "[The number is unknown or no longer in service.]"
        message.error_code = "x"
        assert why_sentence(message) == "[as it was stored]"


def test_a_refused_file_of_the_patient_is_told_by_its_code():
    from inbox.templatetags.desk import file_note

    notes = [
        file_note(Attachment(status="refused", error=error))
        for error in ("virus", "left_out:1", "left_out:3", "This type of file is not accepted.", "")
    ]
    assert notes == [
        "The file carries a virus signature.",
        "Too many files came: this one was not kept.",
        "Too many files came: this is the first of 3 that were not kept.",
        "This type of file is not accepted.",
        "Refused",
    ]


@pytest.fixture
def dated(whatsapp_channel, agent):
    MessageTemplateFactory(
        language="es",
        body="Su visita: {{1}} a las {{2}}. {{3}}",
        variables=[
            {"key": "1", "label": "Day", "type": "date"},
            {"key": "2", "label": "Time", "type": "time"},
            {"key": "3", "label": "Link", "type": "url"},
        ],
    )
    return InteractionFactory(channel=whatsapp_channel, contact_value="+13055550123", owner=agent)


def template(client, row, **data):
    given = {f"variable-{key}": value for key, value in data.items() if key.isdecimal()}
    given |= {key: value for key, value in data.items() if not key.isdecimal()}
    return client.post(reverse("inbox:templates", args=[row.pk]), given, headers=HTMX)


def test_a_templates_variables_have_types_and_are_written_in_its_language(signed_in, agent, dated):
    day = timezone.localdate().replace(month=11, day=20)
    template(signed_in(agent), dated, **{"1": day.isoformat(), "2": "09:40", "3": "https://aurora.example/v"})
    weekday = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"][day.weekday()]
    text = outbound()[0].text
    assert (
        text.lower().startswith(f"su visita: {weekday} 20"),
        text.endswith("a las 09:40. https://aurora.example/v"),
    ) == (
        True,
        True,
    )


@pytest.mark.parametrize("wrong", [{"1": "soon"}, {"2": "25:00"}, {"3": "javascript:alert(1)"}, {"3": "http://x.org"}])
def test_a_value_of_the_wrong_type_is_told_at_its_field(wrong, signed_in, agent, dated):
    given = {"1": "2026-11-20", "2": "09:40", "3": "https://aurora.example/v", **wrong}
    answer = template(signed_in(agent), dated, **given)
    (key,) = wrong
    assert (answer.status_code, list(answer.context["form"].errors), outbound()) == (422, [f"variable-{key}"], [])


def test_the_preview_shows_what_is_filled_in_and_sends_nothing(signed_in, agent, dated):
    answer = template(signed_in(agent), dated, do="preview", **{"2": "09:40", "3": "wrong"})
    assert (answer.status_code, answer.context["preview"], outbound()) == (
        200,
        "Su visita: {{1}} a las 09:40. {{3}}",
        [],
    )


def test_a_template_is_found_by_name_or_words_and_no_search_stands_in_an_address(signed_in, agent, whatsapp_channel):
    row = InteractionFactory(channel=whatsapp_channel, owner=agent)
    wanted = MessageTemplateFactory(name="visit_reminder", body="Your visit is on {{1}}")
    MessageTemplateFactory(name="bill", body="Your bill")
    client = signed_in(agent)
    address = reverse("inbox:templates", args=[row.pk])
    for text in ("REMIND", "visit on"):
        found = client.post(address, {"do": "find", "q": text}, headers=HTMX)
        assert (found.status_code, found.context["templates"]) == (200, [wanted])
    nothing = client.post(address, {"do": "find", "q": "zebra"}, headers=HTMX)
    assert "No template fits." in nothing.content.decode()
