"""Reading consents."""

from patients.models import Consent, Patient


def latest_consents(patient: Patient) -> list[Consent]:
    """The latest word on each purpose and channel kind, in that order; earlier ones are history."""
    rows = patient.consents.order_by("purpose", "channel_kind", "-recorded_at", "-pk")
    return list(rows.distinct("purpose", "channel_kind"))
