"""Reading suggestions and merges: what waits to be decided, what was decided."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, prepared
from patients.enums import SuggestionLevel, SuggestionStatus
from patients.matching.verdict import Reason
from patients.models import DuplicateSuggestion, Patient, PatientMerge
from patients.policies import can_merge_patients
from patients.selectors.people import patients_visible_to

FOR, AGAINST = "for", "against"
R = Reason
REASONS = {
    R.GIVEN_SAME: (_("Same given name"), FOR),
    R.GIVEN_ALIKE: (_("Given names much alike"), FOR),
    R.GIVEN_NEIGHBOUR: (_("Given names alike, yet both are names: perhaps twins"), AGAINST),
    R.GIVEN_SHORT: (_("Short form of the given name"), FOR),
    R.GIVEN_DIFFERS: (_("Different given names"), AGAINST),
    R.FAMILY_SAME: (_("Same family name"), FOR),
    R.FAMILY_ALIKE: (_("Family names much alike"), FOR),
    R.FAMILY_DIFFERS: (_("Different family names"), AGAINST),
    R.NAMES_SWAPPED: (_("Given and family name swapped"), FOR),
    R.BIRTH_SAME: (_("Same birth date"), FOR),
    R.BIRTH_SWAPPED: (_("Day and month of birth swapped"), FOR),
    R.BIRTH_SLIP: (_("Birth dates nearly the same"), FOR),
    R.BIRTH_DIFFERS: (_("Different birth dates"), AGAINST),
    R.GENDER_DIFFERS: (_("Different gender"), AGAINST),
    R.IDENTIFIER_SAME: (_("Same identity number"), FOR),
    R.IDENTIFIER_ALIKE: (_("Identity numbers nearly the same"), FOR),
    R.IDENTIFIER_DIFFERS: (_("Different identity numbers"), AGAINST),
    R.CONTACT_SAME: (_("Same phone or e-mail"), FOR),
    R.ADDRESS_SAME: (_("Same postal address"), FOR),
    R.ADDRESS_ALIKE: (_("Postal addresses much alike"), FOR),
    R.ADDRESS_DIFFERS: (_("Different postal addresses"), AGAINST),
}


@dataclass(frozen=True, slots=True)
class Why:
    """One reason in words; `speaks` is `for` or `against`."""

    words: str
    speaks: str


def reasons_of(suggestion: DuplicateSuggestion) -> list[Why]:
    """The reasons of a suggestion in words; one that is not known any more is left out."""
    return words_for(suggestion.reasons)


def words_for(reasons: Iterable[str]) -> list[Why]:
    """These reasons in words; one that is not known any more is left out."""
    known = {str(reason): words for reason, words in REASONS.items()}
    return [Why(str(known[str(key)][0]), known[str(key)][1]) for key in reasons if str(key) in known]


def suggestions_visible_to(user: User) -> QuerySet[DuplicateSuggestion]:
    """Suggestions of which this person may open both records; nothing for those who may not merge."""
    if not can_merge_patients(user):
        return DuplicateSuggestion.objects.none()
    seen = patients_visible_to(user).values("pk")
    return DuplicateSuggestion.objects.filter(first__in=seen, second__in=seen)


def worklist(user: User, *, level: str = "", status: str = SuggestionStatus.OPEN) -> QuerySet[DuplicateSuggestion]:
    """Suggestions in this state, the surest first, with both records."""
    found = suggestions_visible_to(user).filter(status=status).select_related("first", "second", "decided_by")
    if level in SuggestionLevel.values:
        found = found.filter(level=level)
    return found.order_by("level", "-score", "pk")


def open_counts(user: User) -> dict[str, int]:
    """How many suggestions of each level wait for a decision."""
    rows = suggestions_visible_to(user).filter(status=SuggestionStatus.OPEN).values_list("level")
    return dict.fromkeys(SuggestionLevel.values, 0) | dict(rows.annotate(Count("pk")))


def suggestion_between(user: User, one: int, other: int) -> DuplicateSuggestion | None:
    """What is known of these two records as one person; None when nothing was found or they are hidden."""
    pair = {"first": min(one, other), "second": max(one, other)}
    return suggestions_visible_to(user).filter(**pair).first()


def merges_visible_to(user: User) -> QuerySet[PatientMerge]:
    """Merges into records this person may open, newest first; nothing for those who may not merge."""
    if not can_merge_patients(user):
        return PatientMerge.objects.none()
    found = PatientMerge.objects.filter(target__in=_followed(user))
    return found.select_related("source", "target", "merged_by", "undone_by")


def _followed(user: User) -> QuerySet[Patient]:
    """Visible records and those that were merged into one."""
    seen = patients_visible_to(user)
    return Patient.objects.filter(pk__in=seen.values("pk")) | Patient.objects.filter(merged_into__in=seen.values("pk"))


def current_id(patient_id: int) -> int:
    """The record that this one goes on in; itself when it was not merged. Raises Patient.DoesNotExist."""
    merged_into: int | None = Patient.objects.values_list("merged_into", flat=True).get(pk=patient_id)
    return merged_into or patient_id


def merged_goal(user: User, patient_id: int) -> int | None:
    """Where an old address leads: the record this one was merged into, if the person may open that; else None."""
    found = _goes_on().tuples(patient_id)
    merged_into: int | None = found[0][0] if found else None
    return merged_into if merged_into and patients_visible_to(user).filter(pk=merged_into).exists() else None


@prepared
def _goes_on() -> QuerySet[Patient]:
    """Where the record 0 goes on."""
    return Patient.objects.filter(pk=Given(0)).order_by().values_list("merged_into_id")  # type: ignore[return-value]


def earlier_records(patient_id: int) -> list[int]:
    """Ids of the records that were merged into this one: facts about the person stand under these too."""
    return [pk for (pk,) in _earlier().tuples(patient_id)]


@prepared
def _earlier() -> QuerySet[Patient]:
    """Merged into the record 0."""
    found = Patient.objects.filter(merged_into=Given(0)).order_by("pk")
    return found.values_list("pk")  # type: ignore[return-value]
