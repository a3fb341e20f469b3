"""The tables of patients, one module per subject."""

from patients.models.care import (
    Alert,
    CareProgram,
    Coverage,
    LifeEvent,
    PendingResult,
    ProgramEnrolment,
    ProgramStep,
    StepCompletion,
)
from patients.models.consents import Consent
from patients.models.family import RelatedPerson
from patients.models.glass import BreakGlass
from patients.models.people import ContactPoint, Patient, PatientQuerySet

__all__ = [
    "Alert",
    "BreakGlass",
    "CareProgram",
    "Consent",
    "ContactPoint",
    "Coverage",
    "LifeEvent",
    "Patient",
    "PatientQuerySet",
    "PendingResult",
    "ProgramEnrolment",
    "ProgramStep",
    "RelatedPerson",
    "StepCompletion",
]
