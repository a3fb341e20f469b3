"""What the duties do with the tables of this app; called from `ready()`."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from contact_center.audit.models import AuditEntry
from patients.duties import Beside, Table, declare, kept_back
from patients.enums import DataClass, ImportStatus, Sensitivity
from patients.models import PatientImport

ERASED = "–"
RECORD = DataClass.RECORD


def declare_own() -> None:
    """Declare every table of patients."""
    declare(
        Table("patients.Patient", RECORD, scrub=_patient()),
        Table("patients.Alert", RECORD),
        Table("patients.BreakGlass", DataClass.AUDIT, scrub={"reason": ERASED}),
        Table("patients.Consent", RECORD, scrub={"source": ERASED}),
        Table("patients.ContactPoint", RECORD),
        Table("patients.Coverage", RECORD),
        Table("patients.DuplicateSuggestion", RECORD),
        Table("patients.ErasureRequest", DataClass.AUDIT, scrub={"reason": ERASED}),
        Table("patients.Identifier", RECORD),
        Table("patients.LegalHold", DataClass.AUDIT, scrub={}),
        Table("patients.LifeEvent", RECORD),
        Table("patients.MatchProfile", RECORD, hidden=("keys", "fingerprint")),
        Table("patients.PatientImportRow", RECORD, scrub={"cells": {}, "problems": []}, paths=("patient",)),
        Table("patients.PatientMerge", DataClass.AUDIT, scrub={}),
        Table("patients.PatientMergeItem", RECORD, scrub={"before": {}}),
        Table("patients.PendingResult", RECORD, scrub={"title": ERASED}),
        Table("patients.PostalAddress", RECORD),
        Table("patients.ProgramEnrolment", RECORD, scrub={"why_left": ""}),
        Table("patients.RelatedPerson", RECORD),
        Table("patients.StepCompletion", RECORD, scrub={"note": ""}),
        Beside("audit_entries", DataClass.AUDIT, export=_audit),
        Beside("files_of_imports", RECORD, erase=_erase_import_files),
    )


def _patient() -> dict[str, Any]:
    """The record stays as a place in the statistics: language, sex and site."""
    return {
        "mrn": Concat(Value("erased-"), Cast(F("pk"), CharField())),
        "given_name": "", "family_name": ERASED, "preferred_name": "", "birth_date": None, "time_zone": "",
        "access_needs": [], "access_note": "", "interpreter_language": "", "contact_from": None,
        "contact_until": None, "sensitivity": Sensitivity.NONE, "is_do_not_contact": True, "deceased_date": None,
    }  # fmt: skip


def _audit(patient_ids: Collection[int]) -> Iterator[dict[str, Any]]:
    entries = AuditEntry.objects.filter(patient_id__in=list(patient_ids)).exclude(kept_back(patient_ids))
    entries = entries.order_by("occurred_at", "id")
    for row in entries.values("id", "occurred_at", "action", "object_type", "actor_id").iterator(chunk_size=2000):
        yield row | {"occurred_at": row["occurred_at"].isoformat()}


def _erase_import_files(patient_ids: Collection[int]) -> int:
    """The file with which somebody came has their row; one that is dealt with is not needed any more."""
    imports = PatientImport.objects.exclude(file="").filter(rows__patient__in=list(patient_ids)).distinct()
    imports = imports.exclude(status__in=[ImportStatus.CHECKING, ImportStatus.RUNNING])
    names = [str(one.file.name) for one in imports]
    PatientImport.objects.filter(file__in=names).update(file="")
    for name in names:
        transaction.on_commit(partial(default_storage.delete, name))
    return len(names)
