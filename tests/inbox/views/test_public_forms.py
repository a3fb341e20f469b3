"""A patient fills in a form without signing in."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from inbox.enums import EventStatus, FieldRole, FieldType
from inbox.models import FormField, FormSubmission, Interaction, Message, WebForm, WebhookEvent
from tests.factories.patients import ContactPointFactory, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def web_form(form_channel, email_channel, sms_channel):
    form = WebForm.objects.create(slug="contact", title="Write to us", channel=form_channel)
    rows = [
        ("name", "Family name", FieldType.TEXT, FieldRole.FAMILY_NAME, True),
        ("email", "E-mail", FieldType.EMAIL, FieldRole.EMAIL, False),
        ("phone", "Phone", FieldType.PHONE, FieldRole.PHONE, False),
        ("text", "What do you need?", FieldType.TEXTAREA, FieldRole.MESSAGE, True),
        ("file", "A photo", FieldType.FILE, FieldRole.NONE, False),
    ]
    for position, (key, label, kind, role, is_required) in enumerate(rows):
        FormField.objects.create(
            form=form, key=key, label=label, type=kind, role=role, is_required=is_required, position=position
        )
    FormField.objects.create(
        form=form,
        key="agree",
        label="I agree",
        type=FieldType.CONSENT,
        is_required=True,
        position=9,
        consent_text="We keep your message with your record.",
        consent_version="2026-1",
    )
    return form


def token_of(client, slug="contact"):
    page = client.get(f"/forms/{slug}/")
    return re.search(r'name="form_token" value="([^"]+)"', page.content.decode()).group(1)


GOOD = {"name": "García", "email": "ana@example.org", "text": "I need a new date", "agree": "on"}


def test_a_submission_becomes_a_waiting_interaction_with_a_reference_and_a_receipt(web_form):
    client = Client()
    answer = client.post("/forms/contact/", GOOD | {"form_token": token_of(client)})
    submission = FormSubmission.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/forms/contact/receipt/{submission.reference}/")
    assert submission.reference in client.get(answer["Location"]).content.decode()
    interaction = submission.interaction
    assert (interaction.status, interaction.contact_value, interaction.snippet) == (
        "queued",
        "ana@example.org",
        "Write to us: I need a new date",
    )
    assert submission.consents == [
        {"key": "agree", "text": "We keep your message with your record.", "version": "2026-1", "given": True}
    ]
    receipt = Message.objects.get(direction="outbound")
    assert (receipt.purpose, receipt.address, submission.reference in receipt.text) == (
        "receipt",
        "ana@example.org",
        True,
    )
    assert WebhookEvent.objects.get().status == EventStatus.PROCESSED


def test_the_same_page_sent_twice_is_one_submission(web_form):
    client = Client()
    token = token_of(client)
    first = client.post("/forms/contact/", GOOD | {"form_token": token})
    second = client.post("/forms/contact/", GOOD | {"form_token": token})
    assert first["Location"] == second["Location"]
    assert FormSubmission.objects.count() == 1


def test_what_is_wrong_is_said_at_the_field_and_the_input_is_kept(web_form):
    client = Client()
    answer = client.post("/forms/contact/", {"form_token": token_of(client), "phone": "12", "text": "My words"})
    page = answer.content.decode()
    assert (answer.status_code, Interaction.objects.count()) == (422, 0)
    assert "Please fill this in." in page
    assert "This does not look like a phone number." in page
    assert "My words" in page


def test_a_form_without_our_token_is_refused_and_keeps_the_input(web_form):
    answer = Client().post("/forms/contact/", GOOD)
    assert (answer.status_code, Interaction.objects.count()) == (403, 0)
    assert "I need a new date" in answer.content.decode()


def test_a_robot_that_fills_the_hidden_field_leaves_nothing(web_form):
    client = Client()
    answer = client.post("/forms/contact/", GOOD | {"form_token": token_of(client), "website": "http://spam.example"})
    assert (answer.status_code, Interaction.objects.count()) == (302, 0)


def test_too_many_submissions_from_one_address_are_slowed_down(web_form, settings):
    settings.PUBLIC_FORM_LIMIT = 1
    client = Client()
    first = client.post("/forms/contact/", GOOD | {"form_token": token_of(client)})
    second = client.post("/forms/contact/", GOOD | {"form_token": token_of(client)})
    assert (first.status_code, second.status_code, FormSubmission.objects.count()) == (302, 429, 1)


def test_a_patient_is_linked_only_when_address_and_name_agree(web_form):
    ana = PatientFactory(family_name="Garcia")
    ContactPointFactory(patient=ana, scheme="email", value="ana@example.org")
    client = Client()
    client.post("/forms/contact/", GOOD | {"form_token": token_of(client)})
    client.post("/forms/contact/", GOOD | {"form_token": token_of(client), "name": "Somebody Else"})
    assert [i.patient for i in Interaction.objects.order_by("id")] == [ana, None]


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        (
            "photo.png",
            b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00",
            "clean",
        ),
        ("photo.png", b"<html><script>alert(1)</script></html>", "refused"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "refused"),
        ("../../etc/passwd.txt", b"plain words", "clean"),
    ],
)
def test_uploads_are_judged_by_content_and_never_named_by_path(web_form, name, content, status):
    client = Client()
    client.post("/forms/contact/", GOOD | {"form_token": token_of(client), "file": SimpleUploadedFile(name, content)})
    attachment = Message.objects.get(direction="inbound").attachments.get()
    assert (attachment.status, "/" in attachment.name) == (status, False)


def test_machines_submit_json_and_get_the_reference(web_form):
    answers = {"name": "García", "email": "ana@example.org", "text": "Hello", "agree": True}
    post = lambda body, **headers: Client().post(  # noqa: E731
        "/forms/contact/submit.json", json.dumps(body), content_type="application/json", headers=headers
    )
    first = post({"answers": answers, "idempotency_key": "k-1"})
    again = post({"answers": answers, "idempotency_key": "k-1"})
    assert (first.status_code, again.json()) == (201, first.json())
    assert FormSubmission.objects.count() == 1
    wrong = post({"answers": {"name": "X"}})
    assert (wrong.status_code, sorted(wrong.json()["errors"])) == (422, ["agree", "email", "text"])
    assert post({"answers": answers}, Origin="https://evil.example").status_code == 403
    assert post(["no"]).status_code == 400


def frames_of(answer):
    """Who may frame this page, by its content policy; X-Frame-Options must not say otherwise."""
    policy = answer.headers["Content-Security-Policy"].split("frame-ancestors ")[1].split(";")[0]
    return policy, answer.headers.get("X-Frame-Options")


def test_a_form_in_a_frame_stays_there_until_the_receipt(web_form):
    WebForm.objects.update(allowed_origins=["https://www.clinic.example"])
    client = Client()
    page = client.get("/forms/contact/?embed")
    wrong = client.post("/forms/contact/?embed", {"form_token": token_of(client)})
    sent = client.post("/forms/contact/?embed", GOOD | {"form_token": token_of(client)})
    receipt = client.get(sent["Location"])
    robot = client.post("/forms/contact/?embed", GOOD | {"form_token": token_of(client), "website": "x"})
    thanks = client.get(robot["Location"])
    assert [answer.status_code for answer in (page, wrong, receipt, thanks)] == [200, 422, 200, 200]
    assert {frames_of(answer) for answer in (page, wrong, receipt, thanks)} == {("https://www.clinic.example", None)}
    assert 'href="/forms/contact/?embed"' in receipt.content.decode()


@pytest.mark.parametrize(
    ("origins", "path"), [([], "/forms/contact/?embed"), (["https://a.example"], "/forms/contact/")]
)
def test_no_page_can_be_framed_that_was_not_meant_for_it(origins, path, web_form):
    WebForm.objects.update(allowed_origins=origins)
    assert frames_of(Client().get(path)) == ("'none'", "DENY")


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_a_form_speaks_its_own_language_whatever_the_browser_asks_for(language, web_form):
    WebForm.objects.update(language=language)
    answer = Client().get("/forms/contact/", headers={"Accept-Language": "de, en"})
    assert (answer.headers["Content-Language"], f'<html lang="{language}"' in answer.content.decode()) == (
        language,
        True,
    )


def submit_json(content, **headers):
    return Client().post(
        "/forms/contact/submit.json", json.dumps(content), content_type="application/json", headers=headers
    )


WORDS = {"name": "García", "email": "ana@example.org", "text": "Hello", "agree": True}


def test_going_back_and_writing_more_is_a_second_submission_and_no_word_is_lost(web_form):
    client = Client()
    token = token_of(client)
    first = client.post("/forms/contact/", GOOD | {"form_token": token})
    second = client.post("/forms/contact/", GOOD | {"form_token": token, "text": "Please refill my insulin too"})
    again = client.post("/forms/contact/", GOOD | {"form_token": token, "text": "Please refill my insulin too"})
    assert (second["Location"] != first["Location"], again["Location"]) == (True, second["Location"])
    assert list(Message.objects.filter(direction="inbound").order_by("id").values_list("text", flat=True)) == [
        "I need a new date",
        "Please refill my insulin too",
    ]


def test_another_photo_under_the_same_name_is_a_second_submission(web_form):
    client = Client()
    token = token_of(client)
    for words in (b"first page", b"other page", b"other page"):
        client.post("/forms/contact/", GOOD | {"form_token": token, "file": SimpleUploadedFile("a.txt", words)})
    files = [message.attachments.get().file.read() for message in Message.objects.filter(kind="form").order_by("id")]
    assert files == [b"first page", b"other page"]


def test_a_machine_that_uses_its_key_for_other_answers_is_told_so(web_form):
    assert submit_json({"answers": WORDS, "idempotency_key": "k"}).status_code == 201
    other = submit_json({"answers": WORDS | {"text": "More"}, "idempotency_key": "k"})
    assert (other.status_code, list(other.json()), FormSubmission.objects.count()) == (409, ["detail"], 1)


def test_two_visitors_with_the_same_key_never_get_each_others_reference(web_form, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    first, second = (
        submit_json({"answers": WORDS | {"text": text}, "idempotency_key": "1"}, **{"X-Forwarded-For": address})
        for text, address in (("Mine", "203.0.113.1"), ("Yours", "203.0.113.2"))
    )
    assert (first.status_code, second.status_code) == (201, 201)
    words = Message.objects.filter(kind="form").values_list("interaction__reference", "text")
    assert dict(words) == {
        first.json()["reference"]: "Mine",
        second.json()["reference"]: "Yours",
    }


@pytest.mark.parametrize(
    ("kind", "value", "status"),
    [
        ("date", 5, 422),
        ("date", ["2020-01-01"], 422),
        ("date", {"year": 2020}, 422),
        ("date", "2020-01-01", 201),
        ("date", None, 201),
        ("text", True, 422),
        ("text", "\ud83d", 400),
        ("number", 3.5, 201),
        ("number", True, 422),
        ("number", float("nan"), 400),
        ("number", "1e400000", 422),
        ("choice", "a", 201),
        ("choice", ["a"], 422),
        ("choices", ["a", "b"], 201),
        ("choices", "a", 422),
        ("choices", [{"a": 1}], 422),
        ("consent", [1], 422),
        ("file", "photo.png", 422),
    ],
)
def test_an_answer_of_a_wrong_json_type_is_refused_with_words_at_its_field(web_form, kind, value, status):
    FormField.objects.create(form=web_form, key="more", label="More", type=kind, choices=["a", "b"])
    answer = submit_json({"answers": WORDS | {"more": value}})
    assert (answer.status_code, FormSubmission.objects.count()) == (status, int(status == 201))
    if status == 422:
        assert list(answer.json()["errors"]) == ["more"]


class Unread:
    """A body that must not be touched."""

    def read(self, *args):
        raise AssertionError("The body was read.")

    readline = read


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/forms/contact/", "99000000", 413),
        ("/forms/contact/", "", 411),
        ("/forms/contact/submit.json", "99000000", 413),
        ("/forms/contact/submit.json", "", 411),
    ],
)
def test_a_body_too_large_or_of_unknown_length_is_refused_unread(web_form, path, length, status):
    answer = Client().generic(
        "POST",
        path,
        content_type="multipart/form-data; boundary=b",
        headers={} if length else {"Transfer-Encoding": "chunked"},
        **{"CONTENT_LENGTH": length, "wsgi.input": Unread()},
    )
    assert (answer.status_code, Interaction.objects.count()) == (status, 0)


def test_a_connection_that_sends_too_much_is_refused_before_its_files_are_read(web_form, settings):
    settings.PUBLIC_FORM_LIMIT = 0
    answer = Client().generic(
        "POST",
        "/forms/contact/",
        content_type="multipart/form-data; boundary=b",
        **{"CONTENT_LENGTH": "1000", "wsgi.input": Unread()},
    )
    assert answer.status_code == 429
