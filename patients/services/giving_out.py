"""Giving a patient everything we have about them: a zip with JSON for machines, a page for people, and the files."""

import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, time
from pathlib import PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.encrypted import CannotDecrypt
from contact_center.common.errors import Refused
from contact_center.common.moments import moment_words
from contact_center.jobs.models import Job
from contact_center.jobs.services import start
from patients import duties, policies
from patients.models import Patient
from patients.selectors.people import get_patient_for

KIND = "patient_data"
FORMAT = "continuo-patient-data/1"
Tell = Callable[[int], bool]


@transaction.atomic
def start_giving_out(*, actor: User, patient_id: int) -> Job:
    """Begin to gather all data of one patient. The file is the actor's alone and goes after a day.

    Raises PermissionDenied, Patient.DoesNotExist.
    """
    patient = _allowed_patient(actor, patient_id)
    steps = len(duties.tables()) + len(duties.besides())
    title = _("All data of record %(number)s") % {"number": patient.mrn}
    job = start(owner=actor, kind=KIND, title=title, parameters={"patient": patient.pk}, total=steps)
    record(
        actor=actor, action=AuditAction.EXPORTED, object_type="patient", object_id=patient.pk, patient_id=patient.pk,
        job=job.pk,
    )  # fmt: skip
    return job


def _allowed_patient(actor: User, patient_id: int) -> Patient:
    if not policies.can_handle_privacy(actor):
        raise PermissionDenied
    return get_patient_for(actor, patient_id)


def make(job: Job, out: IO[bytes], tell: Tell) -> None:
    """Write the zip with the rights its owner has now; `tell(done)` after each table, False means stop.

    Raises Refused where the owner may not any more.
    """
    try:
        patient = _allowed_patient(job.owner, job.parameters["patient"])
    except (PermissionDenied, Patient.DoesNotExist):
        raise Refused(_("You may not see this record any more.")) from None
    write_zip(patient, out, tell)


def write_zip(patient: Patient, out: IO[bytes], tell: Tell = lambda done: True) -> None:
    """Write everything declared about this record and those that went on in it. The page for people names every file
    where it was sent along, and all of them at its end."""
    ids, taken = duties.records_of(patient), dict[str, bool]()
    contents: list[dict[str, Any]] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, tempfile.TemporaryFile("w+") as page:
        page.write(render_to_string("patients/data_head.html", {"patient": patient, "now": timezone.now()}))
        for done, (key, title, rows) in enumerate(_parts(ids), start=1):
            count = _write_part(archive, page, key, title, rows, taken)
            if count:
                contents.append({"table": key, "rows": count, "file": f"data/{key}.json"})
            if not tell(done):
                return
        listed = sorted(taken.items())
        page.write(render_to_string("patients/data_end.html", {"files": listed}))
        page.seek(0)
        with archive.open("index.html", "w") as target:
            while text := page.read(1 << 16):
                target.write(text.encode())
        manifest = {
            "format": FORMAT, "organisation": settings.ORGANISATION_NAME, "made_at": timezone.now().isoformat(),
            "records": sorted(ids), "tables": contents,
        }  # fmt: skip
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))


def _parts(ids: Collection[int]) -> Iterator[tuple[str, str, Iterator[dict[str, Any]]]]:
    for table in reversed(duties.tables()):
        title = str(table.rows.model._meta.verbose_name_plural).capitalize()
        yield table.model, title, _rows_of(table, ids)
    for beside in duties.besides():
        yield beside.key, beside.key.replace("_", " ").capitalize(), beside.export(ids) if beside.export else iter(())


def _rows_of(table: duties.Table, ids: Collection[int]) -> Iterator[dict[str, Any]]:
    fields = [one for one in table.rows.model._meta.concrete_fields if one.name not in table.hidden]
    for row in table.of(ids).filter(table.given).order_by("pk").iterator(chunk_size=500):
        yield {field.attname: _plain(row, field) for field in fields}


def _plain(row: models.Model, field: "models.Field[Any, Any]") -> Any:
    try:
        value = field.value_from_object(row)
    except CannotDecrypt:
        return None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, memoryview | bytes):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(field, models.FileField):
        return str(value) if value else ""
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)


def _write_part(
    archive: zipfile.ZipFile,
    page: IO[str],
    key: str,
    title: str,
    rows: Iterator[dict[str, Any]],
    taken: dict[str, bool],
) -> int:
    count, files = 0, list[tuple[str, str]]()
    with archive.open(f"data/{key}.json", "w") as target:
        target.write(b"[")
        for row in rows:
            count += 1
            own = _files_of(key, row)
            files += own
            target.write(b",\n" if count > 1 else b"\n")
            target.write(json.dumps(row, ensure_ascii=False, default=str).encode())
            names = [name for _stored, name in own]
            context = {"title": title if count == 1 else "", "cells": _cells(row), "files": names}
            page.write(render_to_string("patients/data_row.html", context))
        target.write(b"\n]\n")
    for stored, name in files:
        _write_file(archive, stored, name, taken)
    return count


def _files_of(key: str, row: dict[str, Any]) -> list[tuple[str, str]]:
    declared = next((table for table in duties.tables() if table.model == key), None)
    fields = declared.file_fields() if declared else []
    given = re.sub(r"[^\w.\- ]|\.{2,}", "_", str(row.get("name") or "file"))[-80:]
    found = [(row[name], f"files/{key.rpartition('.')[2]}-{row['id']}-{given}") for name in fields if row.get(name)]
    return [
        (stored, name) for stored, name in found if not stored.startswith("quarantine/")
    ]  # a virus is not given out


def _write_file(archive: zipfile.ZipFile, stored: str, name: str, taken: dict[str, bool]) -> None:
    from django.core.files.storage import default_storage

    if name in taken:
        return
    taken[name] = True
    try:
        with default_storage.open(stored, "rb") as content, archive.open(str(PurePosixPath(name)), "w") as target:
            while chunk := content.read(1 << 16):
                target.write(chunk)
    except FileNotFoundError:
        taken[name] = False
        archive.writestr(f"{name}.missing.txt", "This file was no longer in the store.\n")


def _cells(row: dict[str, Any]) -> list[tuple[str, str]]:
    """What a person wants to read of a row: no empty cells, no inner numbers, times in words."""
    cells = []
    for name, value in row.items():
        if value in (None, "", [], {}) or name in {"id", "file", "digest"} or name.endswith("_id"):
            continue
        label = name.removesuffix("_at").replace("_", " ").capitalize()
        cells.append((label, _words(value)))
    return cells


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.+]+", value):
        return moment_words(datetime.fromisoformat(value), "full_year")
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)
