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
