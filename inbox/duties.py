"""What the duties do with the tables of the desk; called from `ready()`."""

from collections.abc import Collection, Iterator
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.jobs.models import Job
from inbox.enums import (
    RECORDING_LIVE,
    CaseStatus,
    EventStatus,
    InteractionStatus,
    MessageStatus,
    RecordingStatus,
)
from inbox.models import CallLeg, Case, DeliveryReport, Interaction, Message, OptOut, Recording, WebhookEvent
from patients import duties
from patients.duties import Beside, Table
from patients.enums import DataClass
from patients.models import ContactPoint

ERASED = "–"
SEARCHES = "searches"
"""The key under which `views.traces` keeps the words of the last searches in a session."""
MESSAGES, FILES, WORKING = DataClass.MESSAGES, DataClass.FILES, DataClass.WORKING
RAW_EVENTS = DataClass.RAW_EVENTS
OVER = [InteractionStatus.CLOSED, InteractionStatus.ABANDONED]
NOT_YET_OURS = [*RECORDING_LIVE, RecordingStatus.ENDED]
SETTLED = [EventStatus.PROCESSED, EventStatus.IGNORED]
RAW = {"query": "", "headers": {}, "body": b"", "error": ""}


def declare() -> None:
    """Declare every table of the desk with a path to a patient, and what concerns one without."""
    over = Q(interaction__status__in=OVER)
    message_text: dict[str, Any] = {
        "text": "", "quoted_text": "", "html": "", "subject": "", "address": "", "cc": [], "payload": {},
        "in_reply_to": "", "references": [], "template_variables": {}, "error_text": "",
    }  # fmt: skip
    duties.declare(
        Table("inbox.Interaction", MESSAGES, scrub=_interaction()),
        Table("inbox.Case", MESSAGES, scrub={"title": ERASED, "next_step": ERASED}),
        Table("inbox.Message", MESSAGES, scrub=message_text, moment="occurred_at", expires=over),
        Table("inbox.MessageWords", MESSAGES, moment="message__occurred_at", hidden=("words",)),
        Table("inbox.Note", MESSAGES, scrub={"body": ""}, moment="created_at", expires=over),
        Table("inbox.FormSubmission", MESSAGES, scrub={"answers": []}, moment="submitted_at", expires=over),
        Table("inbox.SlaClock", MESSAGES, scrub={}),
        Table("inbox.Offer", MESSAGES, scrub={}),
        Table("inbox.Escalation", MESSAGES, scrub={"detail": "", "returned_why": ""}),
        Table("inbox.RoutingRun", MESSAGES, scrub={"rule_name": "", "passed_over": []}),
        Table("inbox.WorkSkill", MESSAGES, scrub={}),
        Table("inbox.Task", MESSAGES, scrub={"title": ERASED}),
        Table("inbox.TimelineEvent", MESSAGES, scrub={"detail": ""}),
        Table("inbox.DeliveryReport", MESSAGES, scrub={}),
        Table(
            "inbox.Attachment", FILES, scrub={"name": "", "source_url": "", "error": "", "file": ""},
            moment="created_at", hidden=("source_url",), expires=Q(message__interaction__status__in=OVER),
        ),
        Table("inbox.NoteFile", FILES, moment="created_at", expires=Q(note__interaction__status__in=OVER)),
        Table("inbox.WebhookEvent", RAW_EVENTS, scrub=RAW, moment="received_at", expires=Q(status__in=SETTLED)),
        Table("inbox.Call", MESSAGES, scrub={"voicemail_url": "", "transcript": "", "purpose": ""}),
        Table("inbox.Callback", MESSAGES, scrub={"number": "", "purpose": ""}),
        Table("inbox.CallLeg", MESSAGES, scrub={}),
        Table("inbox.CallMoment", MESSAGES, scrub={"detail": ""}),
        Table(  # the row stays, so that the provider's copy can be deleted too
            "inbox.Recording", DataClass.RECORDINGS,
            scrub={"file": "", "digest": "", "error": "", "transcript_id": "", "is_erased": True},
            moment="started_at", expires=Q(status__in=[RecordingStatus.STORED, RecordingStatus.MISSING]),
        ),
        Table("inbox.TranscriptLine", DataClass.RECORDINGS, moment="recording__started_at"),
        Table("inbox.IdentityCheck", DataClass.AUDIT, scrub={}),
        Table("inbox.OneTimeCode", WORKING, moment="created_at", hidden=("seed",)),
        Table("inbox.PatientOption", MESSAGES),
        Table("inbox.PatientQuestion", MESSAGES, scrub={}),
        Table("inbox.PortalSession", WORKING, moment="created_at", hidden=("digest",)),
        Table("inbox.Draft", WORKING, moment="updated_at"),
        Table("inbox.Upload", WORKING, moment="created_at"),
        Table("inbox.Notification", WORKING, scrub={}),
        Table("inbox.Mention", WORKING, scrub={}),
        Beside("opt_outs", DataClass.RECORD, export=_opt_outs, erase=_erase_opt_outs),
        Beside("reports_of_providers", RAW_EVENTS, erase=_erase_reports),
        Beside("files_of_background_work", WORKING, erase=_erase_job_files),
        Beside("searches_of_staff", WORKING, erase=_erase_searches),
    )  # fmt: skip
    duties.declare_obstacle("inbox", _open_work)


