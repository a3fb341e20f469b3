"""Who may do what with a patient. Pure: decides on loaded objects, asks no database beyond the user's role."""

from collections.abc import Collection
from datetime import date

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from patients.models import Patient, RelatedPerson


def can_create_patient(user: User) -> bool:
    return can(user, Action.EDIT_PATIENTS)


def can_view_patient(user: User, patient: Patient, opened: Collection[int] = ()) -> bool:
    """May open the record; a protected one only where its id is among those `opened` by breaking the glass."""
    return can(user, Action.WORK_INBOX) and (not patient.is_sensitive or patient.pk in opened)


def can_edit_patient(user: User, patient: Patient) -> bool:
    """May change a record that they may open. One that was merged into another is history and stays as it is."""
    return can(user, Action.EDIT_PATIENTS) and patient.merged_into_id is None


def can_break_glass(user: User) -> bool:
    """May open a protected record for an hour, with a reason."""
    return can(user, Action.WORK_INBOX) and can(user, Action.BREAK_GLASS)


def can_protect(user: User) -> bool:
    """May say which records are protected, and take the protection away."""
    return can(user, Action.OVERSEE_PRIVACY)


def can_read_audit(user: User) -> bool:
    """May see who looked at whom."""
    return can(user, Action.VIEW_AUDIT)


def can_configure_programs(user: User) -> bool:
    """May say which programs there are and what their steps are."""
    return can(user, Action.CONFIGURE)


def can_merge_patients(user: User) -> bool:
    """May decide whether two records are one person, merge them and undo that."""
    return can(user, Action.MERGE_PATIENTS)


def can_import_patients(user: User) -> bool:
    """May take in files of patients."""
    return can(user, Action.IMPORT_PATIENTS)


def comes_of_age_on(birth_date: date, adult_age: int) -> date:
    """The birthday from which a patient decides alone; somebody born on 29 February comes of age on 1 March."""
    year = birth_date.year + adult_age
    try:
        return birth_date.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def last_day_of(link: RelatedPerson, adult_age: int) -> date | None:
    """The last day on which a proxy holds; None where no end is known. `link.patient` must be loaded."""
    ends = [link.valid_until_date] if link.valid_until_date else []
    if link.is_for_minor and link.patient.birth_date:
        of_age = comes_of_age_on(link.patient.birth_date, adult_age)
        ends.append(date.fromordinal(of_age.toordinal() - 1))
    return min(ends) if ends else None


def proxy_holds(link: RelatedPerson, scope: str, on: date, adult_age: int) -> bool:
    """True when this person may act for the patient in matters of `scope` on that day.

    A minor's proxy holds until the day before the patient comes of age, and not at all while the birth date is unknown:
    nobody could say whether it is over.
    """
    if not link.is_proxy or link.ended_at is not None or scope not in link.scopes:
        return False
    if link.patient.deceased_date is not None or (link.is_for_minor and link.patient.birth_date is None):
        return False
    last = last_day_of(link, adult_age)
    return (link.valid_from_date is None or link.valid_from_date <= on) and (last is None or on <= last)


def can_handle_privacy(user: User) -> bool:
    """May give out all data of a patient and ask that they be forgotten."""
    return can(user, Action.HANDLE_PRIVACY)


def can_oversee_privacy(user: User) -> bool:
    """May decide on erasures, holds and how long data is kept."""
    return can(user, Action.OVERSEE_PRIVACY)


def can_see_duties(user: User) -> bool:
    """May see requests, holds, rules and processors."""
    return can_handle_privacy(user) or can_oversee_privacy(user)
