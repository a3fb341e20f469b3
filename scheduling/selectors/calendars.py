"""What stands in calendars that leave the house."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from contact_center.accounts.models import User
from patients.enums import Sensitivity
from scheduling.calendar_text import Entry
from scheduling.enums import OCCUPYING, AppointmentStatus, LinkPurpose, VisitMode
from scheduling.links import address_of
from scheduling.models import Absence, Appointment, CalendarFeed, GroupSession, Practitioner, Schedule
from scheduling.policies import can_share_calendar, can_share_names
from scheduling.reminder_words import place_of
from scheduling.selectors.groups import with_taken

BACK, AHEAD = timedelta(days=14), timedelta(days=180)
_signer = Signer(salt="scheduling.calendar")


def feed_address(feed: CalendarFeed) -> str:
    """The whole address of a feed; whoever has it reads the calendar until a new one is made."""
    token = _signer.sign(f"{feed.pk}.{feed.nonce.hex}").replace(":", "~")
    return settings.PUBLIC_BASE_URL + reverse("scheduling:calendar", args=[token])


def feed_behind(token: str) -> CalendarFeed:
    """The feed at this address. Raises CalendarFeed.DoesNotExist for a forged or an ended one, and for that of somebody
    who may not sign in any more."""
    try:
        pk, _dot, nonce = _signer.unsign(token.replace("~", ":")).partition(".")
        rows = CalendarFeed.objects.select_related("practitioner__user", "made_by")
        feed = rows.get(pk=int(pk), practitioner__is_active=True)
    except (BadSignature, ValueError, OverflowError):
        raise CalendarFeed.DoesNotExist from None
    person = feed.practitioner.user
    if feed.nonce.hex != nonce or (person is not None and not person.is_active):
        raise CalendarFeed.DoesNotExist
    return feed


def get_practitioner_for(user: User, pk: int) -> Practitioner:
    """Somebody whose calendar this person may share. Raises Practitioner.DoesNotExist."""
    found = Practitioner.objects.get(pk=pk)
    if not can_share_calendar(user, found):
        raise Practitioner.DoesNotExist
    return found


def entries_of(feed: CalendarFeed) -> tuple[list[Entry], list[int]]:
    """Visits and absences of the practitioner and what is closed where they see patients, two weeks back and half a
    year ahead, and whose names they tell.

    Names of patients only where the feed shows them and whoever made it may still share them, of protected ones never.
    A constant number of statements, and one for each move of a visit.
    """
    now = timezone.now()
    shows_patients = feed.shows_patients and feed.made_by is not None and can_share_names(feed.made_by)
    visits = Appointment.objects.filter(practitioner=feed.practitioner, status__in=OCCUPYING)
    visits = visits.filter(starts_at__gt=now - BACK, starts_at__lt=now + AHEAD)
    visits = visits.select_related("service", "location", "room", "patient").order_by("starts_at", "pk")
    found, named = _groups(feed.practitioner, now), []
    for visit in visits.filter(session=None):
        is_named = shows_patients and visit.patient.sensitivity == Sensitivity.NONE
        named += [visit.patient_id] if is_named else []
        summary = visit.service.name_in() + (f" · {visit.patient.full_name}" if is_named else "")
        place = visit.location.name + (f", {visit.room.name}" if visit.room else "")
        found.append(entry_of(visit, summary=summary, place=place))
    return found + _absences(feed.practitioner, now), named


def _absences(practitioner: Practitioner, now: datetime) -> list[Entry]:
    """When the practitioner is away, and when a site or a room where they see patients is closed."""
    seen = Schedule.objects.filter(practitioner=practitioner).exclude(valid_until_date__lt=(now - BACK).date())
    where = Q(location__in=seen.values("location")) | Q(room__in=seen.values("room")) | Q(practitioner=practitioner)
    rows = Absence.objects.filter(where, ends_at__gt=now - BACK, starts_at__lt=now + AHEAD)
    found = []
    for one in rows.select_related("location", "room").order_by("starts_at", "pk"):
        closed = one.location or one.room
        words = _("Closed: %(what)s, %(why)s") if closed else _("Away: %(why)s")
        summary = words % {"what": closed.name if closed else "", "why": one.words}
        found.append(Entry(_uid("absence", one.pk), one.starts_at, one.ends_at, one.updated_at, summary))
    return found


def _groups(practitioner: Practitioner, now: datetime) -> list[Entry]:
    """An entry for each group, with how many come and nobody's name."""
    rows = GroupSession.objects.filter(practitioner=practitioner, cancelled_at=None)
    rows = rows.filter(starts_at__gt=now - BACK, starts_at__lt=now + AHEAD).select_related(
        "service", "location", "room"
    )
    return [
        Entry(
            _uid("group", one.pk), one.starts_at, one.ends_at, one.updated_at,
            f"{one.service.name_in()} · {one.taken}/{one.places}",
            one.location.name + (f", {one.room.name}" if one.room else ""),
        )
        for one in with_taken(rows, counts_holds=False).order_by("starts_at", "pk")
        if one.taken
    ]  # fmt: skip


