"""Taking in a file of patients: read, checked row by row, shown, then written. Every part is background work that
goes on where it was when its worker dies, and a row is written once."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import F, Min
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.rows import insert_rows, update_rows
from contact_center.jobs.models import Job, JobItem
from contact_center.jobs.services import start
from patients.enums import ImportField, ImportStatus, RowStatus
from patients.matching.people import Person
from patients.matching.verdict import Level
from patients.models import Identifier, Patient, PatientImport, PatientImportRow
from patients.policies import can_import_patients
from patients.selectors.likeness import alike
from patients.selectors.people import patients_visible_to
from patients.services.duplicates import refresh_profiles
from patients.services.intake import Draft, create_many, draft, missing_names, person_from, update_from
from patients.tables.headings import guess
from patients.tables.reading import Format, UnreadableTable, rows_of, sniff
from patients.tables.values import Described, describe, guess_order

CHECK, IMPORT = "patient_import_check", "patient_import"
CHUNK, STAGED_AT_ONCE, KEPT = 200, 1000, timedelta(days=30)
UPDATE, SKIP, CREATE = "update", "skip", "create"
R = RowStatus


def upload(*, actor: User, name: str, file: IO[bytes]) -> PatientImport:
    """Keep the file and guess what its columns hold. Raises Refused with a sentence for what is not a table that we
    read, PermissionDenied."""
    _require(actor)
    try:
        how = sniff(file)
        rows = [cells for _number, cells in _first(rows_of(file, how), 50)]
    except UnreadableTable as error:
        raise Refused(str(error)) from None
    if len(rows) < 2:
        raise Refused(_("The file has a heading and no rows."))
    columns = guess(rows[0])
    dates = columns.index(ImportField.BIRTH_DATE) if ImportField.BIRTH_DATE in columns else -1
    samples = [row[dates] for row in rows[1:] if 0 <= dates < len(row)]
    with transaction.atomic():
        made = PatientImport(
            name=name.replace("\x00", "")[:200], owner=actor, format=how.as_json(), header=rows[0], columns=columns,
            settings={"dates": guess_order(samples), "identifier_system": "national", "known": UPDATE, "alike": SKIP},
        )  # fmt: skip
        file.seek(0)
        made.file.save("table", File(file), save=False)
        made.save()
        _record(actor, AuditAction.CREATED, made)
    return made


def _first(rows: Iterable[tuple[int, list[str]]], most: int) -> Iterable[tuple[int, list[str]]]:
    for _count, row in zip(range(most), rows, strict=False):
        yield row


def _require(actor: User) -> None:
    if not can_import_patients(actor):
        raise PermissionDenied


def _record(actor: User, action: AuditAction, what: PatientImport, **detail: object) -> None:
    record(actor=actor, action=action, object_type="patientimport", object_id=what.pk, **detail)  # type: ignore[arg-type]


def _locked(actor: User, import_id: int) -> PatientImport:
    _require(actor)
    return PatientImport.objects.select_for_update(of=("self",)).get(pk=import_id, owner=actor)


def check(*, actor: User, import_id: int, columns: Sequence[str], settings: dict[str, str]) -> PatientImport:
    """Read every row with these columns, without writing any patient; the result is shown when it is over.

    Raises Refused without a name or with a field chosen twice, Conflict while it is being worked on,
    PermissionDenied, PatientImport.DoesNotExist for another person's.
    """
    with transaction.atomic():
        row = _locked(actor, import_id)
        if row.status not in (ImportStatus.UPLOADED, ImportStatus.CHECKED):
            raise Conflict(_("This file is being worked on already."))
        chosen = [name for name in columns if name]
        twice = {name for name in chosen if chosen.count(name) > 1}
        if twice:
            words = {"fields": ", ".join(sorted(str(ImportField(name).label) for name in twice))}
            raise Refused(_("Chosen for several columns: %(fields)s.") % words)
        if ImportField.FULL_NAME not in chosen and not {ImportField.GIVEN_NAME, ImportField.FAMILY_NAME} <= set(chosen):
            raise Refused(_("Say which columns hold given and family name, or the whole name."))
        row.columns, row.settings = list(columns), settings
        row.check_rows()
        row.rows.all().delete()
        row.check_job = start(
            owner=actor, kind=CHECK, title=_("Check of a file of patients"), items=[0], parameters={"import": row.pk}
        )
        row.save()
        return row


def do_check(job: Job, item: int) -> None:
    """Item 0 reads the file and adds the items that check its rows, 200 at a time. Raises Refused in words."""
    source = PatientImport.objects.get(pk=job.parameters["import"])
    _require(job.owner)
    if item:
        _check_rows(source, _chunk(source, item))
        return
    try:
        count = _stage(source)
    except UnreadableTable as error:
        raise Refused(str(error)) from None
    if not count:
        raise Refused(_("The file has a heading and no rows."))
    parts = range(1, -(-count // CHUNK) + 1)
    JobItem.objects.bulk_create((JobItem(job=job, object_id=part) for part in parts), batch_size=2000)
    Job.objects.filter(pk=job.pk).update(total=F("total") + len(parts))


def _stage(source: PatientImport) -> int:
    """Every row of the file as a row of ours; returns how many."""
    batch: list[PatientImportRow] = []
    position = -1
    with source.file.open("rb") as file:
        for number, cells in rows_of(file, Format(**source.format)):
            position += 1
            if position == 0:
                continue
            batch.append(PatientImportRow(source=source, number=number, position=position, cells=cells))
            if len(batch) == STAGED_AT_ONCE:
                insert_rows(batch)
                batch.clear()
    insert_rows(batch)
    PatientImport.objects.filter(pk=source.pk).update(row_count=max(position, 0))
    return max(position, 0)


def _chunk(source: PatientImport, part: int) -> list[PatientImportRow]:
    first = (part - 1) * CHUNK + 1
    return list(source.rows.filter(position__gte=first, position__lt=first + CHUNK).order_by("position"))


@dataclass(slots=True)
class Said:
    """What one row says, and the record it would make."""

    described: Described
    made: Draft

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The numbers by which it may be known here."""
        mrn = [("mrn", self.described.mrn.upper())] if self.described.mrn else []
        return mrn + [(number.system, number.value) for number in self.made.numbers]


