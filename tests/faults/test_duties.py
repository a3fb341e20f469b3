"""P5: giving out and erasing a patient reach every table that has to do with one, and leave nothing outside a hold.

Which tables those are is read from the models. Each gets rows with canaries in every field that takes words; then the
whole database and the file store are searched for them.
"""

import io
import json
import zipfile
from datetime import time, timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.db.utils import DatabaseError
from django.utils import timezone
from psycopg2.extras import DateTimeTZRange

from contact_center.jobs import worker
from contact_center.jobs.models import Job
from inbox.models import Call, Escalation, Interaction, Message, Recording
from patients import duties
from patients.enums import DataClass, ErasureStatus
from patients.models import ErasureRequest, LegalHold, Patient
from patients.services import erasure, giving_out, holds
from tests.factories.complaints import ComplaintFactory
from tests.factories.inbox import CaseFactory, InteractionFactory, MessageFactory, QueueFactory, WebhookEventFactory
from tests.factories.patients import PatientFactory
from tests.factories.voice import CallFactory

pytestmark = [pytest.mark.fault, pytest.mark.django_db]
CANARY = "quokka"
OURS = {
    "external_id", "dedupe_key", "idempotency_key", "reference", "digest", "provider", "adapter",
    "content_type", "kind", "fingerprint", "link", "attempt_id", "mode", "proof", "channel_kind",
    "address_scheme", "contact_scheme", "language", "event_key", "scheme", "code", "thread_key_kind",
    "gate_reason", "error_code", "text_version", "site_name", "key", "time_zone", "interpreter_language",
    "status", "source_key", "purpose", "dedupe", "token_hash", "code_hash", "level", "voicemail_id",
}  # fmt: skip
"""Fields with words of ours and of machines, which no patient wrote."""
BY_HAND = {"patients.ErasureRequest", "patients.LegalHold"}
"""Tables whose rows the stories below write."""

UNFILLED = {
    *("scheduling.FreedSlot.filled_by", "scheduling.SlotOffer.appointment"),
    *("scheduling.Absence.room", "scheduling.Absence.location"),
}
"""What only a time that was given to somebody has, and what an absence of a person has not."""
FORCED = {
    "patients.ProgramEnrolment": ("step", "step_due_date"),
    "inbox.IdentityCheck": ("expires_at",),
    "scheduling.Absence": ("practitioner",),
    "scheduling.Appointment": ("series_number",),
    "scheduling.AppointmentSeries": ("count",),
    "scheduling.Occupancy": ("span",),
}


