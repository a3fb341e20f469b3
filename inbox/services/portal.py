"""Signing patients in on their own page, and what they do there. Nothing tells whether an address is known here."""

import hashlib
import secrets
import uuid
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.enums import CodeUse, Direction, InteractionStatus, MessageStatus
from inbox.models import Channel, Interaction, Message, OneTimeCode, PortalSession
from inbox.selectors.portal import people_of
from inbox.services.code_messages import enqueue_code
from inbox.services.codes import channel_for, new_code, try_code
from patients.matching.people import fold
from patients.models import Patient
from patients.selectors.people import MOST_MATCHES, match_patients

IDLE, LONGEST = timedelta(minutes=20), timedelta(hours=2)
SEEN_EVERY = timedelta(minutes=1)
SEND_TASK = "inbox.send_own_page_codes"
SENTENCES = {
    CodeUse.PORTAL: gettext_lazy("%(code)s is your code for your page at %(organisation)s. Give it to nobody."),
    CodeUse.BOOKING: gettext_lazy("%(code)s is your code to book a visit at %(organisation)s. Give it to nobody."),
}


@transaction.atomic
def ask_for_code(*, scheme: str, address: str, language: str, use: CodeUse = CodeUse.PORTAL) -> uuid.UUID:
    """Note that somebody wants a code to this normalised address, and return the number of the request.

    The same is done for every address: whether it is known, and so gets a message, is looked up by a worker later.
    After three in a quarter of an hour the number belongs to no code, and nobody is told. A code to book a visit goes
    to addresses nobody here has, too.
    """
    code = new_code(use=use, scheme=scheme, address=address, language=language)
    wake_on_commit(SEND_TASK, "outbound")
    return code.public_id if code else uuid.uuid4()


def send_waiting_codes(*, limit: int = 200) -> int:
    """Decide for each request whether a message carries its code; returns how many do."""
    sent = 0
    for _turn in range(limit):
        with realtime.atomic():
            waiting = OneTimeCode.objects.select_for_update(skip_locked=True).filter(handled_at=None)
            code = waiting.filter(use__in=SENTENCES).order_by("pk").first()
            if code is None:
                break
            code.handled_at = timezone.now()
            code.message = _message_with(code)
            code.save(update_fields=["handled_at", "message"])
            sent += code.message is not None
    return sent


def _message_with(code: OneTimeCode) -> Message | None:
    patients = _patients_at(code.scheme, code.address)
    channel = channel_for(code.scheme)
    is_for_anybody = code.use == CodeUse.BOOKING
    if not (patients or is_for_anybody) or channel is None or code.expires_at <= timezone.now():
        return None
    thread = _thread_of_codes(channel, code, patients)
    return enqueue_code(code, interaction=thread, channel=channel, sentence=SENTENCES[CodeUse(code.use)])


def _patients_at(scheme: str, address: str) -> list[Patient]:
    found = match_patients(scheme, address)
    return [patient for patient in found if patient.deceased_date is None] if len(found) < MOST_MATCHES else []


def _thread_of_codes(channel: Channel, code: OneTimeCode, patients: list[Patient]) -> Interaction:
    """Where the codes of one address stand: a closed interaction of its own, which nobody has to work on."""
    key = f"codes:{code.address}"[:254]
    known = Interaction.objects.filter(channel=channel, thread_key=key).order_by("-pk").first()
    if known is not None:
        return known
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Codes for the patient's own page")
    return Interaction.objects.create(
        channel=channel,
        channel_kind=channel.kind,
        direction=Direction.OUTBOUND,
        thread_key=key,
        contact_scheme=code.scheme,
        contact_value=code.address,
        patient=patients[0] if len(patients) == 1 else None,
        is_contact_shared=len(patients) > 1,
        queue=channel.queue,
        status=InteractionStatus.CLOSED,
        subject=subject,
        snippet=subject,
        language=code.language,
    )


