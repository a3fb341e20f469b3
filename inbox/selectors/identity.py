"""With whom we speak, as far as we know: the state of the identity check of a conversation."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from contact_center.common.prepared import Given, planned
from inbox.enums import IdentityOutcome
from inbox.models import IdentityCheck, IdentityPolicy, Interaction
from patients.enums import ContactScheme
from patients.models import ContactPoint, Patient

VERIFIED, UNVERIFIED, LOCKED, UNKNOWN = "verified", "unverified", "locked", "unknown"
LOOKED_AT = 30


@dataclass(frozen=True, slots=True)
class Identity:
    """`state` is verified, unverified, locked, or unknown while nobody is linked."""

    state: str
    verified_at: datetime | None = None
    expires_at: datetime | None = None
    failures: int = 0
    tries_left: int = 0

    @property
    def is_verified(self) -> bool:
        """The person has proved to be the patient, and it is not too long ago."""
        return self.state == VERIFIED


def identity_policy() -> IdentityPolicy:
    """How identity is checked here; the usual rules where nobody chose others. One query."""
    return IdentityPolicy.objects.filter(pk=1).first() or IdentityPolicy(pk=1)


def identity_of(interaction: Interaction, policy: IdentityPolicy | None = None) -> Identity:
    """The state of this conversation's identity check. Two queries at most.

    A pass counts for the patient who is linked now. Failures count whoever was linked, since the last pass or unlock.
    """
    if interaction.patient_id is None:
        return Identity(UNKNOWN)
    checks = _checks().ask(interaction.pk)
    failures = 0
    for check in checks:
        if check.outcome != IdentityOutcome.FAILED:
            break
        failures += 1
    rules = policy or (identity_policy() if failures else IdentityPolicy(pk=1))
    if failures >= rules.most_failures:
        return Identity(LOCKED, failures=failures)
    left = rules.most_failures - failures
    passed = next((check for check in checks if check.outcome == IdentityOutcome.PASSED), None)
    until_at = passed.expires_at if passed and passed.patient_id == interaction.patient_id else None
    if passed and until_at and until_at > timezone.now():
        return Identity(VERIFIED, passed.checked_at, until_at, failures, left)
    return Identity(UNVERIFIED, failures=failures, tries_left=left)


@planned
def _checks() -> QuerySet[IdentityCheck]:
    """The newest of the interaction 0."""
    return IdentityCheck.objects.filter(interaction=Given(0)).order_by("-id")[:LOOKED_AT]


def points_for_codes(patient: Patient) -> list[ContactPoint]:
    """Verified addresses that a code can go to and that do not bounce, first ranked first."""
    found = ContactPoint.objects.filter(patient=patient, verified_at__isnull=False, bounced_at=None)
    return list(found.filter(scheme__in=[ContactScheme.PHONE, ContactScheme.EMAIL]).order_by("rank", "pk"))
