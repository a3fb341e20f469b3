"""X1: who reaches which address with which method. Made from the URLconf: an address that is not in the table fails."""

from contextlib import nullcontext
from unittest.mock import patch

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.template import Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from rest_framework.test import APIClient

from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from contact_center.jobs.enums import JobStatus
from contact_center.jobs.models import Job
from inbox.enums import AttachmentStatus, Direction, EventStatus, MessageStatus
from inbox.models import NoteFile, Notification, Processor
from patients.models import DuplicateSuggestion, ErasureRequest, LegalHold, Patient, PatientImport, PatientMerge
from tests.architecture.urls import addresses
from tests.factories.accounts import UserFactory
from tests.factories.care import (
    AlertFactory,
    CoverageFactory,
    EnrolmentFactory,
    LifeEventFactory,
    PendingResultFactory,
)
from tests.factories.complaints import ComplaintFactory
from tests.factories.distribution import RoutingRuleFactory
from tests.factories.hours import CalendarFactory, SlaPolicyFactory
from tests.factories.inbox import (
    AttachmentFactory,
    DraftFactory,
    FormFieldFactory,
    InteractionFactory,
    MessageFactory,
    NoteFactory,
    SavedViewFactory,
    TaskFactory,
    WebFormFactory,
    WebhookEventFactory,
)
from tests.factories.patients import (
    ContactPointFactory,
    IdentifierFactory,
    PatientFactory,
    PostalAddressFactory,
    RelatedPersonFactory,
)
from tests.factories.scheduling import AppointmentFactory
from tests.factories.voice import CallFactory, RecordingFactory
from tests.factories.writing import CannedReplyFactory, MacroFactory

PEOPLE = {"agent", "clinical_agent", "partner_agent", "supervisor", "admin", "auditor", "outsider"}
NOBODY: set[str] = set()
PUBLIC = PEOPLE | {"anonymous"}
GUEST = {"anonymous"}
WORKERS = PEOPLE - {"auditor"}
LEADS = {"supervisor", "admin"}
SERVING = LEADS | {"agent", "clinical_agent"}
"""Those who serve the queue of the conversation in question."""
KNOWING = SERVING | {"outsider"}
"""Those who may open the record of the patient in question."""
BOOKING = KNOWING - {"partner_agent"}
"""Those who book visits of the patient in question."""
OFFICERS = {"admin", "auditor"}
WATCHERS = SERVING | {"auditor", "outsider"}

