"""Reading complaints: only what the person may see, a protected one only by those few."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from complaints.enums import OVER, ComplaintProtection
from complaints.models import Complaint
from complaints.policies import can_handle, can_register
from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action
from contact_center.accounts.models import TeamMembership, User
from contact_center.accounts.policies import roles_that_may
from contact_center.common.prepared import Given, prepared
from contact_center.common.request_memory import remembered
from inbox.selectors.interactions import asked_by, interactions_visible_to, not_protected_from
from patients.models import Patient
from patients.selectors.access import opened_patient_ids

PAGE = 50
SHOWN = ("patient", "owner", "team")


def complaints_visible_to(user: User) -> QuerySet[Complaint]:
    """Every complaint for those who handle them. For others those they own or registered, of their teams, and of
    patients whom they serve or for whom they broke the glass; of these a protected one only as its owner or under
    broken glass, and those of a protected patient as everywhere. Nobody sees one that speaks of them; nobody else sees
    any, partner teams never."""
    if not can_register(user):
        return Complaint.objects.none()
    of_them = Complaint.about_staff.through.objects.filter(complaint=OuterRef("pk"), user=user)
    others = Complaint.objects.filter(~Exists(of_them))
    if can_handle(user):
        return others
    own, opened = Q(owner=user), Q(patient_id__in=opened_patient_ids(user))
    teams = TeamMembership.objects.filter(user=user).values("team_id")
    served = Exists(interactions_visible_to(user).filter(patient=OuterRef("patient_id")).order_by())
    near = own | opened | Q(registered_by=user) | Q(team_id__in=teams) | Q(served)
    unsealed = own | opened | Q(protection=ComplaintProtection.NONE)
    return others.filter(near, unsealed).filter(not_protected_from(user))


def get_complaint_for(user: User, pk: int) -> Complaint:
    """One visible complaint with its people. Raises Complaint.DoesNotExist for all others alike."""
    found = complaints_visible_to(user).select_related(
        *SHOWN, "relative", "interaction", "registered_by", "response_by", "approved_by"
    )
    return found.get(pk=pk)


def complaints_of(user: User, patient: Patient) -> list[Complaint]:
    """The visible complaints of a patient, newest first; looked up once per request, in one query."""
    if not can_register(user):
        return []
    return remembered(
        ("complaints", user.pk, patient.pk), lambda: _of_patient(user.role).ask(*asked_by(user), patient.pk)
    )


@prepared
def _of_patient(role: str) -> QuerySet[Complaint]:
    """Of the patient after the asker."""
    return complaints_visible_to(asker(role)).filter(patient=Given(Asker.NEXT)).select_related("owner", "team")


def complaints_by_reference(user: User, text: str, *, limit: int) -> list[Complaint]:
    """Visible complaints whose number begins with this text."""
    found = complaints_visible_to(user).filter(reference__startswith=text.upper())
    return list(found.select_related("patient").order_by("-received_at")[:limit])


FIGURES: dict[str, Q] = {
    "open": ~Q(status__in=OVER),
    "unacknowledged": Q(acknowledged_at=None) & ~Q(status__in=OVER),
    "unowned": Q(owner=None) & ~Q(status__in=OVER),
    "protected": ~Q(protection=ComplaintProtection.NONE) & ~Q(status__in=OVER),
}
"""What the figures above the list count; each opens its rows. `overdue` depends on the day, `mine` on the person."""


def condition_of(figure: str, user: User) -> Q:
    """The rows that a figure counts for this person. Raises KeyError for one that does not exist."""
    if figure == "mine":
        return FIGURES["open"] & Q(owner=user)
    if figure == "overdue":
        return FIGURES["open"] & Q(next_step_date__lt=timezone.localdate())
    return FIGURES[figure]


def figures(user: User) -> dict[str, int]:
    """Each figure of the list with its number, of what is open and the person may see. One query."""
    counts: Any = {name: Count("pk", filter=condition_of(name, user)) for name in ("mine", "overdue", *FIGURES)}
    return complaints_visible_to(user).filter(FIGURES["open"]).aggregate(**counts)


def rows(found: QuerySet[Complaint]) -> QuerySet[Complaint]:
    """What the list shows, the most urgent first: by the day of the next step; after them those that are over, the
    newest first."""
    return found.select_related(*SHOWN).order_by(F("closed_at").desc(nulls_first=True), "next_step_date", "pk")


def staff() -> QuerySet[User]:
    """Everybody who works here now, by name."""
    return User.objects.filter(is_active=True, is_service_account=False).order_by("first_name", "last_name", "pk")


def handlers_of(complaint: Complaint) -> QuerySet[User]:
    """Those who handle complaints and of whom this one does not speak, by name."""
    roles: Iterable[str] = roles_that_may(Action.HANDLE_COMPLAINTS)
    return staff().filter(role__in=roles).exclude(pk__in=complaint.about_staff.values("pk"))


def people_who_may_own(complaint: Complaint | None = None) -> QuerySet[User]:
    """Everybody who can be responsible for this complaint, or for one at all, by name; as `policies.can_own` says."""
    if complaint is not None and complaint.protection == ComplaintProtection.STAFF:
        return handlers_of(complaint)
    roles: Iterable[str] = roles_that_may(Action.REGISTER_COMPLAINTS)
    found = staff().filter(role__in=roles)
    return found.exclude(pk__in=complaint.about_staff.values("pk")) if complaint else found
