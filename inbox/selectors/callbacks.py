"""Promises to call back as others see them."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from inbox.enums import CALLBACK_LIVE, CallMomentKind, ChannelKind
from inbox.gate import GateReason
from inbox.models import Call, Callback, Channel, Interaction
from inbox.selectors.dialling import why_not_dialled
from inbox.selectors.outbox import GATE_SENTENCES
from patients.enums import ConsentPurpose, ContactChannel
from patients.models import Patient
from patients.selectors.consents import word_on
from patients.selectors.people import match_patients, patients_visible_to

OWNER_FIRST = timedelta(minutes=5)
"""So long the owner alone is asked, then as long the fallback owner too, then everybody of the queue."""
STILL_MEANT = timedelta(hours=1)
"""A text or a call of ours that answers something older puzzles more than it helps."""


def live_callback(number: str) -> Callback | None:
    """The one promise for this number that is still to be kept."""
    return Callback.objects.filter(number=number, status__in=CALLBACK_LIVE).first() if number else None


def is_past(interaction: Interaction, at: datetime) -> bool:
    """What a caller did then is answered by no text and no call by itself any more: it is too long ago, or somebody has
    talked with this number since. At most one query."""
    if timezone.now() - at > STILL_MEANT:
        return True
    same = {"interaction__contact_scheme": "phone", "interaction__contact_value": interaction.contact_value}
    talked = Call.objects.filter(answered_at__gt=at, **same).exclude(moments__kind=CallMomentKind.MACHINE)
    return bool(interaction.contact_value) and talked.exists()


def callbacks_of(interaction: Interaction) -> list[Callback]:
    """The promises that belong to a conversation, newest first. One query."""
    found = Callback.objects.filter(interaction=interaction).select_related("owner", "fallback_owner")
    return list(found.order_by("-pk"))


def may_be_asked(callback: Callback, now: datetime) -> set[int] | None:
    """Ids of the people to whom it may be offered at this moment; None is everybody of its queue."""
    late = now - callback.due_at
    if callback.owner_id is None or late >= OWNER_FIRST * (2 if callback.fallback_owner_id else 1):
        return None
    if late < OWNER_FIRST or callback.fallback_owner_id is None:
        return {callback.owner_id}
    return {callback.owner_id, callback.fallback_owner_id}


def phone_number_of(actor: User, interaction: Interaction) -> str:
    """The phone number of a conversation in E.164: the one it is held with, else the patient's first; else empty."""
    if interaction.contact_scheme == "phone":
        return interaction.contact_value
    if interaction.patient is None:
        return ""
    return first_phone(actor, interaction.patient)


def phones_of(actor: User, patient: Patient) -> list[str]:
    """Where a patient can be called, in the order they want, of a record the actor may look into."""
    if not _may_see(actor, patient):
        return []
    points = patient.contact_points.filter(scheme="phone").order_by("rank", "pk")
    return list(dict.fromkeys(points.values_list("value", flat=True)))


def first_phone(actor: User, patient: Patient) -> str:
    """Where a patient wants to be called first; empty without any that the actor may know."""
    return next(iter(phones_of(actor, patient)), "")


def known_at(actor: User, number: str) -> Patient | None:
    """The one patient who has this number, if the actor may look into the record."""
    found = match_patients("phone", number) if number else []
    return found[0] if len(found) == 1 and _may_see(actor, found[0]) else None


def _may_see(actor: User, patient: Patient) -> bool:
    return patients_visible_to(actor).filter(pk=patient.pk).exists()


def must_not_be_called(patient: Patient | None, number: str, *, is_asked_for: bool = False) -> bool:
    """The patient has died, nobody may contact them, or they withdrew consent to calls about care; without a patient
    this holds for everybody who has the number. Who asked for the call passes a consent that was withdrawn."""
    called = [patient] if patient else match_patients("phone", number) if number else []
    return bool(called) and all(_is_out_of_reach(one) or not (is_asked_for or _may_be_called(one)) for one in called)


def _is_out_of_reach(patient: Patient) -> bool:
    return patient.is_do_not_contact or patient.deceased_date is not None


def _may_be_called(patient: Patient) -> bool:
    return word_on(patient.pk, ConsentPurpose.CARE, ContactChannel.VOICE) is not False


def why_not_called(actor: User, patient: Patient | None, number: str, *, is_asked_for: bool = False) -> str:
    """Why the actor may call nobody at this number, in E.164; empty when they may, and where there is no number.

    Where the record is not open to the actor, and where several have the number, it says nothing of a patient.
    """
    if not must_not_be_called(patient, number, is_asked_for=is_asked_for):
        return why_not_dialled(number) if number else ""
    whose = patient or known_at(actor, number)
    if whose is None or not _may_see(actor, whose):
        return _("Nobody may be called at this number.")
    if _is_out_of_reach(whose):
        return _("This patient must not be contacted.")
    return str(GATE_SENTENCES[GateReason.CONSENT_WITHDRAWN])


def voice_line_for(actor: User) -> Channel | None:
    """The voice channel whose number calls of this person show: their team's line, else the first one."""
    lines = Channel.objects.select_related("queue").filter(kind=ChannelKind.VOICE, is_active=True).order_by("pk")
    return lines.filter(line__teams__members=actor).first() or lines.first()