BY_ROLE = (
    "hours",
    "sla",
    *("queue-settings", "routing", "analytics:board-person", "inbox:person"),
    *("quarantine", "hand-over", "second-factor-reset", "processor", "erasure", "hold-lift", "patient-data"),
    *("patients:duplicate", "patients:merge", "patients:unmerge", "patients:import", "patients:program"),
    *("patients:accesses", "patients:break-glass", "patients:protect"),
    "scheduling:mass-move",
    "scheduling:group",
)
"""Pages of a duty: whoever has another one is refused there, whatever the row."""
DRAWN_FOR = ("admin", "agent")  # whether one gets in does not depend on what the page would show
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# name: (who gets an answer to GET, who gets one to POST); no other method is ever answered.
TABLE = {
    "home": (PEOPLE, NOBODY),
    "healthz": (PUBLIC, NOBODY),
    "readyz": (PUBLIC, NOBODY),
    "api-schema": (PUBLIC, NOBODY),
    "account_login": (PUBLIC, PUBLIC),
    "preferences": (NOBODY, PUBLIC),
    "presence": (NOBODY, PEOPLE),
    "account_logout": (PEOPLE, NOBODY),  # a POST is answered with the sign-in page
    "account_inactive": (PUBLIC, NOBODY),
    "account_signup": (NOBODY, NOBODY),
    "account_reauthenticate": (PEOPLE, PEOPLE),
    "account_change_password": (PEOPLE, PEOPLE),
    "account_reset_password": (PUBLIC, PUBLIC),
    "account_reset_password_done": (PUBLIC, NOBODY),
    "account_reset_password_from_key": (PUBLIC, PUBLIC),
    "account_reset_password_from_key_done": (PUBLIC, NOBODY),
    "usersessions_list": (PEOPLE, PEOPLE),
    "session-end": (NOBODY, NOBODY),  # only one's own; see tests/faults/test_second_factor.py
    "lock": (PEOPLE, PEOPLE),
    "stay": (PEOPLE, NOBODY),
    "protection": ({"admin"}, {"admin"}),
    "second-factor-reset": (NOBODY, {"admin"}),
    "mfa_index": (PEOPLE, NOBODY),
    "mfa_authenticate": (PEOPLE, PEOPLE),  # leads away but between the two steps of signing in
    "mfa_reauthenticate": (PEOPLE, PEOPLE),
    "mfa_activate_totp": (PEOPLE, PEOPLE),
    "mfa_deactivate_totp": (NOBODY, NOBODY),  # only with an app
    "mfa_view_recovery_codes": (NOBODY, NOBODY),
    "mfa_generate_recovery_codes": (PEOPLE, PEOPLE),
    "mfa_list_webauthn": (PEOPLE, NOBODY),
    "mfa_add_webauthn": (PEOPLE, PEOPLE),
    "mfa_reauthenticate_webauthn": (PEOPLE, PEOPLE),
    "mfa_remove_webauthn": (NOBODY, NOBODY),  # only one's own
    "mfa_login_webauthn": (PEOPLE, PEOPLE),
    "jobs:list": (PEOPLE, NOBODY),
    "jobs:job": ({"agent"}, NOBODY),  # only whoever started it
    "jobs:stop": (NOBODY, {"agent"}),
    "jobs:again": (NOBODY, {"agent"}),
    "jobs:file": ({"agent"}, NOBODY),
    "patients:list": (WORKERS, WORKERS),
    "patients:new": (KNOWING, KNOWING),
    "patients:find-protected": (KNOWING, KNOWING),
    "patients:record": (KNOWING, NOBODY),
    "patients:timeline": (KNOWING, NOBODY),
    "patients:piece": (KNOWING, NOBODY),
    "patients:break-glass": (NOBODY, NOBODY),  # the patient is not protected
    "patients:close-glass": (NOBODY, KNOWING),
    "patients:protect": (OFFICERS, OFFICERS),
    "patients:accesses": (OFFICERS, NOBODY),
    **dict.fromkeys(
        (
            "patients:identity",
            "patients:address-new",
            *("patients:home-new", "patients:home", "patients:number-new", "patients:number"),
            "patients:alert-new",
            "patients:enrol",
            "patients:pending-new",
            "patients:coverage-new",
            "patients:life-event-new",
            "patients:enrolment",
            "patients:enrolment-done",
            "patients:enrolment-leave",
            "patients:pending",
        ),
        (KNOWING, KNOWING),
    ),
    **dict.fromkeys(
        (
            "patients:address",
            "patients:alert-end",
            "patients:pending-move",
            "patients:coverage-end",
            "patients:life-event-remove",
        ),
        (NOBODY, KNOWING),
    ),
    "patients:audit": (OFFICERS, NOBODY),
    "patients:audit-export": (NOBODY, OFFICERS),
    "patients:programs": ({"admin"}, NOBODY),
    "patients:program-new": ({"admin"}, {"admin"}),
    "patients:program": ({"admin"}, {"admin"}),
    "inbox:notifications": (PEOPLE, NOBODY),
    "inbox:bell": (PEOPLE, NOBODY),
    "inbox:notifications-read": (NOBODY, PEOPLE),
    "inbox:notification-open": (NOBODY, {"agent"}),  # only whom it tells
    "inbox:notification-preferences": (PEOPLE, PEOPLE),
    "inbox:list": (WORKERS, NOBODY),
    "inbox:start": (WORKERS, WORKERS),
    "inbox:find": (NOBODY, WORKERS),
    "inbox:search": (NOBODY, WORKERS),
    "inbox:views": (WORKERS, NOBODY),
    "inbox:rows": (WORKERS, NOBODY),
    "inbox:filter": (WORKERS, NOBODY),
    "inbox:saved-view-new": (WORKERS, WORKERS),
    "inbox:saved-view-preview": (NOBODY, WORKERS),
    "inbox:saved-view-undo": (NOBODY, WORKERS),
    "inbox:saved-view": (LEADS | {"agent"}, LEADS),  # a view of the front desk's
    "inbox:saved-view-delete": (NOBODY, LEADS),
    "inbox:team": (LEADS, NOBODY),
    "inbox:hand-over": (NOBODY, LEADS),
    "analytics:board": (LEADS, NOBODY),
    "inbox:people": (LEADS, NOBODY),
    "inbox:person": (LEADS, LEADS),
    "analytics:board-rows": (LEADS, NOBODY),
    "analytics:board-person": (LEADS, LEADS),
    "inbox:next": (NOBODY, WORKERS),
    "inbox:bulk": (NOBODY, WORKERS),
    "inbox:bulk-undo": (NOBODY, WORKERS),
    "inbox:export": (NOBODY, WORKERS - {"partner_agent"}),
    "inbox:interaction": (SERVING, NOBODY),
    "inbox:talk": (SERVING, NOBODY),
    "inbox:earlier": (SERVING, NOBODY),
    "inbox:side": (SERVING, NOBODY),
    "inbox:compose": (NOBODY, SERVING),
    "inbox:draft": (SERVING, SERVING),
    "inbox:present": (SERVING, NOBODY),
    "inbox:colleague-draft": (SERVING, NOBODY),
    "inbox:take-over-draft": (NOBODY, SERVING),
    "inbox:mentionable": (SERVING, NOBODY),
    "inbox:take": (NOBODY, SERVING),
    "inbox:release": (NOBODY, SERVING),
    "inbox:snooze": (SERVING, SERVING),
    "inbox:wake": (NOBODY, SERVING),
    "inbox:transfer": (SERVING, SERVING),
    "inbox:phone": (WORKERS, NOBODY),
    "inbox:phone-token": (
        NOBODY,
        NOBODY,
    ),  # only with a device; see tests/inbox/voice/test_softphone.py
    "inbox:calls": (LEADS, NOBODY),
    "inbox:call": (NOBODY, SERVING),
    "inbox:recording": (LEADS, NOBODY),
    "inbox:sound": (SERVING, NOBODY),
    "inbox:call-transfer": ({"agent"}, {"agent"}),  # only who is on the line
    "inbox:place-call": (SERVING, SERVING),
    "inbox:dial": (WORKERS - {"partner_agent"}, WORKERS - {"partner_agent"}),
    "inbox:callback": (SERVING, SERVING),
    "inbox:labels": (SERVING, SERVING),
    "inbox:case": (SERVING, SERVING),
    "inbox:message-text": (SERVING, NOBODY),
    "inbox:find-in": (SERVING, SERVING),
    "inbox:panel-consents": (SERVING | {"outsider"}, NOBODY),
    "inbox:identity": (SERVING, SERVING),
    "inbox:identity-unlock": (NOBODY, SERVING),  # whoever may not unlock is told so
    "inbox:identity-policy": ({"admin"}, {"admin"}),
    "my:home": (PUBLIC, NOBODY),  # whoever did not prove an address is led to the sign-in page
    "my:sign-in": (PUBLIC, PUBLIC),
    "my:code": (PUBLIC, PUBLIC),
    "my:sign-out": (NOBODY, PUBLIC),
    "my:choose": (NOBODY, PUBLIC),
    "my:message": (PUBLIC, NOBODY),
    "my:message-file": (PUBLIC, NOBODY),
    "my:preferences": (PUBLIC, PUBLIC),
    "my:consent": (PUBLIC, PUBLIC),
    "my:saved": (PUBLIC, NOBODY),
    "inbox:reach": (KNOWING, NOBODY),
    "inbox:switches": (KNOWING, KNOWING),
    "scheduling:link": (NOBODY, NOBODY),  # only with a link of ours
    "scheduling:offer": (NOBODY, NOBODY),  # the same
    "scheduling:self-book": (PUBLIC, PUBLIC),
    "scheduling:self-wait": (PUBLIC, PUBLIC),
    "scheduling:self-book-finish": (NOBODY, NOBODY),  # only with a time that is kept
    "scheduling:calendar": (NOBODY, NOBODY),  # only at an address of ours
    "scheduling:feed": ({"admin"}, {"admin"}),
    "scheduling:day": (BOOKING, NOBODY),
    "scheduling:capacity": (BOOKING, NOBODY),
    "scheduling:capacity-change": (NOBODY, NOBODY),  # a POST that names no verb is answered as if it did not exist
    "scheduling:wait": (BOOKING, BOOKING),
    "scheduling:group": (NOBODY, NOBODY),  # there is none
    "scheduling:absences": (BOOKING, BOOKING),
    "scheduling:mass-move": (NOBODY, NOBODY),  # there is none
    "scheduling:visit": (KNOWING, NOBODY),
    "scheduling:book": (BOOKING, BOOKING),
    "scheduling:move": (BOOKING, BOOKING),
    "scheduling:series": (BOOKING, BOOKING),
    "scheduling:following": (NOBODY, NOBODY),  # the visit belongs to no series
    "scheduling:cancel": (NOBODY, BOOKING),
    "scheduling:change": (NOBODY, BOOKING),
    "complaints:list": (BOOKING, NOBODY),
    "complaints:new": (BOOKING, BOOKING),
    "complaints:protected": (BOOKING, BOOKING),
    "complaints:complaint": (SERVING, NOBODY),
    "complaints:move": (NOBODY, LEADS),  # of those who serve the patient only its owner
    "patients:preferences": (KNOWING, KNOWING),
    "patients:consents": (KNOWING, KNOWING),
    "patients:family": (KNOWING, KNOWING),
    "patients:family-member": (KNOWING, KNOWING),
    "patients:family-member-end": (NOBODY, KNOWING),
    "patients:consent-texts": ({"admin"}, {"admin"}),
    "patients:care-rules": ({"admin"}, {"admin"}),
    "inbox:tasks": (SERVING, SERVING),
    "inbox:task": (SERVING, SERVING),
    "inbox:task-tick": (NOBODY, SERVING),
    "inbox:task-remove": (NOBODY, SERVING),
    "inbox:merge": (SERVING, SERVING),
    "inbox:unmerge": (NOBODY, SERVING),
    "inbox:split": (SERVING, SERVING),
    "inbox:wrap-up": (SERVING, SERVING),
    "inbox:wrong-patient": (SERVING, SERVING),
    "inbox:reopen": (NOBODY, SERVING),
    "inbox:link": (SERVING, SERVING),
    "inbox:create-patient": (NOBODY, SERVING),
    "inbox:templates": (SERVING, SERVING),
    "inbox:canned": (SERVING, NOBODY),
    "inbox:macros": (SERVING, NOBODY),  # a POST without a macro is answered as if it did not exist
    "inbox:kept-macros": (WORKERS, NOBODY),
    "inbox:macro-new": (WORKERS, WORKERS),
    "inbox:macro-edit": (LEADS, LEADS),
    "inbox:macro-switch": (NOBODY, LEADS),
    "inbox:upload": (NOBODY, SERVING),
    "inbox:note-text": (SERVING, NOBODY),
    "inbox:note-file": (SERVING, NOBODY),
    "inbox:note-picture": (SERVING, NOBODY),
    "inbox:message-later": (SERVING, SERVING),
    "inbox:message-now": (NOBODY, SERVING),
    "inbox:take-back": (NOBODY, SERVING),
    "inbox:upload-remove": (NOBODY, SERVING),
    "inbox:upload-mark": (NOBODY, SERVING),
    "inbox:processors": (LEADS | {"auditor"}, NOBODY),
    "inbox:processor-new": ({"admin", "auditor"}, {"admin", "auditor"}),
    "inbox:processor": ({"admin", "auditor"}, {"admin", "auditor"}),
    "patients:duties": (LEADS | {"auditor"}, NOBODY),
    "patients:erasure-approve": (NOBODY, {"admin", "auditor"}),
    "patients:erasure-decline": (NOBODY, {"admin", "auditor"}),
    "patients:holds": (LEADS | {"auditor"}, {"admin", "auditor"}),
    "patients:hold-lift": (NOBODY, {"admin", "auditor"}),
    "patients:retention": (LEADS | {"auditor"}, {"admin", "auditor"}),
    "patients:patient-data": (LEADS, LEADS),
    "inbox:picture": (SERVING, NOBODY),
    "inbox:media": (NOBODY, NOBODY),  # only with the signed address of a message that is leaving
    "inbox:settings": (WORKERS, NOBODY),
    "inbox:offers": (WORKERS, NOBODY),  # an answer that names no offer is answered as if it did not exist
    "inbox:escalation": (SERVING, SERVING),
    "inbox:queue-settings": ({"admin"}, NOBODY),
    "inbox:queue-settings-edit": ({"admin"}, {"admin"}),
    "inbox:routing": ({"admin"}, NOBODY),
    "inbox:routing-new": ({"admin"}, {"admin"}),
    "inbox:routing-rule": ({"admin"}, {"admin"}),
    "inbox:hours": ({"admin"}, NOBODY),
    "inbox:hours-new": ({"admin"}, {"admin"}),
    "inbox:hours-calendar": ({"admin"}, {"admin"}),
    "inbox:hours-days": (NOBODY, {"admin"}),
    "inbox:hours-day-remove": (NOBODY, NOBODY),  # a POST that names no day is answered as if it did not exist
    "inbox:hours-close": (NOBODY, {"admin"}),
    "inbox:hours-open": (NOBODY, {"admin"}),
    "inbox:hours-restore": (NOBODY, NOBODY),
    "inbox:sla": ({"admin"}, NOBODY),
    "inbox:sla-new": ({"admin"}, {"admin"}),
    "inbox:sla-restore": (NOBODY, NOBODY),
    "inbox:sla-apply": (NOBODY, {"admin"}),
    "inbox:sla-policy": ({"admin"}, {"admin"}),
    "inbox:sla-switch": (NOBODY, {"admin"}),
    "inbox:sla-move": (NOBODY, {"admin"}),
    "inbox:time-lab": ({"admin"}, NOBODY),
    "inbox:canned-replies": (WORKERS, NOBODY),
    "inbox:canned-new": (WORKERS, WORKERS),
    "inbox:canned-edit": (LEADS, LEADS),
    "inbox:canned-switch": (NOBODY, LEADS),
    "inbox:retry": (NOBODY, SERVING),
    "inbox:cancel": (NOBODY, SERVING),
    "inbox:formatted-mail": (SERVING, NOBODY),
    "inbox:attachment": (SERVING, NOBODY),
    "inbox:file": (NOBODY, NOBODY),  # only with an address of one's own, a minute long
    "inbox:outbox": (WATCHERS, NOBODY),
    "inbox:quarantine": (WATCHERS, NOBODY),
    "inbox:quarantine-raw": (LEADS, NOBODY),
    "inbox:quarantine-retry": (NOBODY, LEADS),
    "patients:duplicates": (LEADS, NOBODY),
    "patients:duplicate-scan": (NOBODY, LEADS),
    "patients:duplicate-dismiss": (NOBODY, LEADS),
    "patients:duplicate-reopen": (NOBODY, LEADS),
    "patients:merges": (LEADS, NOBODY),
    "patients:merge": (LEADS, NOBODY),
    "patients:unmerge": (NOBODY, LEADS),
    "patients:merge-find": (LEADS, LEADS),
    "patients:merge-pair": (LEADS, LEADS),
    "patients:imports": (LEADS, LEADS),
    "patients:import-fhir": (LEADS, LEADS),
    "patients:export-fhir": (SERVING | {"outsider"}, NOBODY),
    "patients:import": ({"supervisor"}, NOBODY),  # only whoever chose the file
    "patients:import-columns": ({"supervisor"}, {"supervisor"}),
    "patients:import-run": (NOBODY, {"supervisor"}),
    "patients:import-stop": (NOBODY, {"supervisor"}),
    "patients:import-errors": ({"supervisor"}, NOBODY),
    "inbox:forms": (PUBLIC, NOBODY),
    "inbox:form": (PUBLIC, NOBODY),  # only with the key that its page carries
    "inbox:form-json": (NOBODY, PUBLIC),
    "inbox:form-thanks": (PUBLIC, NOBODY),
    "inbox:form-receipt": (NOBODY, NOBODY),  # only for whoever sent that form
    "inbox:twilio-messaging": (NOBODY, NOBODY),
    "inbox:twilio-message-status": (NOBODY, NOBODY),
    "inbox:twilio-voice": (NOBODY, NOBODY),
    "inbox:twilio-voice-status": (NOBODY, NOBODY),
    "inbox:email-provider": (NOBODY, NOBODY),
    "inbox:email-provider-tracking": (NOBODY, NOBODY),
}
API_READS = {
    "patients": WORKERS,
    "contact-points": WORKERS,
    "consents": WORKERS,
    "interactions": WORKERS,
    "messages": WORKERS,
    "cases": WORKERS,
    "complaints": BOOKING,
    "appointments": BOOKING,
    "waitlist": BOOKING,
    "tasks": WORKERS,
    "tags": WORKERS,
    "channels": WORKERS,
    "queues": WORKERS,
    "calendars": WORKERS,
    "sla-policies": WORKERS,
    "sla-clocks": WORKERS,
    "reasons": WORKERS,
    "dispositions": WORKERS,
    "ledger-events": WATCHERS,
    "outbox": WATCHERS,
}


