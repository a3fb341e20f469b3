"""The tables of patients, one module per subject."""

from patients.models.consents import Consent
from patients.models.family import RelatedPerson
from patients.models.people import ContactPoint, Patient, PatientQuerySet

__all__ = ["Consent", "ContactPoint", "Patient", "PatientQuerySet", "RelatedPerson"]
