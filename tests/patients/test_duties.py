"""Giving out, forgetting, holding and keeping only for so long: who may, who decides, and what happens by night."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from contact_center.jobs import worker
from contact_center.jobs.models import Job
from inbox.models import Attachment, Message, Note, WebhookEvent
from patients.enums import DataClass, ErasureStatus
from patients.models import ErasureRequest, LegalHold, Patient, RetentionRule, RetentionRun
from patients.services import erasure, giving_out, holds, retention
from tests.factories.inbox import (
    AttachmentFactory,
    InteractionFactory,
    MessageFactory,
    NoteFactory,
    WebhookEventFactory,
)
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
MOVES = {
    "approve": ({"requested", "held"}, "approved", ()),
    "decline": ({"requested"}, "declined", ("no",)),
    "finish": ({"approved"}, "done", ()),
    "hold": ({"approved"}, "held", ()),
    "refuse": ({"approved"}, "requested", ()),
}


@pytest.mark.parametrize("state", ErasureStatus.values)
@pytest.mark.parametrize("name", MOVES)
def test_a_request_moves_from_its_states_only(name, state):
    sources, target, args = MOVES[name]
    row = ErasureRequest(status=state)
    if state in sources:
        getattr(row, name)(*args)
        assert row.status == target
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(row, name)(*args)


@pytest.fixture
def patient():
    return PatientFactory(given_name="Maria", family_name="Quispe", phone="+13055550144")


def closed(patient, channel, **fields):
    return InteractionFactory(patient=patient, channel=channel, status="closed", closed_at=timezone.now(), **fields)


# ---- giving out ----


def test_all_data_come_in_one_file_for_its_owner_and_on_record(patient, supervisor, agent, sms_channel, signed_in):
    message = MessageFactory(interaction=closed(patient, sms_channel), text="=Is it <b>serious</b>?")
    AttachmentFactory(message=message, status="clean", name="../scan.txt").file.save("x", ContentFile(b"a scan"))
    browser = signed_in(supervisor)
    page = browser.post(f"/patients/{patient.pk}/data/", {"give": "1"})
    worker.run_jobs()
    job = Job.objects.get()
    assert (page.url, job.status, job.done_count) == (f"/jobs/{job.pk}/", "done", job.total)
    answer = browser.get(f"/jobs/{job.pk}/file/")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="continuo-{job.pk}.zip"'
    assert signed_in(agent).get(f"/jobs/{job.pk}/file/").status_code == 404
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    told = json.loads(archive.read("data/inbox.Message.json"))
    assert [row["text"] for row in told] == ["=Is it <b>serious</b>?"]
    assert "=Is it &lt;b&gt;serious&lt;/b&gt;?" in archive.read("index.html").decode()
    files = [name for name in archive.namelist() if name.startswith("files/")]
    assert [archive.read(name) for name in files] == [b"a scan"]
    page = archive.read("index.html").decode()
    years = {year for _moment, year in re.findall(r"(day \d+ [A-Z]\w+(?: (\d{4}))?, \d\d:\d\d)", page)}
    assert years == {str(timezone.localdate().year)}
    assert page.count(f'<a href="{files[0]}">{files[0]}</a>') == 2  # with its message, and in the list of files
    assert not any(".." in name for name in archive.namelist())
    entry = AuditEntry.objects.get(action="exported")
    assert (entry.actor_id, entry.patient_id, entry.detail) == (supervisor.pk, patient.pk, {"job": job.pk})


def test_records_that_went_on_in_this_one_are_given_out_with_it(patient):
    PatientFactory(family_name="Before", merged_into=PatientFactory(family_name="Between", merged_into=patient))
    out = io.BytesIO()
    giving_out.write_zip(patient, out)
    names = [row["family_name"] for row in json.loads(zipfile.ZipFile(out).read("data/patients.Patient.json"))]
    assert sorted(names) == ["Before", "Between", "Quispe"]


def test_a_file_with_a_virus_is_not_handed_out(patient, sms_channel):
    row = AttachmentFactory(message=MessageFactory(interaction=closed(patient, sms_channel)), status="infected")
    Attachment.objects.filter(pk=row.pk).update(file=default_storage.save("quarantine/abc", ContentFile(b"virus")))
    out = io.BytesIO()
    giving_out.write_zip(patient, out)
    assert [name for name in zipfile.ZipFile(out).namelist() if name.startswith("files/")] == []


def test_who_lost_the_right_meanwhile_gets_nothing(patient, supervisor):
    job = giving_out.start_giving_out(actor=supervisor, patient_id=patient.pk)
    supervisor.role = "agent"
    supervisor.save()
    worker.run_jobs()
    job.refresh_from_db()
    assert (job.status, bool(job.file)) == ("failed", False)


# ---- forgetting ----


def test_an_erasure_takes_two_people_and_a_reason(patient, supervisor, admin, agent):
    with pytest.raises(PermissionDenied):
        erasure.request_erasure(actor=agent, patient_id=patient.pk, reason="because")
    with pytest.raises(ValidationError):
        erasure.request_erasure(actor=supervisor, patient_id=patient.pk, reason=" ")
    request = erasure.request_erasure(actor=admin, patient_id=patient.pk, reason="by letter")
    with pytest.raises(Conflict):
        erasure.request_erasure(actor=supervisor, patient_id=patient.pk, reason="again")
    with pytest.raises(PermissionDenied):
        erasure.approve_erasure(actor=supervisor, request_id=request.pk)
    with pytest.raises(Refused, match="Somebody else"):
        erasure.approve_erasure(actor=admin, request_id=request.pk)
    request.refresh_from_db()
    assert (request.status, Patient.objects.get(pk=patient.pk).given_name) == (ErasureStatus.REQUESTED, "Maria")


def test_a_declined_request_says_why_and_can_be_asked_anew(patient, supervisor, admin):
    request = erasure.request_erasure(actor=supervisor, patient_id=patient.pk, reason="by letter")
    with pytest.raises(ValidationError):
        erasure.decline_erasure(actor=admin, request_id=request.pk, why="")
    erasure.decline_erasure(actor=admin, request_id=request.pk, why="The law makes us keep it for ten years.")
    erasure.request_erasure(actor=supervisor, patient_id=patient.pk, reason="again")
    assert sorted(ErasureRequest.objects.values_list("status", flat=True)) == ["declined", "requested"]


def test_open_work_stands_in_the_way_also_when_it_came_after_the_approval(patient, supervisor, admin, sms_channel):
    request = erasure.request_erasure(actor=supervisor, patient_id=patient.pk, reason="by letter")
    interaction = InteractionFactory(patient=patient, channel=sms_channel)
    with pytest.raises(Refused, match="Close the open conversations"):
        erasure.approve_erasure(actor=admin, request_id=request.pk)
    type(interaction).objects.filter(pk=interaction.pk).update(status="closed", closed_at=timezone.now())
    job = erasure.approve_erasure(actor=admin, request_id=request.pk)
    InteractionFactory(patient=patient, channel=sms_channel, contact_value="+13055550145")
    worker.run_jobs()
    assert (job.items.get().status, Patient.objects.get(pk=patient.pk).given_name) == ("failed", "Maria")


def test_a_hold_on_everything_forbids_an_erasure(patient, supervisor, admin):
    holds.place_hold(actor=admin, reason="court", mrn=patient.mrn.lower())
    request = erasure.request_erasure(actor=supervisor, patient_id=patient.pk, reason="by letter")
    with pytest.raises(Refused, match="legal hold"):
        erasure.approve_erasure(actor=admin, request_id=request.pk)


def test_an_erased_patient_stays_in_the_figures_without_a_name(
    patient, supervisor, admin, sms_channel, django_capture_on_commit_callbacks
):
    message = MessageFactory(interaction=closed(patient, sms_channel), text="secret")
    shared = AttachmentFactory(message=message, status="clean")
    shared.file.save("x", ContentFile(b"ours too"))
    other = AttachmentFactory(message=MessageFactory(), status="clean", file=shared.file.name)
    request = erasure.request_erasure(actor=supervisor, patient_id=patient.pk, reason="by letter")
    erasure.approve_erasure(actor=admin, request_id=request.pk)
    with django_capture_on_commit_callbacks(execute=True):
        worker.run_jobs()
    after = Patient.objects.get(pk=patient.pk)
    message.refresh_from_db()
    assert (after.full_name, after.birth_date, after.mrn) == ("–", None, f"erased-{patient.pk}")
    assert (message.text, message.status, message.occurred_at) == ("", "received", message.occurred_at)
    assert (after.interactions.count(), after.contact_points.count()) == (1, 0)
    assert other.file.open().read() == b"ours too"
    request.refresh_from_db()
    assert (request.status, request.counts["inbox.Message"]) == (ErasureStatus.DONE, 1)
    entry = AuditEntry.objects.get(action="deleted")
    assert (entry.actor_id, entry.patient_id, entry.detail) == (
        admin.pk,
        patient.pk,
        {"kept": [], "records": [patient.pk]},
    )


# ---- keeping only for so long ----


@pytest.fixture
def old_and_new(patient, sms_channel):
    """An old and a new message, note and raw event, in a closed conversation."""
    interaction = closed(patient, sms_channel)
    for days in (400, 1):
        at = timezone.now() - timedelta(days=days)
        MessageFactory(interaction=interaction, text="words", occurred_at=at)
        Note.objects.filter(pk=NoteFactory(interaction=interaction).pk).update(created_at=at)
        WebhookEventFactory(status="processed", body=b"source", received_at=at)
    return interaction


def words_left():
    return (
        Message.objects.exclude(text="").count(),
        Note.objects.exclude(body="").count(),
        WebhookEvent.objects.exclude(body=b"").count(),
    )


def night(admin, hour=2):
    """One run at this hour of a night."""
    return timezone.localtime().replace(hour=hour, minute=0)


def test_rules_are_counted_first_and_kept_by_night(old_and_new, admin, time_machine):
    due = {one.table.model: one.count for one in retention.dry_run(DataClass.MESSAGES, 365)}
    assert (due["inbox.Message"], due["inbox.Note"], words_left()) == (1, 1, (2, 2, 2))
    holds.set_retention(actor=admin, data_class=DataClass.MESSAGES, days=365)
    time_machine.move_to(night(admin, 12), tick=False)
    assert (retention.run_retention(), words_left()) == (0, (2, 2, 2))
    time_machine.move_to(night(admin), tick=False)
    assert (retention.run_retention(), retention.run_retention(), words_left()) == (2, 0, (1, 1, 2))
    run = RetentionRun.objects.get()
    assert (run.counts, run.finished_at is not None) == ({"inbox.Message": 1, "inbox.Note": 1}, True)
    assert {one.table.model: one.count for one in retention.dry_run(DataClass.MESSAGES, 365)}["inbox.Message"] == 0


def test_a_hold_keeps_what_a_rule_would_take(old_and_new, admin, patient, time_machine):
    for name in (DataClass.MESSAGES, DataClass.RAW_EVENTS):
        holds.set_retention(actor=admin, data_class=name, days=30)
    holds.place_hold(actor=admin, reason="court", mrn=patient.mrn, data_classes=[DataClass.MESSAGES])
    holds.place_hold(actor=admin, reason="audit", data_classes=[DataClass.RAW_EVENTS])
    time_machine.move_to(night(admin), tick=False)
    assert (retention.run_retention(), words_left()) == (0, (2, 2, 2))
    assert [one.is_held for one in retention.dry_run(DataClass.RAW_EVENTS, 1)] == [True]
    for hold in LegalHold.objects.all():
        holds.lift_hold(actor=admin, hold_id=hold.pk)
    RetentionRun.objects.all().delete()
    assert (retention.run_retention(), words_left()) == (3, (1, 1, 1))


def test_what_is_still_worked_on_and_what_nobody_understood_never_grows_too_old(patient, sms_channel, admin):
    at = timezone.now() - timedelta(days=4000)
    MessageFactory(interaction=InteractionFactory(patient=patient, channel=sms_channel), occurred_at=at)
    WebhookEventFactory(status="quarantined", body=b"odd", received_at=at)
    for name in (DataClass.MESSAGES, DataClass.RAW_EVENTS):
        holds.set_retention(actor=admin, data_class=name, days=1)
    assert retention.enforce(RetentionRun.objects.create(date=timezone.localdate())) == 0


def test_rules_are_made_by_those_who_oversee_and_the_trail_has_none(supervisor, admin):
    with pytest.raises(PermissionDenied):
        holds.set_retention(actor=supervisor, data_class=DataClass.MESSAGES, days=1)
    for data_class, days in ((DataClass.AUDIT, 10), (DataClass.MESSAGES, 0), (DataClass.MESSAGES, 40_000)):
        with pytest.raises(ValidationError):
            holds.set_retention(actor=admin, data_class=data_class, days=days)
    assert RetentionRule.objects.count() == 0


# ---- pages ----


def test_the_pages_ask_decide_hold_and_count(patient, supervisor, admin, signed_in, sms_channel, old_and_new):
    asking, deciding = signed_in(supervisor), signed_in(admin)
    empty = asking.post(f"/patients/{patient.pk}/data/", {"erase": "1", "reason": ""})
    assert (empty.status_code, "This field is required" in empty.content.decode()) == (422, True)
    asking.post(f"/patients/{patient.pk}/data/", {"erase": "1", "reason": "by letter"})
    request = ErasureRequest.objects.get()
    assert "Approve and erase" not in asking.get("/privacy/").content.decode()
    assert "Approve and erase" in deciding.get("/privacy/").content.decode()
    held = deciding.post("/privacy/holds/", {"mrn": "nobody", "reason": "court"})
    assert (held.status_code, "no record with this number" in held.content.decode()) == (422, True)
    deciding.post("/privacy/holds/", {"mrn": patient.mrn, "reason": "court", "data_classes": ["messages"]})
    counted = deciding.post("/privacy/retention/", {"data_class": "raw_events", "days": "365", "count": "1"})
    assert "1 row would go tonight" in counted.content.decode()
    wrong = deciding.post("/privacy/retention/", {"data_class": "messages", "days": "0"})
    assert wrong.status_code == 422
    deciding.post("/privacy/retention/", {"data_class": "messages", "days": "365"})
    assert RetentionRule.objects.get().days == 365
    answer = deciding.post(f"/privacy/requests/{request.pk}/approve/")
    assert answer.url == f"/jobs/{Job.objects.get().pk}/"
    hold = LegalHold.objects.get()
    deciding.post(f"/privacy/holds/{hold.pk}/lift/")
    assert LegalHold.objects.get().lifted_by == admin