def outcome(response):
    """What an answer means to whoever asked: in, login, refused, absent, method or (from any page) elsewhere."""
    status, target = response.status_code, response.headers.get("Location", "")
    if status == 401 or target.startswith(("/accounts/login/", "/admin/")):
        return "login"
    if target and response.request["REQUEST_METHOD"] not in {"GET", "POST"}:
        return "elsewhere"
    return {403: "refused", 404: "absent", 405: "method"}.get(status, "in" if status < 500 else "broken")


def strangers_at(address):
    """To whom a row of an address with an id must look as if it did not exist: whoever does not serve that queue; a
    patient's record only to partner teams without work for that patient."""
    if address.name.startswith("patients:"):
        return {"partner_agent"} if {"pk", "patient_id"} & set(address.keywords) else set()
    return {"outsider", "partner_agent"} if "pk" in address.keywords else set()


def ask(client, method, url):
    """The outcome; whatever the request changed is undone, and the browser keeps its cookies."""
    cookies = client.cookies.copy()
    with transaction.atomic():
        response = client.generic(method, url, b"", content_type="application/x-www-form-urlencoded")
        transaction.set_rollback(True)
    client.cookies = cookies
    return outcome(response)


@pytest.fixture
def browsers(everybody, signed_in):
    return {name: signed_in(user) for name, user in vars(everybody).items()} | {"anonymous": Client()}


