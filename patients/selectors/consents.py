"""Reading consents."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from contact_center.accounts.models import User
from patients.enums import ConsentPurpose, ConsentStatus, ContactChannel
from patients.models import Consent, ConsentText, Patient
from patients.selectors.people import patients_visible_to

FALLBACK_LANGUAGE = "en"


def consents_visible_to(user: User) -> QuerySet[Consent]:
    """Every word of the patients whom this person may open."""
    return Consent.objects.filter(patient__in=patients_visible_to(user))


def latest_of_each(rows: QuerySet[Consent]) -> QuerySet[Consent]:
    """Of these the latest word of each patient on each purpose and channel kind."""
    same = Consent.objects.filter(
        patient=OuterRef("patient"), purpose=OuterRef("purpose"), channel_kind=OuterRef("channel_kind")
    )
    at = OuterRef("recorded_at")
    later = same.filter(Q(recorded_at__gt=at) | Q(recorded_at=at, pk__gt=OuterRef("pk")))
    return rows.filter(~Exists(later))


def latest_consents(patient: Patient) -> list[Consent]:
    """The latest word on each purpose and channel kind, in that order; earlier ones are history. One query, none for a
    record that was opened with its consents."""
    latest: dict[tuple[str, str], Consent] = {}
    for row in sorted(patient.consents.all(), key=lambda one: (one.recorded_at, one.pk)):
        latest[row.purpose, row.channel_kind] = row
    return [latest[key] for key in sorted(latest)]


def word_on(patient_id: int, purpose: str, channel_kind: str) -> bool | None:
    """Whether the patient's latest word on this purpose and kind of channel is yes; None where nothing was said.

    A word without a channel is about all of them.
    """
    said = Consent.objects.filter(Q(channel_kind=channel_kind) | Q(channel_kind=""), patient=patient_id)
    latest = said.filter(purpose=purpose).order_by("-recorded_at", "-pk").values_list("status", flat=True).first()
    return None if latest is None else latest == ConsentStatus.GRANTED


def consent_grid(patient: Patient) -> list[tuple[ConsentPurpose, list[tuple[ContactChannel, Consent | None]]]]:
    """Every purpose with every channel and the latest word on both, None where nothing was said. One query."""
    known = {(row.purpose, row.channel_kind): row for row in latest_consents(patient)}
    return [
        (purpose, [(kind, _newer(known.get((purpose, kind)), known.get((purpose, "")))) for kind in ContactChannel])
        for purpose in ConsentPurpose
    ]


def _newer(own: Consent | None, of_all: Consent | None) -> Consent | None:
    if own is None or of_all is None:
        return own or of_all
    return max(own, of_all, key=lambda row: (row.recorded_at, row.pk))


def history_of(patient: Patient) -> QuerySet[Consent]:
    """Every word the patient ever gave, newest first, with the text that was shown and who wrote it down."""
    return patient.consents.select_related("text", "recorded_by").order_by("-recorded_at", "-pk")


def present_texts(language: str) -> dict[str, ConsentText]:
    """The latest published text of each purpose in this language, else in English; none where there is no text."""
    rows = ConsentText.objects.filter(language__in=[language[:2], FALLBACK_LANGUAGE])
    newest = rows.order_by("purpose", "language", "-version").distinct("purpose", "language")
    found: dict[str, ConsentText] = {}
    for row in sorted(newest, key=lambda one: one.language == language[:2]):
        found[row.purpose] = row
    return found