def _said(source: PatientImport, row: PatientImportRow) -> Said:
    described = describe(row.cells, source.columns, source.settings)
    return Said(described, draft(described, is_update=True))


def _check_rows(source: PatientImport, rows: list[PatientImportRow]) -> None:
    said = [_said(source, row) for row in rows]
    known = _known(said)
    people = {row.number: person_from(row.number, one.described, one.made) for row, one in zip(rows, said, strict=True)}
    near = {number: (found[0].patient_id, found[0].level) for number, found in alike(people).items()}
    for row, one in zip(rows, said, strict=True):
        patient_id = next((known[key] for key in one.keys if key in known), None)
        problems = one.made.problems + ([] if patient_id else missing_names(one.made, one.described))
        row.problems = [list(problem) for problem in problems]
        row.status = R.WRONG if problems else R.READY
        row.digest = _digest(people[row.number])
        row.like_id, row.level = (patient_id, KNOWN) if patient_id else near.get(row.number, (None, ""))
    update_rows(rows, "problems", "status", "digest", "like", "level")
    _find_twins(source, rows)


KNOWN = "known"
"""Level of a row whose record number or identity number stands here already."""


def _known(said: Iterable[Said]) -> dict[tuple[str, str], int]:
    """Who has the numbers that these rows name: ("mrn", number) or (system, number) → current record."""
    keys = {key for one in said for key in one.keys}
    mrns, numbers = {value for kind, value in keys if kind == "mrn"}, {value for _system, value in keys}
    found: dict[tuple[str, str], int] = {}
    rows = Patient.objects.annotate(upper=Upper("mrn")).filter(upper__in=mrns)
    for mrn, pk, merged in rows.values_list("upper", "pk", "merged_into"):
        found["mrn", mrn] = merged or pk
    for system, value, pk in Identifier.objects.filter(value__in=numbers).values_list("system", "value", "patient"):
        found[system, value] = pk
    return found


def _digest(one: Person) -> int:
    if not (one.given and one.family and one.birth):
        return 0
    digest = hashlib.blake2b(f"{one.given}\x1f{one.family}\x1f{one.birth}".encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)


def _find_twins(source: PatientImport, rows: list[PatientImportRow]) -> None:
    """Rows whose person stands in an earlier row of the same file."""
    digests = {row.digest for row in rows if row.digest}
    first = dict(source.rows.filter(digest__in=digests).values_list("digest").annotate(Min("number")))
    twins = [row for row in rows if row.digest and first.get(row.digest, row.number) < row.number]
    for row in twins:
        row.same_as_row = first[row.digest]
    update_rows(twins, "same_as_row")