class World:
    """One patient with a row in every table that leads to a patient, written full of canaries."""

    def __init__(self, patient, user, channel):
        self.known = {Patient: patient, type(user): user}
        self.number, self.building = 0, set()
        closed = {"status": "closed", "closed_at": timezone.now(), "channel": channel, "patient": patient}
        self.known[Interaction] = InteractionFactory(**closed, contact_value="+13055550177", thread_key="x")
        self.known[Message] = MessageFactory(interaction=self.known[Interaction])
        self.known[apps.get_model("inbox.Case")] = CaseFactory(patient=patient, status="closed")
        self.known[apps.get_model("complaints.Complaint")] = ComplaintFactory(patient=patient, status="closed")
        self.known[apps.get_model("inbox.WebhookEvent")] = WebhookEventFactory(
            message=self.known[Message], status="processed"
        )
        call = CallFactory(
            interaction=self.known[Interaction], channel=channel, queue=channel.queue, status="completed"
        )
        self.known |= {Call: call, Recording: Recording.objects.create(call=call, status="stored")}
        self.known[Escalation] = Escalation.objects.create(
            interaction=self.known[Interaction],
            why="asked",
            from_queue=channel.queue,
            to_queue=QueueFactory(),
            answer_due_at=timezone.now(),
        )
        tables = [table.model for table in reversed(duties.tables()) if table.model not in BY_HAND]
        models_in_order = [apps.get_model(name) for name in tables]
        self.unmade = [model._meta.label for model in models_in_order if self.row(model) is None]
        for model in models_in_order:
            if model in self.known:
                self.fill(model, self.known[model])

    def row(self, model):
        """A row of this table that leads to the patient; None where none could be made."""
        if model not in self.known and model in self.building:
            return None
        if model not in self.known:
            self.building.add(model)
            values = {}
            for field in model._meta.concrete_fields:
                is_forced = field.name in FORCED.get(model._meta.label, ())
                given = self.forced(field) if is_forced else self.value(field)
                if given is not None:
                    values[field.name] = given
            try:
                with transaction.atomic():
                    row = model(**values)
                    row.save()
            except (DatabaseError, ValueError, TypeError):
                return None
            self.known[model] = row
        return self.known[model]

    def forced(self, field):
        """A value for a field that the table lets be empty, but not together with the others."""
        return self.row(field.related_model) if field.is_relation else self.plain(field)

    def value(self, field):
        if field.primary_key and not field.is_relation:
            return None
        if field.is_relation:
            target = field.related_model
            second = field.name in {"second", "source", "relative"} and target is Patient
            if second:
                return PatientFactory()
            is_needed = not field.null or target in self.known or target in duties.paths_to_patient()
            skipped = str(field) in UNFILLED or field.name in {
                "merged_into",
                "offered_to",
                "ended_by",
                "undone_by",
                "like",
                "lifted_by",
                "decided_by",
                "done_by",
            }
            return self.row(target) if is_needed and not skipped else None
        if field.has_default() or field.null or field.generated or getattr(field, "auto_now_add", False):
            return None
        if getattr(field, "auto_now", False) or (field.blank and field.choices):
            return None
        return self.plain(field)

    def plain(self, field):
        self.number += 1
        if field.choices:
            return field.choices[0][0]
        if isinstance(field, models.JSONField):
            return {"note": "word"}
        if isinstance(field, ArrayField):
            return [self.number]
        if isinstance(field, models.DateTimeField):
            return timezone.now() + timedelta(hours=self.number)
        if isinstance(field, models.DurationField):
            return timedelta(hours=1)
        if isinstance(field, DateTimeRangeField):
            return DateTimeTZRange(timezone.now(), timezone.now() + timedelta(hours=1))
        if isinstance(field, models.DateField):
            return timezone.localdate()
        if isinstance(field, models.TimeField):
            return time(10)
        if isinstance(field, models.UUIDField):
            return uuid4()
        if isinstance(field, models.IntegerField | models.FloatField):
            return self.number
        if isinstance(field, models.FileField):
            return ContentFile(f"{CANARY} file".encode(), name="x")
        if isinstance(field, models.CharField | models.TextField):
            return f"word{self.number}"[: field.max_length]
        return None

    def fill(self, model, row):
        """Put a canary into every field of the row that takes words, one by one, where the table lets it."""
        for field in model._meta.concrete_fields:
            self.number += 1
            text = f"{CANARY} {self.number}"
            is_text = isinstance(field, models.CharField | models.TextField) and not field.choices
            is_kept = field.name in KEPT_WORDS.get(model._meta.label, ())
            is_word = is_text and field.name not in OURS and not is_kept and (field.max_length or 99) >= len(text)
            values = {models.JSONField: {"note": text}, models.BinaryField: text.encode()}.get(type(field))
            if isinstance(field, models.FileField) or field.generated or field.primary_key or field.is_relation:
                continue
            if is_word or (values is not None and not is_kept):
                try:
                    with transaction.atomic():
                        model._base_manager.filter(pk=row.pk).update(**{field.name: values or text})
                except (DatabaseError, ValueError, TypeError):
                    continue


@pytest.fixture
def world(agent, sms_channel):
    from tests.factories.inbox import AttachmentFactory

    patient = PatientFactory(given_name=f"{CANARY} given", family_name=f"{CANARY} family")
    made = World(patient, agent, sms_channel)
    file = AttachmentFactory(message=made.known[Message], status="clean", name=f"{CANARY}.txt")
    file.file.save("x", ContentFile(f"{CANARY} content".encode()))
    return made


def tables_with_canaries():
    """Tables of the whole database in which some row says the canary, read as text."""
    found = set()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            cursor.execute(f'SELECT count(*) FROM "{table}" AS r WHERE r::text ILIKE %s', [f"%{CANARY}%"])
            found |= {model._meta.label} if cursor.fetchone()[0] else set()
            for field in model._meta.concrete_fields:
                if isinstance(field, models.BinaryField):
                    cursor.execute(
                        f'SELECT count(*) FROM "{table}" WHERE encode("{field.column}", \'escape\') ILIKE %s',
                        [f"%{CANARY}%"],
                    )
                    found |= {model._meta.label} if cursor.fetchone()[0] else set()
    return found


