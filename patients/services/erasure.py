"""Forgetting a patient: asked for by one person, approved by another, done in one transaction, honouring holds."""

from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.jobs.models import Job
from contact_center.jobs.services import start
from patients import duties, policies, signals
from patients.enums import DataClass, ErasureStatus
from patients.models import ErasureRequest, Patient
from patients.selectors.duties import is_erased_or_about_to_be
from patients.selectors.people import get_patient_for
from patients.services.holds import held_classes

KIND = "erasure"


@transaction.atomic
def request_erasure(*, actor: User, patient_id: int, reason: str) -> ErasureRequest:
    """Ask that a patient be forgotten. Raises PermissionDenied, Patient.DoesNotExist, ValidationError at `reason`,
    Conflict when it was asked before."""
    if not policies.can_handle_privacy(actor):
        raise PermissionDenied
    patient = Patient.objects.select_for_update().get(pk=get_patient_for(actor, patient_id).pk)
    if not reason.strip():
        raise ValidationError({"reason": _("Say who asked for it, and how.")})
    if is_erased_or_about_to_be(patient.pk):
        raise Conflict(_("It was asked for already."))
    request = ErasureRequest.objects.create(patient=patient, reason=reason.strip()[:240], requested_by=actor)
    _record(actor, AuditAction.CREATED, request)
    return request


@transaction.atomic
def approve_erasure(*, actor: User, request_id: int) -> Job:
    """Agree as a second person, and let a worker erase.

    Raises PermissionDenied, Conflict when it was decided already, Refused for the one who asked for it, while
    something stands in the way, and where a hold keeps everything.
    """
    request = _decidable(actor, request_id, {ErasureStatus.REQUESTED, ErasureStatus.HELD})
    ids = duties.records_of(request.patient)
    _refuse_obstacles(ids)
    if set(DataClass.values) <= held_classes(ids):
        raise Refused(_("A legal hold keeps everything of this patient."))
    request.decided_by = actor
    request.approve()
    request.save()
    _record(actor, AuditAction.CHANGED, request, approved=True)
    title = _("Erasure, request %(number)s") % {"number": request.pk}
    return start(owner=actor, kind=KIND, title=title, items=[request.pk])


@transaction.atomic
def decline_erasure(*, actor: User, request_id: int, why: str) -> ErasureRequest:
    """Say no as a second person. Raises as `approve_erasure`, and ValidationError at `why`."""
    request = _decidable(actor, request_id, {ErasureStatus.REQUESTED})
    if not why.strip():
        raise ValidationError({"why": _("Say why not; the patient has a right to know.")})
    request.decided_by = actor
    request.decline(why.strip()[:240])
    request.save()
    _record(actor, AuditAction.CHANGED, request, approved=False)
    return request


def _decidable(actor: User, request_id: int, statuses: set[ErasureStatus]) -> ErasureRequest:
    if not policies.can_oversee_privacy(actor):
        raise PermissionDenied
    request: ErasureRequest = (
        ErasureRequest.objects.select_for_update(of=("self",)).select_related("patient").get(pk=request_id)
    )
    if request.status not in statuses:
        raise Conflict(_("Somebody has decided this already."))
    if request.requested_by_id == actor.pk:
        raise Refused(_("Somebody else has to decide: you asked for it."))
    return request


def _refuse_obstacles(ids: Collection[int]) -> None:
    if found := duties.obstacles_of(ids):
        raise Refused(" ".join(found))


def do_item(job: Job, request_id: int) -> None:
    """Erase what one approved request names, in the caller's transaction. Raises Refused when something hinders."""
    request = ErasureRequest.objects.select_for_update(of=("self",)).select_related("patient").get(pk=request_id)
    if request.status != ErasureStatus.APPROVED:
        raise Refused(_("This request is not approved any more."))
    ids = duties.records_of(request.patient)
    _refuse_obstacles(ids)
    kept = held_classes(ids)
    list(Patient.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    request.counts = erase_rows(ids, kept)
    request.kept_classes = sorted(kept)
    if kept:
        request.hold()
    else:
        request.finish()
    request.save(update_fields=["status", "counts", "kept_classes", "finished_at", "updated_at"])
    _record(job.owner, AuditAction.DELETED, request, kept=sorted(kept), records=ids)
    signals.announce(signals.patient_changed, patient_id=request.patient_id)


def erase_rows(ids: Collection[int], kept: Collection[str] = ()) -> dict[str, int]:
    """Erase all that was declared of these records but for the classes kept; how many rows, by table.

    Rows that statistics count stay, without what they said. Files go after the commit, those that others share stay.
    """
    counts: dict[str, int] = {}
    names: list[str] = []
    for beside in duties.besides():
        if beside.erase is not None and beside.data_class not in kept:
            counts[beside.key] = beside.erase(ids)
    for table in duties.tables():
        if table.data_class not in kept and (table.scrub is None or table.scrub):
            counts[table.model] = take_away(table, table.of(ids), names)
    transaction.on_commit(lambda: delete_files(names))
    return {name: count for name, count in counts.items() if count}


def take_away(table: duties.Table, rows: models.QuerySet[Any], names: list[str]) -> int:
    """Delete these rows or empty them, as their table is declared; adds the names of their files. Returns how many."""
    pks = list(rows.values_list("pk", flat=True))
    same = table.rows.filter(pk__in=pks)
    for field in table.file_fields():
        names += [name for name in same.exclude(**{field: ""}).values_list(field, flat=True) if name]
    if table.scrub is None:
        same.delete()
    else:
        same.update(**table.scrub)
    return len(pks)


def delete_files(names: Collection[str]) -> None:
    """Delete these files from the store, but for those that some row still has."""
    for name in sorted(set(names)):
        if not any(model._base_manager.filter(**{field: name}).exists() for model, field in _file_fields()):
            default_storage.delete(name)


def _file_fields() -> list[tuple[Any, str]]:
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.FileField)
    ]


def _record(actor: User, action: AuditAction, request: ErasureRequest, **detail: Any) -> None:
    record(
        actor=actor, action=action, object_type="erasure_request", object_id=request.pk,
        patient_id=request.patient_id, **detail,
    )  # fmt: skip