def patient_rows(patient):
    """One row of everything that has an address of its own in a patient's record, by the name of the address."""
    enrolment, pending = EnrolmentFactory(patient=patient), PendingResultFactory(patient=patient)
    return {
        "patients:address": ContactPointFactory(patient=patient),
        "patients:home": PostalAddressFactory(patient=patient),
        "patients:number": IdentifierFactory(patient=patient),
        "patients:alert-end": AlertFactory(patient=patient),
        **dict.fromkeys(("patients:enrolment", "patients:enrolment-done", "patients:enrolment-leave"), enrolment),
        **dict.fromkeys(("patients:pending", "patients:pending-move"), pending),
        "patients:coverage-end": CoverageFactory(patient=patient),
        "patients:life-event-remove": LifeEventFactory(patient=patient),
        "patients:program": enrolment.program,
        **dict.fromkeys(
            ("patients:erasure-approve", "patients:erasure-decline"),
            ErasureRequest.objects.create(patient=patient, reason="asked", requested_by=UserFactory()),
        ),
        "patients:hold-lift": LegalHold.objects.create(reason="court", placed_by=UserFactory()),
    }


@pytest.fixture
def url_of(sms_channel, form_channel, agent, team, supervisor):
    """The address of a pattern, with ids of rows of one conversation in the general queue."""
    interaction = InteractionFactory(channel=sms_channel, patient=PatientFactory())
    message = MessageFactory(interaction=interaction)
    failed = MessageFactory(interaction=interaction, direction=Direction.OUTBOUND, status=MessageStatus.FAILED)
    formatted = MessageFactory(interaction=interaction, html="<p>Hello</p>")
    file = AttachmentFactory(message=message, status=AttachmentStatus.CLEAN)
    file.file.save("x", ContentFile(b"x"))
    draft = DraftFactory(interaction=interaction)
    event = WebhookEventFactory(status=EventStatus.QUARANTINED)
    form = WebFormFactory(channel=form_channel)
    FormFieldFactory(form=form)
    job = Job(owner=agent, kind="x", title="x", total=1, status=JobStatus.DONE, finished_at=timezone.now())
    job.file.save("x.csv", ContentFile(b"x"))
    notice = Notification.objects.create(user=agent, kind="assigned", interaction=interaction)
    task = TaskFactory(interaction=interaction)
    note = NoteFactory(interaction=interaction)
    note_file = NoteFile(note=note, name="x.png", content_type="image/png", size=1)
    note_file.file.save("x", ContentFile(b"x"))
    relative = RelatedPersonFactory(patient=interaction.patient)
    visit = AppointmentFactory(patient=interaction.patient)
    rows = {
        "message-text": message,
        "second-factor-reset": agent,
        **dict.fromkeys(
            ("call", "call-transfer"), CallFactory(interaction=interaction, agent=agent, status="connected")
        ),
        "note-text": note,
        **dict.fromkeys(("note-file", "note-picture"), note_file),
        **dict.fromkeys(("task", "task-tick", "task-remove"), task),
        **dict.fromkeys(("hand-over", "person", "analytics:board-person"), agent),
        "notification-open": notice,
        **dict.fromkeys(("attachment", "picture"), file),
        "formatted-mail": formatted,
        "retry": failed,
        **dict.fromkeys(("cancel", "message-later", "message-now", "take-back"), failed),
        "recording": RecordingFactory(call__interaction=interaction),
        "sound": AttachmentFactory(
            message=message, status=AttachmentStatus.CLEAN, content_type="audio/mpeg", file=file.file.name
        ),
        "processor": Processor.objects.create(name="Carrier", region="EU"),
        **dict.fromkeys(
            ("complaints:complaint", "complaints:move"),
            ComplaintFactory(interaction=interaction, patient=interaction.patient),
        ),
        "quarantine-raw": event,
        "quarantine-retry": event,
    }
    rows |= patient_rows(interaction.patient)
    rows |= dict.fromkeys(("canned-edit", "canned-switch"), CannedReplyFactory())
    hours = ("calendar", "days", "day-remove", "close", "open", "restore")
    rows |= dict.fromkeys((f"hours-{name}" for name in hours), CalendarFactory())
    rows |= dict.fromkeys(("sla-policy", "sla-switch", "sla-move"), SlaPolicyFactory())
    rows |= {"queue-settings-edit": sms_channel.queue, "routing-rule": RoutingRuleFactory(queue=sms_channel.queue)}
    rows |= dict.fromkeys(("macro-edit", "macro-switch"), MacroFactory())
    rows |= dict.fromkeys(("saved-view", "saved-view-delete"), SavedViewFactory(team=team))

    rows |= rows_of_records(interaction.patient, supervisor, job)

    def url(address):
        is_job = address.name.startswith("jobs:")
        given = {
            "other_id": rows["patients:other"].pk,
            "author_id": draft.author_id,
            "part": "text",
            "verb": "acknowledge" if address.name == "complaints:move" else "confirm",
            "kind": "offer",
            "row_id": 1,
            "appointment_id": visit.pk,
            "patient_id": interaction.patient_id,
            "practitioner_id": visit.practitioner_id,
            "related_person_id": relative.pk,
            "public_id": message.public_id,
            "number": 1,
            "pk": job.pk if is_job else rows.get(address.name.removeprefix("inbox:"), interaction).pk,
            "key": "programs" if address.name.startswith("patients:") else "set-password",
            "slug": form.slug,
            "reference": "F-2345678",
            "token": "no-token",
            "provider": "postmark",
            "uidb36": "1",
        }
        return reverse(address.name, kwargs={name: given[name] for name in address.keywords})

    return url


