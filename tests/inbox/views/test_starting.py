"""Starting a conversation through the page, with and without JavaScript."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contact_center.audit.models import AuditEntry
from inbox.models import Interaction, Upload
from patients.models import Patient
from patients.services.duplicates import compare_records
from tests.factories.inbox import InteractionFactory, MessageTemplateFactory, OptOutFactory, ReasonFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "dialogs"}
PHONE = "+13055550142"
START = "/inbox/new/"


@pytest.fixture
def patient(db):
    return PatientFactory(given_name="María", family_name="Quispe", phone=PHONE, email="maria@example.org")


@pytest.fixture
def desk(agent, signed_in, sms_channel, email_channel, whatsapp_channel):
    return signed_in(agent)


def ways(answer):
    return [(way.channel.kind, way.address, way.reason, way.needs_template) for way in answer.context["ways"]]


def test_a_patient_is_found_chosen_and_written_to_without_javascript(desk, agent, patient, sms_channel):
    found = desk.post(START, {"do": "find", "q": "quispe"})
    assert (found.status_code, found.context["results"]) == (200, [patient])
    chosen = desk.post(START, {"do": "show", "patient": patient.pk})
    assert ways(chosen) == [
        ("whatsapp", PHONE, "", True),
        ("sms", PHONE, "", False),
        ("email", "maria@example.org", "", False),
    ]
    given = {"patient": patient.pk, "way": f"{sms_channel.pk} {PHONE}", "reason": ReasonFactory().pk}
    sent = desk.post(START, {"do": "send", "text": "Your scan is ready", **given})
    row = Interaction.objects.get()
    assert (sent.status_code, sent.headers["Location"]) == (302, reverse("inbox:interaction", args=[row.pk]))
    assert (row.owner, row.patient, row.snippet) == (agent, patient, "Your scan is ready")


def test_a_link_beside_the_patient_chooses_them_and_leaves_one_trace(desk, patient):
    for _again in range(2):
        answer = desk.get(f"{START}?patient={patient.pk}", headers=HTMX)
    assert (answer.context["patient"], b"<dialog" in answer.content) == (patient, True)
    assert AuditEntry.objects.filter(action="viewed", patient_id=patient.pk).count() == 1


def test_a_wrong_form_is_told_at_its_fields_and_keeps_what_was_typed(desk, patient, sms_channel):
    given = {"do": "send", "patient": patient.pk, "way": f"{sms_channel.pk} {PHONE}", "text": "Half a"}
    answer = desk.post(START, given, headers=HTMX)
    assert (answer.status_code, answer.context["form"].errors) == (422, {"reason": ["Say why you write."]})
    assert b">Half a</textarea>" in answer.content.replace(b"\n", b"")
    assert Interaction.objects.count() == 0


def test_an_open_conversation_is_offered_instead_but_not_one_of_another_queue(
    desk, outsider, patient, sms_channel, signed_in
):
    live = InteractionFactory(channel=sms_channel, contact_value=PHONE, patient=patient)
    given = {"do": "send", "patient": patient.pk, "way": f"{sms_channel.pk} {PHONE}", "text": "x"}
    given["reason"] = ReasonFactory().pk
    mine, theirs = (client.post(START, given) for client in (desk, signed_in(outsider)))
    assert [(answer.status_code, answer.context["open_id"]) for answer in (mine, theirs)] == [
        (409, live.pk),
        (409, None),
    ]


def test_a_template_is_chosen_and_its_words_are_previewed(desk, patient, whatsapp_channel):
    template = MessageTemplateFactory(language="es", body="Hola {{1}}")
    other = MessageTemplateFactory(body="Please call {{1}} on {{2}}")
    given = {"patient": patient.pk, "way": f"{whatsapp_channel.pk} {PHONE}", "variable-1": "María"}
    shown = desk.post(START, {"do": "show", "template": template.pk, **given}, headers=HTMX)
    assert (shown.context["templates"], shown.context["preview"]) == ([other, template], "Hola María")
    sent = desk.post(
        START, {"do": "send", "template": template.pk, "reason": ReasonFactory().pk, **given}, headers=HTMX
    )
    row = Interaction.objects.get()
    assert (sent.headers["HX-Redirect"], row.snippet) == (reverse("inbox:interaction", args=[row.pk]), "Hola María")


def test_a_new_patient_is_created_with_the_number_and_chosen(desk, sms_channel):
    given = {"do": "create", "address": "+1 305 555 0177", "patient": ""}
    wrong = desk.post(START, {**given, "new-given_name": "Ana"})
    assert (wrong.status_code, list(wrong.context["new_patient"].errors)) == (422, ["family_name", "language"])
    named = {"new-given_name": "Ana", "new-family_name": "Ruiz", "new-language": "es"}
    made = desk.post(START, {**given, **named})
    patient = Patient.objects.get(family_name="Ruiz")
    assert (made.status_code, made.context["patient"]) == (200, patient)
    assert list(patient.contact_points.values_list("value", flat=True)) == ["+13055550177"]


def test_who_is_much_like_a_new_patient_is_shown_first_and_may_be_chosen(desk, patient, sms_channel):
    compare_records([patient.pk])
    named = {"new-given_name": patient.given_name, "new-family_name": patient.family_name, "new-language": "es"}
    given = {"do": "create", "address": PHONE, "patient": "", "form_key": "k", **named}
    first = desk.post(START, given)
    assert (first.status_code, [one.patient for one in first.context["alike"]]) == (409, [patient])
    assert f'name="patient" value="{patient.pk}" formnovalidate>Choose' in first.content.decode()
    made = desk.post(START, given | {"seen": patient.pk})
    assert (made.context["patient"] != patient, Patient.objects.count()) == (True, 2)


def test_a_way_that_is_off_says_why_and_no_other_one_is_taken_instead(desk, patient, sms_channel):
    OptOutFactory(address=PHONE)
    shown = desk.post(START, {"do": "show", "patient": patient.pk})
    assert ways(shown)[-1] == ("sms", PHONE, "This address asked us to stop.", False)
    forced = {"do": "send", "patient": patient.pk, "way": f"{sms_channel.pk} {PHONE}", "text": "x"}
    refused = desk.post(START, {**forced, "reason": ReasonFactory().pk})
    assert (refused.status_code, refused.context["form"].errors) == (422, {"way": ["Choose how you write."]})
    assert Interaction.objects.count() == 0


def test_a_partner_agent_finds_nobody_and_types_no_number(partner_agent, signed_in, patient, sms_channel):
    client = signed_in(partner_agent)
    answer = client.post(START, {"do": "find", "q": "quispe", "patient": patient.pk, "address": PHONE})
    context = answer.context
    assert (context["results"], context["patient"], context["ways"], context["may_type"]) == ([], None, [], False)


def words(name="plan.txt", content=b"plain words"):
    return SimpleUploadedFile(name, content, "text/plain")


def test_files_wait_in_the_form_of_their_writer_and_leave_with_the_first_message(
    desk, agent, second_agent, signed_in, patient, sms_channel
):
    box = {"form_key": "key-of-this-form", "patient": patient.pk, "way": f"{sms_channel.pk} {PHONE}"}
    listed = desk.post(START, box | {"do": "upload", "files": words()}, headers=HTMX)
    empty = desk.post(START, box | {"do": "upload", "files": words("empty.txt", b"")}, headers=HTMX)
    assert (listed.status_code, empty.status_code, empty.context["upload_problems"]) == (
        200, 422, ["“empty.txt” is empty."],
    )  # fmt: skip
    row = Upload.objects.get()
    shown = desk.post(START, box | {"do": "show"}, headers=HTMX)
    other = signed_in(second_agent).post(START, box | {"do": "show"}, headers=HTMX)
    assert [[one.upload for one in page.context["uploads"]] for page in (shown, other)] == [[row], []]
    refused = desk.post(START, box | {"do": "send", "upload": row.pk, "text": "Here"}, headers=HTMX)
    assert (refused.status_code, [one.upload for one in refused.context["uploads"]]) == (422, [row])
    sent = box | {"do": "send", "upload": row.pk, "text": "Here", "reason": ReasonFactory().pk}
    desk.post(START, sent, headers=HTMX)
    desk.post(START, sent, headers=HTMX)
    (message,) = Interaction.objects.get().messages.all()
    assert list(message.attachments.values_list("name", flat=True)) == ["plan.txt"]
    row.refresh_from_db()
    assert (row.sent_with, row.interaction, row.box) == (message, message.interaction, "")


def test_without_javascript_files_come_with_the_form_are_marked_taken_out_and_checked_for(desk, patient, sms_channel):
    form = {"form_key": "key", "patient": patient.pk, "way": f"{sms_channel.pk} {PHONE}", "text": "Here"}
    desk.post(START, form | {"do": "upload", "files": words("old.txt")})
    old = Upload.objects.get()
    desk.post(START, form | {"remove": old.pk})
    page = desk.post(START, form | {"do": "send", "files": words()})
    row = Upload.objects.get()
    assert (page.status_code, page.context["uploads"][0].upload, Interaction.objects.count()) == (422, row, 0)
    desk.post(START, form | {"mark": f"{row.pk}:1"})
    row.refresh_from_db()
    assert row.is_sensitive
    send = form | {"do": "send", "upload": row.pk, "reason": ReasonFactory().pk}
    unchecked = desk.post(START, send)
    assert (unchecked.status_code, unchecked.context["is_unverified"]) == (422, True)
    desk.post(START, send | {"unchecked": "on"})
    assert Interaction.objects.get().messages.get().attachments.get().name == "plan.txt"


def test_nobody_sends_a_file_of_another_persons_form(desk, second_agent, signed_in, patient, sms_channel):
    form = {"form_key": "key", "patient": patient.pk, "way": f"{sms_channel.pk} {PHONE}", "text": "Here"}
    signed_in(second_agent).post(START, form | {"do": "upload", "files": words()}, headers=HTMX)
    given = {"do": "send", "upload": Upload.objects.get().pk, "reason": ReasonFactory().pk}
    answer = desk.post(START, form | given, headers=HTMX)
    errors = answer.context["form"].non_field_errors()
    assert errors == ["A file is no longer there. Look at the list, then send again."]
    assert (answer.status_code, Interaction.objects.count()) == (422, 0)
