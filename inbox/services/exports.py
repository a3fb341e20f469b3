"""A view of the inbox as a table in a file: only what its owner may see when it is written, and on record."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.jobs.models import Job
from contact_center.jobs.services import MOST_ITEMS, start
from inbox.models import Interaction
from inbox.policies import can_export
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.notifications import person_name
from inbox.selectors.shown import rows_of_look

KIND = "export"
CHUNK = 500


def start_export(*, actor: User, look: str, total: int) -> Job:
    """A job that writes the rows of `look` (the query of the list's address, without a search) to a file.

    At most 20,000 rows. Raises Refused for those who may not export and for an empty list.
    """
    if not can_export(actor):
        raise Refused(_("You may not export."))
    if not total:
        raise Refused(_("There is nothing to export."))
    return start(owner=actor, kind=KIND, title=_("Export of a view"), parameters={"look": look}, total=total)


def write(job: Job) -> Iterator[list[Any]]:
    """Head and rows of an export, with its owner's rights of now. Raises Refused where they may not any more."""
    if not can_export(job.owner):
        raise Refused(_("You may not export."))
    found = rows_of_look(job.owner, job.parameters["look"])
    whole = interactions_visible_to(job.owner).prefetch_related("tags")
    whole = whole.select_related("patient", "queue", "owner", "reason", "disposition", "channel")
    yield [
        _("Number"), _("Opened"), _("Channel"), _("Queue"), _("Status"), _("Priority"), _("Owner"), _("Name"),
        _("Record number"), _("Language"), _("Reason"), _("Tags"), _("Waiting since"), _("First reply"),
        _("Last message"), _("Closed"), _("Outcome"), _("Next step"), _("Due"),
    ]  # fmt: skip
    ids = list(found.values_list("pk", flat=True)[:MOST_ITEMS])
    with transaction.atomic():
        record(
            actor=job.owner, action=AuditAction.EXPORTED, object_type="interaction", job=job.pk, count=len(ids),
            look=job.parameters["look"],
        )  # fmt: skip
    for begin in range(0, len(ids), CHUNK):
        part = {row.pk: row for row in whole.filter(pk__in=ids[begin : begin + CHUNK])}
        for pk in ids[begin : begin + CHUNK]:
            if pk in part:
                yield _cells(part[pk])


def _cells(row: Interaction) -> list[Any]:
    return [
        row.pk, _moment(row.opened_at), row.channel.name, row.queue.name, row.get_status_display(),
        row.get_priority_display(), row.owner or "", person_name(row), row.patient.mrn if row.patient else "",
        row.language, row.reason or "", ", ".join(tag.name for tag in row.tags.all()), _moment(row.waiting_since_at),
        _moment(row.first_reply_at), _moment(row.last_message_at), _moment(row.closed_at), row.disposition or "",
        row.next_step, row.next_step_date or "",
    ]  # fmt: skip


def _moment(at: Any) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M") if at else ""