def _interaction() -> dict[str, Any]:
    return {
        "thread_key": Concat(Value("erased-"), Cast(F("pk"), CharField())),
        "contact_value": "", "contact_name": "", "subject": "", "snippet": "", "outcome": "", "next_step": "",
    }  # fmt: skip


def _open_work(patient_ids: Collection[int]) -> str:
    ids = list(patient_ids)
    is_open = (
        Interaction.objects.filter(patient__in=ids).exclude(status__in=OVER).exists()
        or Case.objects.filter(patient__in=ids).exclude(status__in=[CaseStatus.RESOLVED, CaseStatus.CLOSED]).exists()
        or Message.objects.filter(
            interaction__patient__in=ids, status__in=[MessageStatus.QUEUED, MessageStatus.SENDING]
        ).exists()
        or Recording.objects.filter(call__interaction__patient__in=ids, status__in=NOT_YET_OURS).exists()
    )
    return _("Close the open conversations and cases first, and let what is being sent leave.") if is_open else ""


def _addresses(patient_ids: Collection[int]) -> list[str]:
    """Addresses that belong to these patients and to nobody else."""
    own = set(ContactPoint.objects.filter(patient__in=list(patient_ids)).values_list("value", flat=True))
    own |= set(Interaction.objects.filter(patient__in=list(patient_ids)).values_list("contact_value", flat=True))
    others = ContactPoint.objects.filter(value__in=own).exclude(patient__in=list(patient_ids))
    return sorted(own - {""} - set(others.values_list("value", flat=True)))


def _opt_outs(patient_ids: Collection[int]) -> Iterator[dict[str, Any]]:
    rows = OptOut.objects.filter(address__in=_addresses(patient_ids)).order_by("id")
    for row in rows.values("id", "channel_kind", "address", "keyword", "started_at", "ended_at").iterator():
        yield dict(row)


def _erase_opt_outs(patient_ids: Collection[int]) -> int:
    return OptOut.objects.filter(address__in=_addresses(patient_ids)).delete()[0]


def _erase_reports(patient_ids: Collection[int]) -> int:
    """The sources of delivery reports name the address; so does whatever a provider told of these messages."""
    messages = Message.objects.filter(interaction__patient__in=list(patient_ids))
    reports = DeliveryReport.objects.filter(message__in=messages).exclude(event=None).values_list("event_id", flat=True)
    known = messages.exclude(external_id="").values_list("external_id", flat=True)
    legs = CallLeg.objects.filter(call__interaction__patient__in=list(patient_ids)).values_list(
        "external_id", flat=True
    )
    rows = WebhookEvent.objects.filter(
        Q(pk__in=list(reports))
        | Q(external_id__in=[*known, *legs.values_list("external_id", flat=True)])
        | Q(message__in=messages)
    )
    return rows.exclude(body=b"").update(**RAW)


def _erase_job_files(patient_ids: Collection[int]) -> int:
    """Exports may name anybody: those that can still be fetched are withdrawn."""
    rows = Job.objects.exclude(file="")
    for job in rows:
        job.file.delete(save=False)
    return rows.update(file="")


def _erase_searches(patient_ids: Collection[int]) -> int:
    """What staff searched for lies in their sessions for up to twelve hours."""
    count = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        content = session.get_decoded()
        if content.pop(SEARCHES, None) is not None:
            session.session_data = SessionStore().encode(content)
            session.save(update_fields=["session_data"])
            count += 1
    return count
