"""Complaints, what was done with them, and what is promised to whoever complains."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import FSMField, transition

from complaints.enums import (
    OVER,
    Complainant,
    ComplaintCategory,
    ComplaintKind,
    ComplaintProtection,
    ComplaintVerb,
    ReceivedBy,
    Severity,
)
from complaints.enums import ComplaintStatus as S
from contact_center.accounts.models import Team
from contact_center.common.models import SafeFSM, TimeStampedModel, WordedModel
from inbox.models import Interaction, ServiceCalendar
from patients.models import Patient, RelatedPerson

PEOPLE = settings.AUTH_USER_MODEL
SOLVED_AT_ONCE = (ComplaintKind.CONCERN, ComplaintKind.COMPLIMENT)
"""Kinds that may be closed without an investigation and a written answer."""


def _is_light(complaint: "Complaint") -> bool:
    return complaint.kind in SOLVED_AT_ONCE


def _is_approved(complaint: "Complaint") -> bool:
    return complaint.approved_at is not None


def _is_unacknowledged(complaint: "Complaint") -> bool:
    return complaint.acknowledged_at is None


class Complaint(SafeFSM, TimeStampedModel):
    """What somebody is not, or is, content with. Never open without a dated next step; without an owner and a team
    it is with those who handle complaints.

    The patient is unknown where a visitor or an unknown caller complains; it follows the conversation it came from.
    """

    reference = models.CharField(max_length=16, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="complaints")
    interaction = models.ForeignKey(
        Interaction, on_delete=models.PROTECT, null=True, blank=True, related_name="complaints"
    )
    received_by = models.CharField(max_length=12, choices=ReceivedBy.choices)
    complainant = models.CharField(max_length=12, choices=Complainant.choices, default=Complainant.PATIENT)
    relative = models.ForeignKey(
        RelatedPerson, on_delete=models.SET_NULL, null=True, blank=True, related_name="complaints"
    )
    complainant_name = models.CharField(max_length=160, blank=True)
    kind = models.CharField(max_length=12, choices=ComplaintKind.choices, default=ComplaintKind.COMPLAINT)
    category = models.CharField(max_length=16, choices=ComplaintCategory.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.MODERATE)
    protection = models.CharField(max_length=12, choices=ComplaintProtection.choices, default=ComplaintProtection.NONE)
    about_staff: Any = models.ManyToManyField(
        PEOPLE, blank=True, related_name="+", help_text="Of whom it speaks: they see nothing of it."
    )
    words = models.TextField(help_text="In the complainant's own words.")
    wanted = models.TextField(blank=True, help_text="What would put it right.")
    status = FSMField(default=S.RECEIVED, choices=S.choices, protected=True)
    owner = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, null=True, blank=True, related_name="complaints")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="complaints")
    next_step = models.CharField(max_length=240, blank=True)
    next_step_date = models.DateField(null=True, blank=True)
    response = models.TextField(blank=True)
    response_by = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_by = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    registered_by = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, related_name="registered_complaints")
    received_at = models.DateTimeField(default=timezone.now)
    acknowledge_by_at = models.DateTimeField(help_text="Until when we promise to say that we have it.")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    triaged_at = models.DateTimeField(null=True, blank=True)
    investigation_began_at = models.DateTimeField(null=True, blank=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    follow_up_began_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reopened_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    referred_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-received_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=S.values), name="complaint_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=OVER) | Q(next_step_date__isnull=False) & ~Q(next_step=""),
                name="complaint_open_has_next_step",
            ),
            models.CheckConstraint(
                condition=Q(relative=None) | Q(patient__isnull=False, complainant=Complainant.RELATIVE),
                name="complaint_relative_of_patient",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=OVER) | Q(closed_at__isnull=False), name="complaint_over_has_moment"
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-received_at"], name="complaint_of_patient"),
            models.Index(fields=["next_step_date"], condition=~Q(status__in=OVER), name="complaint_open_by_due"),
            models.Index(fields=["-received_at", "-id"], name="complaint_newest"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_protected(self) -> bool:
        """Only its owner, those who handle complaints, and whoever broke the glass see it."""
        return self.protection != ComplaintProtection.NONE

    def is_about(self, user: Any) -> bool:
        """It speaks of this person, who therefore neither sees nor handles it. One query."""
        return self.about_staff.filter(pk=user.pk).exists()

    @property
    def is_over(self) -> bool:
        """Nothing more is expected."""
        return self.status in OVER

    @property
    def is_overdue(self) -> bool:
        """The day of its next step is over."""
        return not self.is_over and self.next_step_date is not None and self.next_step_date < timezone.localdate()

    @property
    def is_acknowledgement_late(self) -> bool:
        """What was promised to the complainant first is not kept: nobody said in time that we have it."""
        return not self.is_over and _is_unacknowledged(self) and self.acknowledge_by_at < timezone.now()

    @property
    def responsible(self) -> str:
        """Who sees to it, in words: a person, a team, or those who handle complaints."""
        return str(self.owner or self.team or ("" if self.is_over else _("Those who handle complaints")))

    @transition(field=status, source=S.RECEIVED, target=S.ACKNOWLEDGED)
    def acknowledge(self) -> None:
        """The complainant was told that we have it."""
        self.acknowledged_at = timezone.now()

    @transition(
        field=status,
        source=[S.TRIAGED, S.INVESTIGATING, S.RESPONSE_REVIEW, S.REOPENED, S.ESCALATED, S.EXTERNAL_REVIEW],
        target=None,
        conditions=[_is_unacknowledged],
    )
    def acknowledge_late(self) -> None:
        """The complainant was told that we have it after it had moved on already; it stays where it is."""
        self.acknowledged_at = timezone.now()

    @transition(field=status, source=[S.ACKNOWLEDGED, S.REOPENED], target=S.TRIAGED)
    def triage(self) -> None:
        """How grave it is and who looks into it was decided."""
        self.triaged_at = timezone.now()

    @transition(field=status, source=[S.TRIAGED, S.REOPENED, S.ESCALATED, S.EXTERNAL_REVIEW], target=S.INVESTIGATING)
    def start_investigation(self) -> None:
        """Somebody finds out what happened."""
        self.investigation_began_at = timezone.now()

    @transition(field=status, source=S.INVESTIGATING, target=S.RESPONSE_REVIEW)
    def propose_response(self, author: Any, text: str) -> None:
        """There is a text that somebody else may look at before it goes."""
        self.response, self.response_by, self.proposed_at = text, author, timezone.now()
        self.approved_by = self.approved_at = None

    @transition(field=status, source=S.RESPONSE_REVIEW, target=S.INVESTIGATING)
    def send_back(self) -> None:
        """The response is not good enough yet."""
        self.approved_by = self.approved_at = None

    @transition(field=status, source=S.RESPONSE_REVIEW, target=S.RESPONSE_REVIEW)
    def approve_response(self, by: Any) -> None:
        """The response may go."""
        self.approved_by, self.approved_at = by, timezone.now()

    @transition(field=status, source=S.RESPONSE_REVIEW, target=S.ANSWERED, conditions=[_is_approved])
    def answer(self) -> None:
        """The complainant has the approved response, and with it knows that we have the complaint."""
        self.answered_at = timezone.now()
        self.acknowledged_at = self.acknowledged_at or self.answered_at

    @transition(field=status, source=S.ANSWERED, target=S.RECOVERY_FOLLOW_UP)
    def follow_up(self) -> None:
        """What was promised is being done, and the complainant is asked whether it is good now."""
        self.follow_up_began_at = timezone.now()

    @transition(field=status, source=[S.ANSWERED, S.RECOVERY_FOLLOW_UP, S.EXTERNAL_REVIEW], target=S.CLOSED)
    def close(self) -> None:
        """Nothing more is expected."""
        self.closed_at = timezone.now()

    @transition(field=status, source=[S.ACKNOWLEDGED, S.TRIAGED], target=S.CLOSED, conditions=[_is_light])
    def settle(self) -> None:
        """A concern was put right at once, or thanks were passed on: no investigation, no written answer."""
        self.closed_at = timezone.now()

    @transition(field=status, source=[S.ANSWERED, S.RECOVERY_FOLLOW_UP, S.CLOSED, S.WITHDRAWN], target=S.REOPENED)
    def reopen(self) -> None:
        """It is not good after all."""
        self.reopened_at, self.closed_at = timezone.now(), None

    @transition(
        field=status,
        source=[S.RECEIVED, S.ACKNOWLEDGED, S.TRIAGED, S.INVESTIGATING, S.RESPONSE_REVIEW, S.REOPENED],
        target=S.ESCALATED,
    )
    def escalate(self) -> None:
        """Somebody higher up has to see to it."""
        self.escalated_at = timezone.now()

    @transition(
        field=status,
        source=[
            *(S.RECEIVED, S.ACKNOWLEDGED, S.TRIAGED, S.INVESTIGATING, S.RESPONSE_REVIEW, S.REOPENED, S.ESCALATED),
            S.EXTERNAL_REVIEW,
        ],
        target=S.WITHDRAWN,
    )
    def withdraw(self) -> None:
        """The complainant takes it back."""
        self.closed_at = timezone.now()

    @transition(
        field=status, source=[S.ANSWERED, S.RECOVERY_FOLLOW_UP, S.CLOSED, S.ESCALATED], target=S.EXTERNAL_REVIEW
    )
    def refer_externally(self) -> None:
        """An outside body (an ombudsman, a court) decides."""
        self.referred_at, self.closed_at = timezone.now(), None


class ComplaintEvent(WordedModel):
    """One thing that was done with a complaint, by whom and why. Only ever added."""

    complaint = models.ForeignKey(Complaint, on_delete=models.CASCADE, related_name="events")
    verb = models.CharField(max_length=20, choices=ComplaintVerb.choices)
    status = models.CharField(max_length=20, choices=S.choices, help_text="What it is since then.")
    actor = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    to_user = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    to_team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.verb} of complaint {self.complaint_id}"


class ComplaintTerm(TimeStampedModel):
    """Until when a kind of complaint is acknowledged. Without a row `terms.USUAL_DAYS` holds."""

    kind = models.CharField(max_length=12, choices=ComplaintKind.choices, unique=True)
    acknowledge_days = models.PositiveSmallIntegerField(
        help_text="Working days after the day on which it is received.",
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    calendar = models.ForeignKey(
        ServiceCalendar, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Whose open days are working days; empty: of the queue it came in through, else Monday to Friday.",
    )  # fmt: skip

    class Meta:
        ordering: ClassVar[list[str]] = ["kind"]
        constraints = [
            models.CheckConstraint(condition=Q(acknowledge_days__range=(1, 60)), name="complaint_term_1_to_60_days")
        ]

    def __str__(self) -> str:
        return f"terms of a {self.kind}"