def entry_of(visit: Appointment, *, summary: str, place: str, words: str = "", address: str = "") -> Entry:
    """A visit as an entry; a visit and those it was moved from are one entry, whose time changes."""
    first, moves = _beginning(visit)
    return Entry(
        uid=_uid("visit", first),
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        changed_at=visit.updated_at,
        summary=summary,
        place=place,
        words=words,
        address=address,
        sequence=moves * 2 + (visit.status == AppointmentStatus.CANCELLED),
        is_cancelled=visit.status == AppointmentStatus.CANCELLED,
    )


def own_entry(visit: Appointment, language: str, *, until: int) -> Entry:
    """A visit for the patient's own calendar: what, with whom, where or by what way, how to prepare, and the link to
    change it while that can be done. The link ends at `until`, a second of the epoch, as the one that leads here: none
    renews itself."""
    is_standing = visit.status in OCCUPYING and visit.ends_at > timezone.now()
    site = visit.location if visit.mode == VisitMode.ON_SITE else None
    directions = site.directions_in(language) if site else ""
    words = [visit.practitioner.name, directions, visit.service.preparation_in(language)]
    with override(language):
        place = place_of(visit)
    return entry_of(
        visit,
        summary=visit.service.name_in(language),
        place=", ".join(part for part in (place, site.address if site else "") if part),
        words="\n\n".join(part for part in words if part),
        address=address_of(visit.pk, LinkPurpose.ANSWER, until=until) if is_standing else "",
    )


def mailed_entry(visit: Appointment, *, until: int) -> Entry:
    """A visit for the patient's own calendar as a mail may carry it, in the language that is set: when, where or by
    what way and with whom, nothing about health; the link in it ends at `until`, a second of the epoch."""
    street = visit.location.address if visit.mode == VisitMode.ON_SITE else ""
    return entry_of(
        visit,
        summary=_("Your visit"),
        place=place_of(visit),
        words="\n\n".join(part for part in (visit.practitioner.name, street) if part),
        address=address_of(visit.pk, LinkPurpose.ANSWER, until=until),
    )


def _beginning(visit: Appointment) -> tuple[int, int]:
    """The first visit of the chain and how often it was moved; one statement per move."""
    begin, previous, moves = visit.pk, visit.previous_id, 0
    while previous is not None:
        begin, moves = previous, moves + 1
        previous = Appointment.objects.values_list("previous_id", flat=True).get(pk=previous)
    return begin, moves


def _uid(kind: str, pk: int) -> str:
    host = settings.PUBLIC_BASE_URL.split("//")[-1].split("/")[0].split(":")[0]
    return f"{kind}-{pk}@{host}"