def rows_of_records(patient, supervisor, job):
    """What pages about many records are asked for."""
    other, old = PatientFactory(), PatientFactory()
    merge = PatientMerge.objects.create(source=old, target=patient, merged_by=UserFactory())
    Patient.objects.filter(pk=old.pk).update(merged_into=patient)
    taken_in = PatientImport(owner=supervisor, name="x", job=job, header=["a"], columns=[""])
    taken_in.format = {"kind": "csv", "encoding": "utf-8", "delimiter": ","}
    taken_in.file.save("x", ContentFile(b"a,b\n1,2\n"))
    pair = DuplicateSuggestion.objects.create(first=patient, second=other, score=1, level="likely")
    return {
        "patients:other": other,
        **dict.fromkeys(("patients:duplicate-dismiss", "patients:duplicate-reopen"), pair),
        **dict.fromkeys(("patients:merge", "patients:unmerge"), merge),
        **dict.fromkeys(("patients:merge-find", "patients:merge-pair", "patients:export-fhir"), patient),
        **{f"patients:import{part}": taken_in for part in ("", "-columns", "-run", "-stop", "-errors")},
    }


def product_addresses():
    return [address for address in addresses() if not address.name.startswith(("admin:", "api:"))]


def test_every_address_of_the_house_is_in_the_table():
    assert {address.name for address in product_addresses()} == set(TABLE)


