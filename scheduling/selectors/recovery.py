"""Missed visits that somebody has to do something about."""

from datetime import timedelta

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from contact_center.accounts.models import User
from patients.selectors.people import patients_visible_to
from scheduling.enums import RecoveryStatus as R
from scheduling.models import NoShowRecovery

MOST_SHOWN = 60


def recoveries_visible_to(user: User) -> QuerySet[NoShowRecovery]:
    """Recoveries of the patients this person may open."""
    return NoShowRecovery.objects.filter(patient__in=patients_visible_to(user))


def to_do_for(user: User) -> list[NoShowRecovery]:
    """Those to be called or looked at, children first, then by when the call is due; at most 60. Two statements."""
    rows = recoveries_visible_to(user).filter(
        Q(status__in=[R.OPEN, R.CONTACTING]) | Q(flagged_at__isnull=False, reviewed_at=None, ended_at=None)
    )
    rows = rows.select_related("patient", "appointment__service", "appointment__location", "rebooked_as")
    return list(rows.order_by(F("flagged_at").asc(nulls_last=True), "call_due_at", "pk")[:MOST_SHOWN])


def results() -> dict[str, int]:
    """How the missed visits of the last 90 days went: all, booked again, made good."""
    since = timezone.now() - timedelta(days=90)
    rows = NoShowRecovery.objects.filter(created_at__gt=since).exclude(status=R.VOID)
    return rows.aggregate(
        missed=Count("pk"),
        rebooked=Count("pk", filter=Q(status=R.REBOOKED)),
        recovered=Count("pk", filter=Q(status=R.RECOVERED)),
    )
