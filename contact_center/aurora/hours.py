"""When Aurora's queues are served, and what is promised to whom; then the clocks of what is open."""

from datetime import date, time, timedelta
from typing import NamedTuple

from django.utils import timezone

from contact_center.aurora.setup import Desk
from inbox.enums import OPEN, ChannelKind, Counting, PauseState, Priority
from inbox.models import CalendarDay, CalendarRange, Interaction, Queue, ServiceCalendar, SlaPolicy
from inbox.selectors.hours import forget_setup
from inbox.services import clocks
from inbox.services.deadlines import watch_deadlines

ZONE = "America/New_York"
C = ChannelKind


class Site(NamedTuple):
    """A site's hours by weekday, and the queues that keep them."""

    name: str
    weekday: tuple[str, ...]
    saturday: tuple[str, ...]
    sunday: tuple[str, ...]
    queues: tuple[str, ...]


SITES = (
    Site("Brickell", ("07:00-20:00",), ("08:00-17:00",), (), ("general", "patient-relations")),
    Site("Coral Way", ("07:00-21:00",), ("08:00-12:00", "14:00-18:00"), ("09:00-13:00",), ("appointments",)),
    Site("Aventura", ("08:00-12:30", "13:30-18:00"), (), (), ("billing",)),
)


class Promise(NamedTuple):
    """One policy in the order in which they are asked; minutes."""

    name: str
    first: int
    following: int | None
    resolution: int | None
    counting: Counting = Counting.QUEUE
    queues: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    priorities: tuple[int, ...] = ()
    channels: tuple[str, ...] = ()


PROMISES = (
    Promise("Urgent", 5, 10, 240, Counting.ALWAYS, priorities=(Priority.URGENT,)),
    Promise("Nurse line", 15, 30, 1440, Counting.ALWAYS, queues=("nurse-line",)),
    Promise("Complaints", 240, 480, 4800, reasons=("complaint",)),
    Promise("WhatsApp and SMS", 30, 45, 1440, channels=(C.WHATSAPP, C.SMS)),
    Promise("E-mail and forms", 240, 480, 2880, channels=(C.EMAIL, C.FORM)),
)


def set_up_hours(made: Desk) -> None:
    """Create the calendars and policies, in the caller's transaction."""
    today = timezone.localdate()
    for site in SITES:
        calendar = ServiceCalendar.objects.create(name=site.name, time_zone=ZONE, country="US", subdivision="FL")
        for weekday in range(7):
            for text in (*[site.weekday] * 5, site.saturday, site.sunday)[weekday]:
                _range(calendar, text, weekday=weekday)
        training = CalendarDay.objects.create(
            calendar=calendar,
            date=_next_friday(today + timedelta(days=10)),
            name="Staff training",
            messages={
                "en": "We train together this afternoon.",
                "es": "Esta tarde nos capacitamos juntos.",
                "pt": "Hoje à tarde temos treinamento.",
            },
        )
        _range(calendar, "08:00-13:00", day=training)
        Queue.objects.filter(slug__in=site.queues).update(calendar=calendar)
    for position, one in enumerate(PROMISES):
        policy = SlaPolicy.objects.create(
            name=one.name,
            position=position,
            first_response_minutes=one.first,
            next_response_minutes=one.following,
            resolution_minutes=one.resolution,
            counting=one.counting,
            priorities=[int(priority) for priority in one.priorities],
            channel_kinds=[str(kind) for kind in one.channels],
            pauses_in=[PauseState.AWAITING_PATIENT, PauseState.SNOOZED],
        )
        policy.queues.set([made.queues[slug] for slug in one.queues])
        policy.reasons.set([made.reasons[code] for code in one.reasons])
    forget_setup()


def _range(calendar: ServiceCalendar, text: str, **whose: object) -> None:
    opens, closes = (time.fromisoformat(part) for part in text.split("-"))
    CalendarRange.objects.create(calendar=calendar, opens=opens, closes=closes, **whose)  # type: ignore[misc]


def _next_friday(day: date) -> date:
    return day + timedelta(days=(4 - day.weekday()) % 7)


def start_clocks() -> int:
    """Let the clocks of everything open run since it began; what is near or missed is told. Returns how many run."""
    forget_setup()
    open_ones = list(Interaction.objects.filter(status__in=OPEN).order_by("pk"))
    for interaction in open_ones:
        clocks.settle(interaction)
        interaction.save()
    watch_deadlines(limit=len(open_ones))
    return len(open_ones)