@pytest.mark.fault
@pytest.mark.timeout(400)
@pytest.mark.parametrize("method", METHODS)
def test_every_address_answers_exactly_whom_the_table_names(method, browsers, url_of):
    wrong, cells = {}, 0
    for address in product_addresses():
        url, (get, post) = url_of(address), TABLE[address.name]
        needs_sign_in = getattr(address.view, "login_required", True)
        allowed = {"GET": get, "POST": post}.get(method, NOBODY)
        asked = browsers if method in ("GET", "POST") else {name: browsers[name] for name in ("admin", "anonymous")}
        outcomes = {}
        for name, browser in asked.items():
            with nullcontext() if name in DRAWN_FOR else patch.object(Template, "render", lambda *_: SafeString()):
                outcomes[name] = ask(browser, method, url)
        cells += len(outcomes)
        answered = {name for name, result in outcomes.items() if result == "in"}
        is_told_to_sign_in = outcomes["anonymous"] == "login" or not needs_sign_in
        strangers = {outcomes[name] for name in strangers_at(address) & set(outcomes)}
        is_by_role = any(word in address.name for word in BY_ROLE)
        if not strangers <= {
            "absent",
            "method",
            "refused" if is_by_role else "absent",
        }:
            wrong[f"{method} {address.name} as a stranger"] = strangers  # X2: as if the row did not exist
        if answered != allowed or "broken" in outcomes.values() or not is_told_to_sign_in:
            wrong[f"{method} {address.name}"] = outcomes
    print(f"X1: {method} of {len(TABLE)} addresses, {cells} requests, {len(wrong)} not as the table says")
    assert wrong == {}


