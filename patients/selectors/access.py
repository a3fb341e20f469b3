"""Which protected records a person may open now, and whose records stay hidden from them."""

from collections.abc import Callable
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from contact_center.accounts.asker import moment_of
from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from patients import policies
from patients.enums import Sensitivity
from patients.models import BreakGlass, Patient

_acquaintances: list[Callable[[User, int], bool]] = []


def opened_patient_ids(user: User) -> QuerySet[BreakGlass, int]:
    """Ids of the protected patients for whom this person has broken the glass, and the hour is not over; a subquery."""
    own = BreakGlass.objects.open_now(moment_of(user)).filter(user=user)
    return (own if can(user, Action.BREAK_GLASS) else own.none()).order_by().values_list("patient_id", flat=True)


def hidden_patient_ids(user: User) -> QuerySet[Patient, int]:
    """Ids of the protected patients whose records this person may not open, as a subquery."""
    protected = Patient.objects.exclude(sensitivity=Sensitivity.NONE).exclude(pk__in=opened_patient_ids(user))
    return protected.order_by().values_list("pk", flat=True)


def may_open(user: User, patient: Patient) -> bool:
    """Whether this person may open the record of a loaded patient. Partner teams are narrowed further by selectors."""
    opened = set(opened_patient_ids(user)) if patient.is_sensitive else ()
    return policies.can_view_patient(user, patient, opened)


def open_glass(user: User, patient_id: int) -> BreakGlass | None:
    """The grant by which this person sees a protected record now; the one that lasts longest."""
    return BreakGlass.objects.open_now().filter(user=user, patient_id=patient_id).order_by("-expires_at").first()


def glass_of(patient: Patient, *, days: int = 365) -> QuerySet[BreakGlass]:
    """Who opened this protected record, newest first."""
    since = timezone.now() - timedelta(days=days)
    found = BreakGlass.objects.filter(patient=patient, created_at__gte=since).select_related("user")
    return found.order_by("-pk")


def register_acquaintance(rule: Callable[[User, int], bool]) -> None:
    """Add a rule by which a person knows of a protected record: `rule(user, patient_id)`. For apps above."""
    if rule not in _acquaintances:
        _acquaintances.append(rule)


def protected_patient_known_to(user: User, patient_id: int) -> Patient:
    """A current, protected record whose existence is no secret to this person: they open it now, or their work names
    it. Raises Patient.DoesNotExist for all others alike."""
    patient = Patient.objects.current().exclude(sensitivity=Sensitivity.NONE).get(pk=patient_id)
    if patient_id in set(opened_patient_ids(user)) or any(rule(user, patient_id) for rule in _acquaintances):
        return patient
    raise Patient.DoesNotExist
