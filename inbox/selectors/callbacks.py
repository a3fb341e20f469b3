"""Promises to call back as others see them."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from inbox.enums import CALLBACK_LIVE, ChannelKind
from inbox.models import Callback, Channel, Interaction
from inbox.selectors.dialling import why_not_dialled
from patients.models import Patient
from patients.selectors.people import match_patients, patients_visible_to

OWNER_FIRST = timedelta(minutes=5)
"""So long the owner alone is asked, then as long the fallback owner too, then everybody of the queue."""


def live_callback(number: str) -> Callback | None:
    """The one promise for this number that is still to be kept."""
    return Callback.objects.filter(number=number, status__in=CALLBACK_LIVE).first() if number else None


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


def number_of(actor: User, interaction: Interaction) -> str:
    """The phone number of a conversation in E.164: the one it is held with, else the patient's first; else empty."""
    if interaction.contact_scheme == "phone":
        return interaction.contact_value
    if interaction.patient is None:
        return ""
    return first_phone(actor, interaction.patient)


def phones_of(actor: User, patient: Patient) -> list[str]:
    """Where a patient can be called, in the order they want, of a record the actor may look into."""
    if not patients_visible_to(actor).filter(pk=patient.pk).exists():
        return []
    points = patient.contact_points.filter(scheme="phone").order_by("rank", "pk")
    return list(dict.fromkeys(points.values_list("value", flat=True)))


def first_phone(actor: User, patient: Patient) -> str:
    """Where a patient wants to be called first; empty without any that the actor may know."""
    return next(iter(phones_of(actor, patient)), "")


def known_at(actor: User, number: str) -> Patient | None:
    """The one patient who has this number, if the actor may look into the record."""
    found = match_patients("phone", number) if number else []
    is_known = len(found) == 1 and patients_visible_to(actor).filter(pk=found[0].pk).exists()
    return found[0] if is_known else None


def must_not_be_called(patient: Patient | None, number: str) -> bool:
    """The patient has died, or nobody may contact them; without a patient the one whose number it is."""
    called = match_patients("phone", number) if patient is None and number else [patient]
    return len(called) == 1 and called[0] is not None and (
        called[0].is_do_not_contact or called[0].deceased_date is not None
    )  # fmt: skip


def why_not_called(actor: User, patient: Patient | None, number: str) -> str:
    """Why the actor may call nobody at this number, in E.164; empty when they may, and where there is no number."""
    if not must_not_be_called(patient, number):
        return why_not_dialled(number) if number else ""
    return _("This patient must not be contacted.")


def voice_line_for(actor: User) -> Channel | None:
    """The voice channel whose number calls of this person show: their team's line, else the first one."""
    lines = Channel.objects.select_related("queue").filter(kind=ChannelKind.VOICE, is_active=True).order_by("pk")
    return lines.filter(line__teams__members=actor).first() or lines.first()
