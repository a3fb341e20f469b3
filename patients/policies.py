"""Who may do what with a patient. Pure: decides on loaded objects, asks no database beyond the user's role."""

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from patients.models import Patient


def can_create_patient(user: User) -> bool:
    return can(user, Action.EDIT_PATIENTS)


def can_view_patient(user: User, patient: Patient) -> bool:
    """A sensitive record asks for the right to sensitive matters. Partner teams are narrowed further by selectors."""
    return can(user, Action.WORK_INBOX) and (not patient.is_sensitive or can(user, Action.VIEW_SENSITIVE))


def can_edit_patient(user: User, patient: Patient) -> bool:
    """A record that was merged into another one is history and stays as it is."""
    return can(user, Action.EDIT_PATIENTS) and can_view_patient(user, patient) and patient.merged_into_id is None
