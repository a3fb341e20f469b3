"""Searching the desk: each group within its own time, one trace for all that was found."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.budget import OutOfTime, within
from inbox.models import Case
from inbox.selectors import search
from patients.models import Patient
from patients.selectors.search import search_patients

T = TypeVar("T")
BUDGET = 600  # milliseconds for each statement of a group


def search_desk(*, actor: User, text: str, limit: int = 8) -> search.Found:
    """Patients, conversations, cases and matters of apps above that `text` means and the person may see, `limit` of
    each at most.

    A group whose time runs out is named in `late`; the others stand. Leaves one SEARCHED entry with ids, not the
    text; none for a text that is too short to search for, for which nothing is found.
    """
    found = search.Found()
    text = search.clean(text)
    if not text:
        return found
    nobody: tuple[list[Patient], dict[int, int]] = ([], {})
    found.patients, found.newest_of = _in_time(found, _("Patients"), lambda: _patients(actor, text, limit), nobody)
    found.conversations = _in_time(
        found, _("Conversations"), lambda: search.find_conversations(actor, text, limit=limit), []
    )
    no_case: tuple[list[Case], dict[int, int]] = ([], {})
    found.cases, found.newest_in = _in_time(
        found, _("Cases"), lambda: _cases(actor, text, found.patients, limit), no_case
    )
    found.matters = _in_time(found, _("References"), lambda: search.find_matters(actor, text, limit=limit), [])
    with transaction.atomic():
        record(
            actor=actor,
            action=AuditAction.SEARCHED,
            object_type="patient",
            found=[patient.pk for patient in found.patients],
            interactions=[hit.interaction.pk for hit in found.conversations],
            cases=[case.pk for case in found.cases],
            **_matters_by_kind(found),
        )
    return found


def _matters_by_kind(found: search.Found) -> dict[str, Any]:
    return {kind: [one.pk for one in found.matters if one.kind == kind] for kind in {one.kind for one in found.matters}}


def _patients(actor: User, text: str, limit: int) -> tuple[list[Patient], dict[int, int]]:
    patients = search_patients(actor, text, limit)
    return patients, _newest(actor, "patient", patients)


def _cases(actor: User, text: str, patients: list[Patient], limit: int) -> tuple[list[Case], dict[int, int]]:
    cases = search.find_cases(actor, text, patients, limit=limit)
    return cases, _newest(actor, "case", cases)


def _newest(actor: User, by: str, concerned: Sequence[Model]) -> dict[int, int]:
    return search.newest_conversations(actor, by=by, among=[one.pk for one in concerned]) if concerned else {}


def _in_time(found: search.Found, group: str, look: Callable[[], T], nothing: T) -> T:
    try:
        with within(BUDGET):
            return look()
    except OutOfTime:
        found.late.append(group)
        return nothing
