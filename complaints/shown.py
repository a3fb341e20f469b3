"""What the patient's record and the patient's own page show of complaints."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from complaints.enums import OVER, Complainant, ComplaintProtection, Severity
from complaints.enums import ComplaintStatus as S
from complaints.models import Complaint
from complaints.policies import can_register
from complaints.selectors import complaints_of, complaints_visible_to
from contact_center.accounts.models import User
from patients.enums import ProxyScope
from patients.journey import NextStep
from patients.models import Patient
from patients.selectors.family import may_act_for
from patients.timeline import Entry, Look, Place

ICON = "message-square-warning"
PAST_SHOWN, MOST_OWN, LONGEST = 3, 20, 280
TONES = {S.ANSWERED: "ok", S.CLOSED: "ok", S.WITHDRAWN: "", S.ESCALATED: "danger", S.RECEIVED: "warn"}
GRAVE = (Severity.HIGH, Severity.CRITICAL)
OWN_WORDS: dict[str, tuple[Any, Any]] = {
    S.RECEIVED: (gettext_lazy("We have it"), gettext_lazy("We tell you who looks into it")),
    S.ACKNOWLEDGED: (gettext_lazy("We have it and are reading it"), gettext_lazy("We decide who looks into it")),
    S.TRIAGED: (gettext_lazy("Somebody has been asked to look into it"), gettext_lazy("We find out what happened")),
    S.INVESTIGATING: (gettext_lazy("We are finding out what happened"), gettext_lazy("We write our answer")),
    S.RESPONSE_REVIEW: (gettext_lazy("Our answer is being checked"), gettext_lazy("You hear from us")),
    S.ANSWERED: (gettext_lazy("We have answered you"), gettext_lazy("We ask you whether it is good now")),
    S.RECOVERY_FOLLOW_UP: (gettext_lazy("We are putting it right"), gettext_lazy("We ask you whether it is good now")),
    S.CLOSED: (gettext_lazy("Done"), ""),
    S.REOPENED: (gettext_lazy("We are looking at it again"), gettext_lazy("We find out what happened")),
    S.ESCALATED: (gettext_lazy("Somebody with more say is looking at it"), gettext_lazy("You hear from us")),
    S.WITHDRAWN: (gettext_lazy("You took it back"), ""),
    S.EXTERNAL_REVIEW: (
        gettext_lazy("Somebody outside our house is looking at it"),
        gettext_lazy("We wait for what they decide"),
    ),
}
"""Where it stands and what is next, as patients read it; what staff write about it stays with them."""


def tone_of(complaint: Complaint) -> str:
    """The colour of its state."""
    return TONES.get(S(complaint.status), "accent")


def piece(user: User, patient: Patient) -> dict[str, Any] | None:
    """Open complaints of a patient and the last ones before. One query; left out for who may see none."""
    if not can_register(user):
        return None
    found = complaints_of(user, patient)
    return {
        "open": [(row, tone_of(row)) for row in found if not row.is_over],
        "past": [(row, tone_of(row)) for row in found if row.is_over][:PAST_SHOWN],
        "new_url": f"{reverse('complaints:new')}?patient={patient.pk}",
    }


def next_steps(user: User, patient: Patient) -> Iterable[NextStep]:
    """What open complaints promise. No query beside the piece's."""
    for row in complaints_of(user, patient):
        if not row.is_over:
            url = reverse("complaints:complaint", args=[row.pk])
            yield NextStep(row.next_step, row.responsible, row.next_step_date, row.reference, url, ICON)


def complaints_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """Complaints at the moment they were received. One query."""
    found = complaints_visible_to(user).filter(patient=patient).filter(look.narrowed("complaint", "received_at"))
    rows = found.select_related("owner", "team").order_by("-received_at", "-pk")[:size]
    return [
        Entry(
            Place(row.received_at, "complaint", row.pk), "complaint",
            f"{row.get_kind_display()}: {row.get_category_display()}", row.words[:LONGEST], row.responsible,
            reverse("complaints:complaint", args=[row.pk]), icon=ICON,
            tone="danger" if row.severity in GRAVE else "", chip=(row.get_status_display(), tone_of(row)),
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class OwnComplaint:
    """One complaint as its patient reads it: where it stands, what is next, who sees to it (a first name or a team)."""

    reference: str
    title: str
    received_at: datetime
    status: str
    next_step: str
    next_date: date | None
    owner: str
    is_over: bool


def own_complaints(about: Patient, viewer: Patient) -> dict[str, Any] | None:
    """Complaints on the patient's own page, as far as `viewer` may know of them; None where there is none.

    A protected one is shown to whoever made it and to nobody else. The others to the patient, and to a proxy in
    matters of appointments or who made it. Two queries at most.
    """
    made = Q(relative__relative=viewer)
    if viewer.pk == about.pk:
        made |= Q(complainant=Complainant.PATIENT)
    others = Q(protection=ComplaintProtection.NONE)
    if viewer.pk != about.pk and not may_act_for(viewer, about, ProxyScope.APPOINTMENTS):
        others = Q(pk__in=[])
    found = Complaint.objects.filter(patient=about).filter(made | others)
    rows = found.select_related("owner", "team").order_by("-received_at", "-pk").distinct()[:MOST_OWN]
    shown = [_own(row) for row in rows]
    return {"complaints": shown} if shown else None


def _own(row: Complaint) -> OwnComplaint:
    status, step = OWN_WORDS[row.status]
    owner = row.owner.first_name if row.owner else row.team.name if row.team else ""
    title = _("Your compliment") if row.kind == "compliment" else str(row.get_category_display())
    is_over = row.status in OVER
    return OwnComplaint(
        row.reference, title, row.received_at, str(status), str(step), row.next_step_date, owner, is_over
    )
