"""What a patient sees on their own page: requests with their next step, messages with sensitive content."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox.enums import OPEN, AttachmentStatus, CaseStatus, Direction, InteractionStatus, MessageStatus
from inbox.models import Attachment, Case, Interaction, Message, PortalSession
from patients.models import Patient
from patients.selectors.family import may_act_for, proxies_of
from patients.selectors.people import match_patients

MOST_SHOWN = 20
DONE_SHOWN = timedelta(days=30)
S = InteractionStatus


@dataclass(frozen=True, slots=True)
class Request:
    """One thing the patient asked for: where it stands, what is next, who owns it (a first name or a team)."""

    title: str
    began_at: datetime
    status: str
    owner: str
    next_step: str
    next_date: date | None
    is_done: bool


def people_of(session: PortalSession) -> list[Patient]:
    """Whose pages this person may look at: their own, those of twins who share address and birth date, and those they
    may act for today."""
    twins = [
        patient
        for patient in match_patients(session.scheme, session.address)
        if patient.birth_date == session.patient.birth_date and patient.deceased_date is None
    ]
    found = {patient.pk: patient for patient in [session.patient, *twins]}
    for link in proxies_of(session.patient):
        found.setdefault(link.patient_id, link.patient)
    return list(found.values())


def may_see(session: PortalSession, scope: str) -> bool:
    """Whether this person may see that kind of matter of whose page they look at. Asked anew each time."""
    about = session.acting_for
    is_own = about.pk == session.patient_id or _is_twin(session, about)
    return is_own or may_act_for(session.patient, about, scope)


def may_decide(session: PortalSession) -> bool:
    """Whether this person may change preferences and consent: their own, and those of a minor they act for."""
    about = session.acting_for
    if about.pk == session.patient_id or _is_twin(session, about):
        return True
    return any(link.patient_id == about.pk and link.is_for_minor for link in proxies_of(session.patient))


def _is_twin(session: PortalSession, about: Patient) -> bool:
    same_day = about.birth_date == session.patient.birth_date
    return same_day and about.contact_points.filter(scheme=session.scheme, value=session.address).exists()


def requests_of(about: Patient, *, is_own: bool) -> list[Request]:
    """Open requests and those that ended in the last month, newest first. Sensitive ones only for the patient alone."""
    since = timezone.now() - DONE_SHOWN
    rows = Interaction.objects.filter(patient=about, direction=Direction.INBOUND, merged_into=None)
    rows = rows.filter(Q(status__in=OPEN) | Q(status=S.CLOSED, closed_at__gte=since))
    cases = Case.objects.filter(patient=about, status__in=[CaseStatus.OPEN, CaseStatus.WAITING])
    if not is_own:
        rows = rows.exclude(reason__is_sensitive=True).exclude(case__reason__is_sensitive=True)
        cases = cases.exclude(reason__is_sensitive=True)
    cases = cases.select_related("owner", "queue", "reason").order_by("-created_at")[:MOST_SHOWN]
    shown = {case.pk for case in cases}
    rows = rows.exclude(status=S.CLOSED, case_id__in=shown) if shown else rows
    rows = rows.select_related("owner", "queue", "reason", "next_step_owner").order_by("-last_message_at")[:MOST_SHOWN]
    return [_case(case) for case in cases] + [_interaction(row) for row in rows]


def _case(case: Case) -> Request:
    owner = case.owner.first_name if case.owner else case.queue.name if case.queue else ""
    title = case.reason.name if case.reason else _("Your request")
    status = _("We are waiting for somebody") if case.status == CaseStatus.WAITING else _("We are working on it")
    return Request(title, case.created_at, status, owner, case.next_step, case.next_step_date, False)


def _interaction(row: Interaction) -> Request:
    name = row.owner.first_name if row.owner else ""
    if row.status == S.CLOSED:
        status = _("Done")
    elif row.owner is None:
        status = _("We have it. Somebody will begin soon")
    else:
        status = _("%(name)s is working on it") % {"name": name or row.queue.name}
    title = row.reason.name if row.reason else _("Your request")
    owner = row.next_step_owner.first_name if row.next_step_owner else name
    step, day = row.next_step, row.next_step_date
    return Request(title, row.opened_at, status, owner or row.queue.name, step, day, row.status == S.CLOSED)


def sensitive_messages(about: Patient) -> QuerySet[Message]:
    """Sensitive messages to this patient, newest first; without those that have not left, may still be taken back, or
    were stopped."""
    gone = [MessageStatus.DRAFT, MessageStatus.QUEUED, MessageStatus.CANCELLED, MessageStatus.SUPPRESSED]
    found = Message.objects.filter(interaction__patient=about, direction=Direction.OUTBOUND, is_sensitive=True)
    return found.exclude(status__in=gone).select_related("author", "interaction").order_by("-occurred_at", "-pk")


def files_of_message(message: Message) -> QuerySet[Attachment]:
    """Its files that may be read, in their order."""
    return message.attachments.filter(status=AttachmentStatus.CLEAN).exclude(file="").order_by("pk")
