"""Who may do what with a patient. Pure: decides on loaded objects, asks no database beyond the user's role."""

from collections.abc import Collection

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from patients.models import Patient


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