@pytest.mark.fault
def test_the_admin_answers_admins_only(browsers):
    strangers = {name: browser for name, browser in browsers.items() if name != "admin"}
    names = [one for one in addresses() if one.name.startswith("admin:") and not one.pattern.name]
    urls = {reverse("admin:index"), "/admin/inbox/", "/admin/r/1/1/", "/admin/no-such-page/"}
    urls |= {address_of(one) for one in addresses() if one.name.startswith("admin:") and one not in names}
    answers = {
        (method, url, name): ask(browser, method, url)
        for url in urls
        for method in ("GET", "POST")
        for name, browser in strangers.items()
    }
    assert {cell: answer for cell, answer in answers.items() if answer not in {"login", "refused", "method"}} == {}
    assert len(urls) > 40
    assert ask(browsers["admin"], "GET", reverse("admin:index")) == "in"


def address_of(one):
    """An admin address, with 1 for every id in it."""
    given = {"app_label": "inbox"}
    return reverse(one.name, kwargs={name: given.get(name, "1") for name in one.keywords})


def kinds_in(address):
    """A kind of FHIR resource that the address takes."""
    return {"kind": "Appointment"} if "kind" in address.keywords else {}


def test_no_browser_session_opens_the_api(browsers):
    for address in addresses():
        if address.name.startswith("api:"):
            url = reverse(address.name, kwargs=dict.fromkeys(address.keywords, "1") | kinds_in(address))
            for method in ("GET", "POST"):
                outcomes = {ask(browsers[name], method, url) for name in ("admin", "anonymous")}
                assert outcomes == {"login"}, (address.name, method)


