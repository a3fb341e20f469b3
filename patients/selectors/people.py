"""Reading patients: who may see whom, and who has this address."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action, Role
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.prepared import Given, Prepared, give_one, planned
from contact_center.common.rows import fetch_rows
from patients.enums import ContactScheme, Sensitivity
from patients.models import Consent, ContactPoint, Patient, RelatedPerson
from patients.numbers import phone_variants
from patients.selectors.access import opened_patient_ids

MOST_MATCHES = 500
"""Whoever acts for one of those who share an address must have read all of them: of so many it is nobody's."""
Scope = Callable[[User], Q]
_partner_scopes: list[Scope] = []


def register_partner_scope(scope: Scope) -> None:
    """Add a rule by which partner teams see a patient. An app above that gives partners work calls it in `ready()`.

    Without any rule partner teams see nobody.
    """
    if scope not in _partner_scopes:
        _partner_scopes.append(scope)


def patients_visible_to(user: User) -> QuerySet[Patient]:
    """Records this person may open: all current ones; protected ones only while they have broken the glass; for
    partner teams only those whom their work concerns."""
    if not can(user, Action.WORK_INBOX):
        return Patient.objects.none()
    rows = Patient.objects.current().filter(Q(sensitivity=Sensitivity.NONE) | Q(pk__in=opened_patient_ids(user)))
    if user.role == Role.PARTNER_AGENT:
        rows = rows.filter(_in_partner_scope(user))
    return rows


def _in_partner_scope(user: User) -> Q:
    allowed = Q(pk__in=[])
    for scope in _partner_scopes:
        allowed |= scope(user)
    return allowed


WHOLE_RECORD = ("contact_points", "related_persons__relative", "consents")


def get_patient_for(user: User, pk: int, *, related: Sequence[str] = WHOLE_RECORD) -> Patient:
    """One visible record with what is `related`: addresses, relatives and consents unless the caller needs less.

    Raises Patient.DoesNotExist, also when it is hidden.

    Reading it leaves no trace: pages that show a record call `services.open_patient_record` instead.
    """
    patient = _one_visible(user, pk)
    for name in related:
        if name in PARTS:
            relation, question = PARTS[name]
            give_one(patient, relation, "patient_id", question())
        else:
            prefetch_related_objects([patient], name)
    return patient


def _one_visible(user: User, pk: int) -> Patient:
    """Whom partner teams see is said by the apps that give them work, so theirs is no prepared question."""
    if not can(user, Action.WORK_INBOX):
        raise Patient.DoesNotExist
    if user.role == Role.PARTNER_AGENT:
        return patients_visible_to(user).get(pk=pk)
    return _visible_one(user.role).one(user.pk, [], timezone.now(), pk)


@planned
def _visible_one(role: str) -> QuerySet[Patient]:
    """The one with the id that comes after the asker."""
    return patients_visible_to(asker(role)).filter(pk=Given(Asker.NEXT)).order_by()


@planned
def points_of_many() -> QuerySet[ContactPoint]:
    """Of the patients 0."""
    return ContactPoint.objects.filter(patient__any_of=Given(0))


@planned
def _relatives() -> QuerySet[RelatedPerson]:
    """Of the patients 0."""
    return RelatedPerson.objects.filter(patient__any_of=Given(0)).select_related("relative")


@planned
def _consents() -> QuerySet[Consent]:
    """Of the patients 0."""
    return Consent.objects.filter(patient__any_of=Given(0))


PARTS: dict[str, tuple[str, Callable[[], Prepared[Any]]]] = {
    "contact_points": ("contact_points", points_of_many),
    "related_persons__relative": ("related_persons", _relatives),
    "consents": ("consents", _consents),
}


MATCH = (
    "merged_into_id IS NULL AND id IN"
    " (SELECT patient_id FROM patients_contactpoint WHERE scheme = %s AND value = ANY(%s)) ORDER BY id LIMIT %s"
)


def match_patients(scheme: str, value: str) -> list[Patient]:
    """Current patients with this normalised address, under any spelling of the same phone line; oldest first.

    One query, whatever the number of patients. One match may be linked, several must be asked about, none is a new
    person. At most MOST_MATCHES are returned.
    """
    spellings = phone_variants(value) if scheme == ContactScheme.PHONE else (value,)
    return fetch_rows(Patient, MATCH, [scheme, list(spellings), MOST_MATCHES])


def contact_points_visible_to(user: User) -> QuerySet[ContactPoint]:
    """Addresses of the patients this person may open."""
    return ContactPoint.objects.filter(patient__in=patients_visible_to(user))
