"""Reading requests to be forgotten, holds and rules."""

from dataclasses import dataclass

from django.db.models import QuerySet

from contact_center.accounts.models import User
from patients import policies
from patients.enums import DataClass, ErasureStatus
from patients.models import ErasureRequest, LegalHold, RetentionRule, RetentionRun
from patients.selectors.access import hidden_patient_ids


@dataclass(frozen=True, slots=True)
class ClassRule:
    """One class of data and how many days it is kept; None for ever. The audit trail has no rule."""

    data_class: DataClass
    days: int | None
    is_fixed: bool


def is_erased_or_about_to_be(patient_id: int) -> bool:
    """Somebody asked that this patient be forgotten, and nobody said no."""
    return ErasureRequest.objects.filter(patient=patient_id).exclude(status=ErasureStatus.DECLINED).exists()


def erasure_requests_visible_to(user: User) -> QuerySet[ErasureRequest]:
    """Requests, newest first: all for those who decide, else without those of protected patients."""
    rows = ErasureRequest.objects.select_related("patient", "requested_by", "decided_by").order_by("-id")
    if policies.can_oversee_privacy(user):
        return rows
    return rows.exclude(patient__in=hidden_patient_ids(user)) if policies.can_handle_privacy(user) else rows.none()


def holds_visible_to(user: User) -> QuerySet[LegalHold]:
    """Holds, those in force first; only for those who decide on them."""
    rows = LegalHold.objects.select_related("patient", "placed_by", "lifted_by")
    return rows.order_by("-lifted_at", "-id") if policies.can_oversee_privacy(user) else rows.none()


def class_rules() -> list[ClassRule]:
    """Every class of data with its rule."""
    days = dict(RetentionRule.objects.values_list("data_class", "days"))
    return [ClassRule(one, days.get(one), one == DataClass.AUDIT) for one in DataClass]


def last_runs(limit: int = 7) -> list[RetentionRun]:
    """What the last nights took away, newest first."""
    return list(RetentionRun.objects.order_by("-date")[:limit])
