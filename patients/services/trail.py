"""Reading the audit trail leaves an entry in it, and so does taking it away as a file."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditEntry
from contact_center.audit.selectors import Mark, Question, entries_for, page_of_entries
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.jobs.models import Job
from contact_center.jobs.services import start
from patients import policies
from patients.models import Patient

KIND = "audit_export"
MOST = 100_000


def read_trail(actor: User, question: Question, before: Mark | None) -> tuple[list[AuditEntry], Mark | None]:
    """A page of the trail, with one VIEWED entry that says what was asked. Raises PermissionDenied."""
    if not policies.can_read_audit(actor):
        raise PermissionDenied
    found = page_of_entries(entries_for(actor, question), before)
    with transaction.atomic():
        record(
            actor=actor, action=AuditAction.VIEWED, object_type="audit", patient_id=question.patient_id or None,
            asked=question.as_words(),
        )  # fmt: skip
    return found


def start_trail_export(*, actor: User, question: Question) -> Job:
    """A job that writes the entries that are asked for to a file, the newest 100,000 at most.

    Raises PermissionDenied, Refused when there is none.
    """
    if not policies.can_read_audit(actor):
        raise PermissionDenied
    total = entries_for(actor, question).order_by()[:MOST].count()
    if not total:
        raise Refused(_("There is nothing to export."))
    return start(owner=actor, kind=KIND, title=_("Audit trail"), parameters=question.as_words(), total=total)


def write_trail(job: Job) -> Iterator[list[Any]]:
    """Head and rows of an export, with its owner's rights of now. Raises Refused where they may not any more."""
    if not policies.can_read_audit(job.owner):
        raise Refused(_("You may not export."))
    question = Question.of_words(job.parameters)
    found = entries_for(job.owner, question).filter(occurred_at__lt=timezone.now())[:MOST]
    with transaction.atomic():
        record(
            actor=job.owner, action=AuditAction.EXPORTED, object_type="audit", patient_id=question.patient_id or None,
            job=job.pk, asked=job.parameters,
        )  # fmt: skip
    yield [_("Number"), _("When"), _("Who"), _("What"), _("Object"), _("Its number"), _("Record number"), _("More")]
    chunk: list[AuditEntry] = []
    for entry in found.iterator(chunk_size=1000):
        chunk.append(entry)
        if len(chunk) == 1000:
            yield from _cells(chunk)
            chunk = []
    yield from _cells(chunk)


def _cells(entries: list[AuditEntry]) -> Iterator[list[Any]]:
    numbers = record_numbers(entries)
    for entry in entries:
        more = ", ".join(f"{key}={value}" for key, value in sorted(entry.detail.items()))
        yield [
            entry.pk, timezone.localtime(entry.occurred_at).strftime("%Y-%m-%d %H:%M:%S"), entry.actor or _("System"),
            entry.get_action_display(), entry.object_type, entry.object_id or "",
            numbers.get(entry.patient_id or 0, ""), more[:500],
        ]  # fmt: skip


def record_numbers(entries: list[AuditEntry]) -> dict[int, str]:
    """The record numbers of the patients whom these entries concern, in one query; auditors see no names."""
    ids = {entry.patient_id for entry in entries if entry.patient_id}
    return dict(Patient.objects.filter(pk__in=ids).values_list("pk", "mrn"))
