"""Canned replies are kept here: who may keep which, and what stands in them."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import Team, User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.common.versions import refuse_unseen
from inbox.models import CannedReply, Macro
from inbox.policies import can_keep_text
from inbox.selectors.canned import get_text_for, teams_led_by, unknown_variables


def keep_canned_reply(
    *,
    actor: User,
    title: str,
    shortcode: str,
    body: str,
    language: str = "",
    channel_kinds: list[str] | None = None,
    team: Team | None = None,
    owner: User | None = None,
    reply_id: int | None = None,
    seen_version: str | None = None,
) -> CannedReply:
    """Make a canned reply, or change the one with `reply_id`. Without team and owner it is everybody's.

    Raises Refused for a variable nobody knows, a shortcode that is taken there, and where the actor may not keep it;
    Unseen when it is not the version that was seen (`common.versions`); CannedReply.DoesNotExist for one they may not
    change.
    """
    if unknown := unknown_variables(body):
        raise Refused(_("There is no variable %(names)s.") % {"names": ", ".join(unknown)})
    with transaction.atomic():
        row = CannedReply() if reply_id is None else locked_text(actor, CannedReply, reply_id)
        refuse_unseen(row, seen_version)
        row.title, row.shortcode, row.body = title, shortcode, body.replace("\x00", "").strip()
        row.language, row.channel_kinds = language, channel_kinds or []
        row.team, row.owner = team, owner
        save_text(actor, row, _("Another reply has this shortcode in this language."))
        return row


def switch_text(*, actor: User, model: type[CannedReply] | type[Macro], text_id: int, is_active: bool) -> Any:
    """Offer a canned reply or macro again, or no longer. Raises the model's DoesNotExist."""
    with transaction.atomic():
        row = locked_text(actor, model, text_id)
        row.is_active = is_active
        save_text(actor, row, "")
        return row


def locked_text(actor: User, model: type[CannedReply] | type[Macro], text_id: int) -> Any:
    """The row that `actor` may change, locked until the transaction ends. Raises the model's DoesNotExist."""
    get_text_for(actor, model, text_id)
    return model._default_manager.select_for_update().get(pk=text_id)


def save_text(actor: User, row: CannedReply | Macro, taken: str) -> None:
    """Save and record. Raises Refused with `taken` when the name is there already, or where `actor` may not keep it."""
    if not can_keep_text(actor, row, teams_led_by(actor)):
        raise Refused(_("You may keep texts for yourself and for teams you lead."))
    action = AuditAction.CHANGED if row.pk else AuditAction.CREATED
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Refused(taken) from error
    record(actor=actor, action=action, object_type=row._meta.model_name or "", object_id=row.pk)