@transaction.atomic
def open_session(
    *, code_id: uuid.UUID, given: str, birth_date: date, first_name: str = ""
) -> tuple[PortalSession, str] | None:
    """Sign in whoever gives the code that was sent to an address and the birth date of a patient who has it.

    Twins share both: of several first names the one that is meant must be given, and it is never guessed.
    Returns the session and the key for the browser; None for anything else, without saying what was wrong. A wrong
    birth date or name counts as a try too.
    """
    code = OneTimeCode.objects.filter(public_id=code_id, use=CodeUse.PORTAL).first()
    if code is None:
        return None
    matching = [one for one in _patients_at(code.scheme, code.address) if one.birth_date == birth_date]
    matching = _named(matching, first_name)
    if not try_code(code.pk, given if matching else ""):
        return None
    key = secrets.token_urlsafe(32)
    session = PortalSession.objects.create(
        digest=_digest(key),
        patient=matching[0],
        acting_for=matching[0],
        scheme=code.scheme,
        address=code.address,
    )
    _record(AuditAction.SIGNED_IN, session)
    return session, key


def _named(patients: list[Patient], first_name: str) -> list[Patient]:
    """Those of one first name: the one that is written or begun here; none while several could be meant."""
    names = {fold(one.given_name) for one in patients}
    written = fold(first_name)
    if len(names) > 1:
        names = {name for name in names if name == written} or {
            name for name in names if written and name.startswith(f"{written} ")
        }
    return [one for one in patients if {fold(one.given_name)} == names]


def find_session(key: str) -> PortalSession | None:
    """The session of a browser's key; None when it ended, was idle for twenty minutes, or is older than two hours.

    A record that was merged, or whose patient died, is signed out.
    """
    now = timezone.now()
    rows = PortalSession.objects.select_related("patient", "acting_for").filter(
        digest=_digest(key), ended_at=None, seen_at__gt=now - IDLE, created_at__gt=now - LONGEST,
        patient__merged_into=None, patient__deceased_date=None, acting_for__merged_into=None,
    )  # fmt: skip
    session = rows.first()
    if session is not None and now - session.seen_at > SEEN_EVERY:
        session.seen_at = now
        session.save(update_fields=["seen_at"])
    return session


@transaction.atomic
def end_session(session: PortalSession) -> None:
    """Sign out; the key opens nothing any more."""
    session.ended_at = timezone.now()
    session.save(update_fields=["ended_at"])
    _record(AuditAction.SIGNED_OUT, session)


@transaction.atomic
def look_at(session: PortalSession, patient_id: int) -> PortalSession:
    """Turn to the page of another patient one may act for. Raises Refused for all others alike."""
    chosen = next((one for one in people_of(session) if one.pk == patient_id), None)
    if chosen is None:
        raise Refused(_("You cannot see this page."))
    session.acting_for = chosen
    session.save(update_fields=["acting_for"])
    return session


@transaction.atomic
def note_view(session: PortalSession, part: str) -> None:
    """Leave the entry that this part of the patient's page was read."""
    _record(AuditAction.VIEWED, session, part=part)


@transaction.atomic
def read_message(session: PortalSession, message_id: int) -> None:
    """The patient opened a sensitive message: staff see that it was read, and the trail keeps it."""
    with realtime.atomic():
        message = Message.objects.select_for_update().get(pk=message_id)
        if message.status in (MessageStatus.SENT, MessageStatus.DELIVERED):
            message.mark_read(timezone.now())
            message.save()
        _record(AuditAction.VIEWED, session, part="message", message=message_id)
        realtime.touch(realtime.interaction_topic(message.interaction_id))


def _record(action: AuditAction, session: PortalSession, **detail: object) -> None:
    record(
        actor=None,
        action=action,
        object_type="portalsession",
        object_id=session.pk,
        patient_id=session.acting_for_id,
        viewer=session.patient_id,
        **detail,
    )


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