@pytest.mark.django_db
def test_api_keys_read_what_their_role_may(everybody):
    found = {name: set() for name in API_READS}
    for who in PEOPLE:
        role = Role.AGENT if who == "outsider" else Role(who)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {accounts.create_api_key(actor=None, name=who, role=role)[1]}")
        for name in API_READS:
            if client.get(f"/api/v1/{name}/").status_code == 200:
                found[name].add(who)
    listed = {
        address.name.removeprefix("api:").removesuffix("-list") for address in addresses() if "-list" in address.name
    }
    assert found == API_READS
    singular = {"sla-policies": "sla-policy"}
    known = {singular.get(name, name.rstrip("s")) for name in API_READS}
    assert known == {name for name in listed if name in known}


def test_no_page_takes_a_write_without_its_token(signed_in, supervisor, url_of):
    """X7: a strict browser that is signed in, every address that is not meant for machines or strangers' forms."""
    browser = signed_in(supervisor, enforce_csrf_checks=True)
    strangers = [one for one in product_addresses() if getattr(one.view, "csrf_exempt", False)]
    tokenless = {
        one.name: browser.generic(method, url_of(one), b"").status_code
        for one in product_addresses()
        for method in ("POST", "DELETE")
        if one not in strangers
    }
    assert {name: status for name, status in tokenless.items() if status != 403} == {}
    assert {one.name for one in strangers} == {
        "api-schema",
        "inbox:form",
        "inbox:form-json",
        *(name for name in TABLE if name.startswith(("inbox:twilio", "inbox:email"))),
    }


def test_only_the_allow_list_is_open_without_signing_in():
    open_ones = {one.name for one in product_addresses() if not getattr(one.view, "login_required", True)}
    allowed = {name for name, (get, post) in TABLE.items() if "anonymous" in get | post}
    machines = {name for name in TABLE if name.startswith(("inbox:twilio", "inbox:email"))}
    assert open_ones == allowed | machines | {
        "mfa_authenticate",
        "mfa_login_webauthn",
        "account_signup",
        "account_logout",
        "inbox:form-receipt",
        "inbox:media",
        "scheduling:calendar",
        "scheduling:link",
        "scheduling:offer",
        "scheduling:self-book-finish",
    }
