"""Saved views: keep, change, take away, bring back. What they show is decided for each person anew."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import Team, User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.versions import refuse_unseen
from inbox.models import SavedView
from inbox.policies import can_edit_view, can_share_views
from inbox.selectors.conditions import Conditions
from inbox.selectors.lists import DUE, ORDERS
from inbox.selectors.pane import MOST_SAVED, get_saved_view_for

MINE, EVERYBODY = "me", "everybody"


def save_view(*, actor: User, name: str, conditions: Conditions, order: str = DUE, audience: str = MINE) -> SavedView:
    """Keep conditions under a name: for oneself (`me`), a team (`team-<id>`) or `everybody`.

    Raises Refused without conditions, beyond MOST_SAVED of one's own, or where the actor may not share; Conflict for
    a name that is taken.
    """
    view = SavedView(created_by=actor)
    with transaction.atomic():
        if audience == MINE and SavedView.objects.filter(owner=actor).count() >= MOST_SAVED:
            raise Refused(_("You have %(n)s saved views. Delete one first.") % {"n": MOST_SAVED})
        _write(view, actor, name, conditions, order, audience)
        _trace(actor, AuditAction.CREATED, view)
    return view


def change_view(
    *,
    actor: User,
    view_id: int,
    name: str,
    conditions: Conditions,
    order: str = DUE,
    audience: str = MINE,
    seen_version: str | None = None,
) -> SavedView:
    """Change everything of a view. Raises SavedView.DoesNotExist, PermissionDenied, what `save_view` raises, and Unseen
    when it is not the version that was seen (`common.versions`)."""
    with transaction.atomic():
        view = _locked(actor, view_id)
        refuse_unseen(view, seen_version)
        _write(view, actor, name, conditions, order, audience)
        _trace(actor, AuditAction.CHANGED, view)
    return view


def delete_view(*, actor: User, view_id: int) -> dict[str, Any]:
    """Take a view away; returns what `restore_view` brings it back from.

    Raises DoesNotExist, PermissionDenied, and Conflict when somebody else did so at the same moment.
    """
    with transaction.atomic():
        view = _locked(actor, view_id)
        kept = {
            "name": view.name,
            "conditions": view.conditions,
            "order": view.order,
            "owner": view.owner_id,
            "team": view.team_id,
            "position": view.position,
        }
        _trace(actor, AuditAction.DELETED, view)
        view.delete()
    return kept


def restore_view(*, actor: User, kept: dict[str, Any]) -> SavedView:
    """Bring back what `delete_view` took away. Raises PermissionDenied, and Conflict when its name is taken again or
    its team is gone."""
    view = SavedView(
        name=kept["name"],
        conditions=kept["conditions"],
        order=kept["order"],
        owner_id=kept["owner"],
        team_id=kept["team"],
        position=kept["position"],
        created_by=actor,
    )
    if not can_edit_view(actor, view):
        raise PermissionDenied
    with transaction.atomic():
        if view.team_id and not Team.objects.filter(pk=view.team_id).exists():
            raise Conflict(_("The team of this view is no longer there."))
        _keep(view)
        _trace(actor, AuditAction.CREATED, view)
    return view


def _locked(actor: User, view_id: int) -> SavedView:
    get_saved_view_for(actor, view_id)
    view = SavedView.objects.select_for_update(of=("self",)).filter(pk=view_id).first()
    if view is None:
        raise Conflict(_("Somebody has deleted this view meanwhile."))
    if not can_edit_view(actor, view):
        raise PermissionDenied
    return view


def _write(view: SavedView, actor: User, name: str, conditions: Conditions, order: str, audience: str) -> None:
    if not conditions:
        raise Refused(_("Choose at least one condition."))
    view.name = " ".join(name.split())[:60]
    if not view.name:
        raise Refused(_("Give the view a name."))
    view.conditions, view.order = conditions.stored(), order if order in ORDERS else DUE
    view.owner, view.team = _audience(actor, audience)
    _keep(view)


def _audience(actor: User, audience: str) -> tuple[User | None, Team | None]:
    if audience in ("", MINE):
        return actor, None
    if not can_share_views(actor):
        raise Refused(_("Only supervisors save views for others."))
    if audience == EVERYBODY:
        return None, None
    number = audience.removeprefix("team-")
    team = Team.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if team is None:
        raise Refused(_("Choose who has this view."))
    return None, team


def _keep(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise Conflict(_("There is a view of this name already.")) from None


def _trace(actor: User, action: AuditAction, view: SavedView) -> None:
    record(
        actor=actor,
        action=action,
        object_type="saved_view",
        object_id=view.pk,
        owner_id=view.owner_id,
        team_id=view.team_id,
        conditions=view.conditions,
    )
