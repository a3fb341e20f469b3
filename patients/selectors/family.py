"""Who may act for whom, and whose rights end soon."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from contact_center.accounts.models import User
from patients.models import CareRule, Patient, RelatedPerson
from patients.policies import last_day_of, proxy_holds
from patients.selectors.access import may_open
from patients.selectors.people import patients_visible_to

ADULT_AGE, WARNING_DAYS = 18, 30


@dataclass(frozen=True, slots=True)
class Rule:
    """When patients of one site come of age (years), and how early the desk is told (days)."""

    adult_age: int = ADULT_AGE
    warning_days: int = WARNING_DAYS


def rules() -> dict[str, Rule]:
    """The rules by site; the one of "" holds for every other site. One query."""
    found = {row.site_name: Rule(row.adult_age, row.warning_days) for row in CareRule.objects.all()}
    return {"": Rule()} | found


def rule_for(patient: Patient, known: dict[str, Rule] | None = None) -> Rule:
    """The rule of the patient's site."""
    found = rules() if known is None else known
    return found.get(patient.site_name) or found[""]


def may_act_for(relative: Patient, patient: Patient, scope: str, on: date | None = None) -> bool:
    """True when `relative` may act for `patient` in matters of `scope` on that day, today without one.

    The only place that knows; everybody may act for themselves.
    """
    if relative.pk == patient.pk:
        return True
    links = RelatedPerson.objects.filter(patient=patient, relative=relative, is_proxy=True, ended_at=None)
    day, adult_age = on or timezone.localdate(), rule_for(patient).adult_age
    return any(proxy_holds(link, scope, day, adult_age) for link in links.select_related("patient"))


def proxies_of(relative: Patient) -> list[RelatedPerson]:
    """Links to the patients for whom this person may do anything today, by name; merged records left out."""
    links = RelatedPerson.objects.filter(relative=relative, is_proxy=True, ended_at=None, patient__merged_into=None)
    known, today = rules(), timezone.localdate()
    found = links.select_related("patient").order_by("patient__given_name", "pk")
    return [
        link
        for link in found
        if any(proxy_holds(link, scope, today, rule_for(link.patient, known).adult_age) for scope in link.scopes)
    ]


@dataclass(frozen=True, slots=True)
class FamilyMember:
    """One link as pages show it. `last_day` is the last day on which a proxy holds, None where it has no end."""

    link: RelatedPerson
    holds: bool
    last_day: date | None
    is_ending: bool


def family_of(user: User, patient: Patient) -> list[FamilyMember]:
    """Relatives and proxies with what holds today, those in force first; none whose own record is hidden from them."""
    rule, today = rule_for(patient), timezone.localdate()
    links = patient.related_persons.select_related("patient", "relative").order_by("ended_at", "name", "pk")
    members = []
    for link in links:
        if link.relative is not None and not may_open(user, link.relative):
            continue
        last = last_day_of(link, rule.adult_age) if link.is_proxy else None
        holds = any(proxy_holds(link, scope, today, rule.adult_age) for scope in link.scopes)
        is_ending = holds and last is not None and last - today <= timedelta(days=rule.warning_days)
        members.append(FamilyMember(link, holds, last, is_ending))
    return sorted(members, key=lambda member: (not member.holds, member.link.ended_at is not None))


def get_related_person_for(user: User, pk: int) -> RelatedPerson:
    """One link of a visible patient. Raises RelatedPerson.DoesNotExist for all others alike."""
    found = RelatedPerson.objects.select_related("patient", "relative").get(
        pk=pk, patient__in=patients_visible_to(user)
    )
    if found.relative is not None and not may_open(user, found.relative):
        raise RelatedPerson.DoesNotExist
    return found


def proxies_in_force() -> QuerySet[RelatedPerson]:
    """Every proxy that nobody has ended, oldest first, with its patient."""
    found = RelatedPerson.objects.filter(is_proxy=True, ended_at=None, patient__merged_into=None)
    return found.select_related("patient").order_by("pk")
