"""What reading and searching leave behind: entries of the audit trail, and no patient's name in an address."""

import time

from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import get_random_string

from contact_center.accounts.middleware import BACKGROUND_HEADER
from contact_center.accounts.requests import person_of
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.budget import OutOfTime, within
from inbox.models import Interaction
from inbox.selectors.conversation import candidates_for
from patients.models import Patient
from patients.selectors.people import get_patient_for
from patients.selectors.search import search_patients
from patients.services.records import open_patient_record, search_records

VIEWED, SEARCHES = "viewed", "searches"
QUARTER_HOUR = 900  # seconds
MOST_SEARCHES = 5
BESIDE = ("contact_points", "related_persons__relative")  # what stands beside a conversation
PATIENT_BUDGET = 1_000  # milliseconds


def opened(request: HttpRequest, interaction: Interaction) -> Patient | None:
    """The patient of a conversation that is shown now; None when nobody is linked or the record is hidden.

    Whichever part is drawn, a session leaves one VIEWED entry per conversation and patient in a quarter of an hour.
    """
    now = int(time.time())
    seen, key = _seen(request, now), _key(interaction)
    if key in seen:
        return _patient_of(request, interaction)
    if _sealed(key) in seen and _patient_of(request, interaction) is None:
        return None
    patient = _patient_of(request, interaction, leaves_trace=True)
    if patient is None:
        shown = [] if interaction.patient_id else candidates_for(person_of(request), interaction)[0]
        with transaction.atomic():
            record(
                actor=person_of(request),
                action=AuditAction.VIEWED,
                object_type="interaction",
                object_id=interaction.pk,
                patient_id=interaction.patient_id,
                candidates=[candidate.pk for candidate in shown],
            )
    is_sealed = patient is None and interaction.patient_id is not None
    request.session[VIEWED] = seen | {_sealed(key) if is_sealed else key: now}
    return patient


def opened_record(request: HttpRequest, patient_id: int) -> Patient | None:
    """As `opened`, for a page that shows a record beside no conversation; None when there is none or it is hidden."""
    now = int(time.time())
    seen, key = _seen(request, now), f"record:{patient_id}"
    user = person_of(request)
    try:
        if key in seen:
            return get_patient_for(user, patient_id)
        patient = open_patient_record(user, patient_id, reason="page")
    except Patient.DoesNotExist:
        return None
    request.session[VIEWED] = seen | {key: now}
    return patient


def leave_trace(request: HttpRequest, interaction: Interaction) -> None:
    """As `opened`, for a part that shows the conversation without the patient's record."""
    key = _key(interaction)
    if not {key, _sealed(key)} & set(_seen(request, int(time.time()))):
        opened(request, interaction)


def _seen(request: HttpRequest, now: int) -> dict[str, int]:
    return {key: at for key, at in request.session.get(VIEWED, {}).items() if now - at < QUARTER_HOUR}


def _key(interaction: Interaction) -> str:
    return f"{interaction.pk}:{interaction.patient_id or ''}"


def _sealed(key: str) -> str:
    """The same, while the record was hidden: seeing it later, through broken glass, is another look."""
    return f"{key}:sealed"


def _patient_of(request: HttpRequest, interaction: Interaction, *, leaves_trace: bool = False) -> Patient | None:
    if interaction.patient_id is None:
        return None
    try:
        if leaves_trace:
            return open_patient_record(person_of(request), interaction.patient_id, reason="interaction")
        return get_patient_for(person_of(request), interaction.patient_id, related=BESIDE)
    except Patient.DoesNotExist:
        return None


def searched_patients(request: HttpRequest, text: str) -> list[int]:
    """Ids of the patients meant by a text. A list that draws itself again repeats a search that is on record."""
    look = search_patients if BACKGROUND_HEADER in request.headers else search_records
    try:
        with within(PATIENT_BUDGET):
            return [patient.pk for patient in look(person_of(request), text, limit=50)]
    except OutOfTime:
        return []


def keep_search(request: HttpRequest, text: str) -> str:
    """Remember what is searched for in the session; the short key that is returned may stand in an address."""
    key = get_random_string(8)
    kept = list(request.session.get(SEARCHES, {}).items())[1 - MOST_SEARCHES :]
    request.session[SEARCHES] = dict([*kept, (key, text)])
    return key


def kept_search(request: HttpRequest) -> tuple[str, str]:
    """Key and text of the search that this address names; two empty texts when the session knows none."""
    key = request.GET.get("s", "")
    text = text_of_search(request, key)
    return (key, text) if text else ("", "")


def text_of_search(request: HttpRequest, key: str) -> str:
    """What the session searched for under this key; empty when it knows none."""
    return str(request.session.get(SEARCHES, {}).get(key, ""))