def run(*, actor: User, import_id: int, known: str, alike: str) -> PatientImport:
    """Write the rows without errors. `known` says what happens to rows whose number is here (`update`, `skip`),
    `alike` to those that certainly are somebody here or in an earlier row (`skip`, `create`).

    Raises Conflict unless it was checked or stopped, Refused for other words, PermissionDenied,
    PatientImport.DoesNotExist for another person's.
    """
    if known not in (UPDATE, SKIP) or alike not in (SKIP, CREATE):
        raise Refused(_("Choose what happens to people who are here already."))
    with transaction.atomic():
        source = _locked(actor, import_id)
        if source.status not in (ImportStatus.CHECKED, ImportStatus.STOPPED):
            raise Conflict(_("This file is being worked on already."))
        waiting = source.rows.filter(status=R.READY).values_list("position", flat=True)
        parts = sorted({(position - 1) // CHUNK + 1 for position in waiting})
        if not parts:
            raise Refused(_("No row can be taken in."))
        source.settings = {**source.settings, "known": known, "alike": alike}
        source.run()
        title = _("Import of patients")
        source.job = start(owner=actor, kind=IMPORT, title=title, items=parts, parameters={"import": source.pk})
        source.save()
        _record(actor, AuditAction.CHANGED, source, to="running", rows=len(waiting))
        return source


def do_import(job: Job, part: int) -> None:
    """Two hundred rows of a file, in the caller's transaction; a row that is not READY any more was dealt with."""
    _require(job.owner)
    source = PatientImport.objects.get(pk=job.parameters["import"])
    rows = [row for row in _chunk(source, part) if row.status == R.READY]
    said = {row.pk: _said(source, row) for row in rows}
    known, fresh = _known(said.values()), []
    seen: set[tuple[str, str]] = set()
    for row in rows:
        one = said[row.pk]
        patient_id = next((known[key] for key in one.keys if key in known), None)
        is_alike = row.level == Level.CERTAIN or row.same_as_row is not None
        if patient_id is not None:
            _deal_with_known(job.owner, source, row, one, patient_id)
        elif is_alike and source.settings["alike"] == SKIP:
            row.status = R.SKIPPED
        elif seen & set(one.keys):
            row.status, row.problems = R.WRONG, [["mrn", _("An earlier row has the same number.")]]
        else:
            fresh.append((row, one.made))
        seen |= set(one.keys)
    _write(job.owner, source, fresh)
    update_rows(rows, "status", "problems", "patient")


def _deal_with_known(actor: User, source: PatientImport, row: PatientImportRow, said: Said, patient_id: int) -> None:
    row.patient_id, row.status = patient_id, R.SKIPPED
    if source.settings["known"] == SKIP:
        return
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    if not patients_visible_to(actor).filter(pk=patient_id).exists():
        row.status, row.patient_id, row.problems = R.WRONG, None, [["mrn", _("You may not change this record.")]]
        return
    try:
        with transaction.atomic():
            update_from(actor=actor, patient=patient, made=said.made, described=said.described, source=source.pk)
        row.status = R.UPDATED
    except ValidationError as error:
        row.status, row.problems = R.WRONG, [[name, " ".join(words)] for name, words in error.message_dict.items()]


def _write(actor: User, source: PatientImport, fresh: list[tuple[PatientImportRow, Draft]]) -> None:
    """All at once; one by one where a number is taken meanwhile."""
    if not fresh:
        return
    try:
        with transaction.atomic():
            patients = create_many(actor=actor, drafts=[made for _row, made in fresh], source=source.pk)
    except IntegrityError:
        if len(fresh) == 1:
            row = fresh[0][0]
            row.status, row.problems = R.WRONG, [["mrn", _("This number belongs to another record.")]]
            return
        for row, _made in fresh:
            _write(actor, source, [(row, _said(source, row).made)])
        return
    for (row, _made), patient in zip(fresh, patients, strict=True):
        row.status, row.patient = R.CREATED, patient
    refresh_profiles([patient.pk for patient in patients])


def settle(import_id: int) -> PatientImport:
    """Let an import follow its background work when that is over; safe to say again and again."""
    with transaction.atomic():
        row = PatientImport.objects.select_for_update(of=("self",)).get(pk=import_id)
        job = row.check_job if row.status == ImportStatus.CHECKING else row.job
        if row.status not in (ImportStatus.CHECKING, ImportStatus.RUNNING) or (job is not None and not job.is_over):
            return row
        is_whole = job is not None and job.status == "done" and not job.failed_count
        if row.status == ImportStatus.CHECKING:
            row.show() if is_whole else row.give_up()
        elif is_whole:
            row.finish()
        else:
            row.stop()
        row.save()
        return row


def settle_job(job_id: int) -> None:
    """The same for whichever import this background work belongs to, if any."""
    for job in Job.objects.filter(pk=job_id, kind__in=[CHECK, IMPORT]):
        settle(job.parameters["import"])


def forget_old() -> int:
    """Delete the files and cells of imports that nobody touched for thirty days; what became of them stays."""
    old = PatientImport.objects.filter(updated_at__lt=timezone.now() - KEPT).exclude(file="")
    count = 0
    for row in old.exclude(status__in=[ImportStatus.CHECKING, ImportStatus.RUNNING])[:50]:
        with transaction.atomic():
            row.rows.all().delete()
            row.file.delete(save=False)
            row.save(update_fields=["file", "updated_at"])
        count += 1
    return count