def files_with_canaries(folder=""):
    folders, names = (
        default_storage.listdir(folder) if default_storage.exists(folder or ".") or not folder else ([], [])
    )
    found = []
    for name in names:
        with default_storage.open(f"{folder}{name}") as content:
            found += [f"{folder}{name}"] if CANARY.encode() in content.read() else []
    for inner in folders:
        found += files_with_canaries(f"{folder}{inner}/")
    return found


def test_every_table_with_a_way_to_a_patient_is_declared():
    missing = duties.undeclared()
    assert missing == set(), "Say in the app's duties.py what is owed for these tables (patients/duties.py)."


def test_a_declaration_scrubs_every_field_in_which_somebody_writes():
    forgotten = {}
    for table in duties.tables():
        if table.scrub is None:
            continue
        for field in apps.get_model(table.model)._meta.concrete_fields:
            is_text = isinstance(field, models.TextField) or (isinstance(field, models.CharField) and not field.choices)
            is_free = is_text or isinstance(field, models.JSONField | models.BinaryField)
            is_free = is_free and not field.generated and field.name not in OURS and not field.unique
            if is_free and field.name not in table.scrub:
                forgotten.setdefault(table.model, []).append(field.name)
    assert forgotten == KEPT_WORDS


KEPT_WORDS = {
    "inbox.FormSubmission": ["consents"],  # the published text they agreed to, which is ours
    "patients.ErasureRequest": ["why_declined", "counts"],
    "patients.LegalHold": ["reason"],
    "patients.PatientMerge": ["high_water"],
}
"""Words of ours that stay beside an erased patient, each for a reason."""


def test_p5_everything_is_given_out_and_nothing_is_left(world, supervisor, admin, django_capture_on_commit_callbacks):
    patient, out = Patient.objects.get(pk=world.known[Patient].pk), io.BytesIO()
    before = tables_with_canaries()
    giving_out.write_zip(patient, out)
    archive = zipfile.ZipFile(out)
    manifest = json.loads(archive.read("manifest.json"))
    given = {part["table"] for part in manifest["tables"]}
    expected = {table.model for table in duties.tables() if table.of([patient.pk]).exists()}
    assert expected - given == set()
    assert all(CANARY in archive.read(name).decode() for name in archive.namelist() if name.startswith("files/"))

    request = erasure.request_erasure(actor=supervisor, patient_id=patient.pk, reason=f"{CANARY} wrote on paper")
    job = erasure.approve_erasure(actor=admin, request_id=request.pk)
    with django_capture_on_commit_callbacks(execute=True):
        worker.run_jobs()
    request = ErasureRequest.objects.get(pk=request.pk)
    assert (request.status, list(job.items.values_list("status", "message"))) == (ErasureStatus.DONE, [("done", "")])
    left, files = tables_with_canaries(), files_with_canaries()
    print(
        f"P5: {len(expected)} tables with rows of the patient ({len(world.unmade)} could not be filled): {len(given)}"
        f" given out; canaries in {len(before)} tables before, in {len(left)} after, in {len(files)} files"
    )
    assert (sorted(left), files, world.unmade) == ([], [], [])
    assert len(before) > 15
    assert Interaction.objects.filter(patient=patient).count() == 1  # the statistics still count it


def test_p5_what_a_hold_keeps_stays_and_goes_when_the_hold_ends(
    world, supervisor, admin, django_capture_on_commit_callbacks
):
    patient = Patient.objects.get(pk=world.known[Patient].pk)
    hold = holds.place_hold(actor=admin, reason="court", mrn=patient.mrn, data_classes=[DataClass.MESSAGES])
    request = erasure.request_erasure(actor=supervisor, patient_id=patient.pk, reason="by letter")
    for status in (ErasureStatus.HELD, ErasureStatus.DONE):
        erasure.approve_erasure(actor=admin, request_id=request.pk)
        with django_capture_on_commit_callbacks(execute=True):
            worker.run_jobs()
        request = ErasureRequest.objects.get(pk=request.pk)
        kept = {apps.get_model(table.model)._meta.label for table in duties.tables() if table.data_class == "messages"}
        left = tables_with_canaries()
        assert request.status == status
        if status == ErasureStatus.HELD:
            assert ("inbox.Message" in left, left - kept) == (True, set())
            holds.lift_hold(actor=admin, hold_id=hold.pk)
    assert left == set()
    assert LegalHold.objects.get().lifted_by == admin
    assert Job.objects.count() == 2
