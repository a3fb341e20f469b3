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
from patients.models.consents import Consent, ConsentText
from patients.models.duplicates import DuplicateSuggestion, MatchProfile
from patients.models.duties import ErasureRequest, LegalHold, RetentionRule, RetentionRun
from patients.models.family import CareRule, RelatedPerson
from patients.models.glass import BreakGlass
from patients.models.identity import Identifier, PostalAddress
from patients.models.imports import PatientImport, PatientImportRow
from patients.models.merging import PatientMerge, PatientMergeItem
from patients.models.people import ContactPoint, Patient, PatientQuerySet

__all__ = [
    "Alert",
    "BreakGlass",
    "CareProgram",
    "CareRule",
    "Consent",
    "ConsentText",
    "ContactPoint",
    "Coverage",
    "DuplicateSuggestion",
    "ErasureRequest",
    "Identifier",
    "LegalHold",
    "LifeEvent",
    "MatchProfile",
    "Patient",
    "PatientImport",
    "PatientImportRow",
    "PatientMerge",
    "PatientMergeItem",
    "PatientQuerySet",
    "PendingResult",
    "PostalAddress",
    "ProgramEnrolment",
    "ProgramStep",
    "RelatedPerson",
    "RetentionRule",
    "RetentionRun",
    "StepCompletion",
]
