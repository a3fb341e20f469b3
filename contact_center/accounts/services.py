"""Changing people and their access. Every verb leaves its audit entry in the same transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from contact_center.accounts import signals
from contact_center.accounts.enums import Action, PresenceState, Role
from contact_center.accounts.models import ApiKey, Presence, PresenceChange, Team, TeamMembership, User
from contact_center.accounts.policies import SCOPES, can, default_scopes
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused

SERVICE_DOMAIN = "service.invalid"


def _allowed(actor: User | None, action: Action) -> None:
    if actor is not None and not can(actor, action):
        raise PermissionDenied


@transaction.atomic
def create_user(
    *,
    actor: User | None,
    email: str,
    role: str,
    first_name: str = "",
    last_name: str = "",
    language: str = "en",
    teams: Iterable[Team] = (),
    password: str | None = None,
    is_service_account: bool = False,
) -> User:
    """A new person. Without `password` they choose their own through “Forgot it?” on the sign-in page.

    `actor` None stands for the system. Raises ValidationError at `email` or `role`, PermissionDenied.
    """
    _allowed(actor, Action.CONFIGURE)
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValidationError({"email": error.messages}) from None
    if role not in Role.values:
        raise ValidationError({"role": _("Choose a role.")})
    if User.objects.filter(email__iexact=address).exists():
        raise ValidationError({"email": _("Somebody has this address already.")})
    user = User.objects.create_user(
        address,
        password,
        role=role,
        is_staff=role == Role.ADMIN,
        first_name=first_name.strip(),
        last_name=last_name.strip(),
        language=language,
        is_service_account=is_service_account,
    )
    TeamMembership.objects.bulk_create(TeamMembership(user=user, team=team) for team in teams)
    _record(actor, AuditAction.CREATED, user, role=str(role))
    return user


@transaction.atomic
def update_user(*, actor: User | None, user_id: int, **fields: str) -> User:
    """Set `first_name`, `last_name`, `language` or `email`. Raises ValidationError (by field), PermissionDenied."""
    _allowed(actor, Action.CONFIGURE)
    unknown = set(fields) - {"first_name", "last_name", "language", "email"}
    if unknown:
        raise TypeError(f"not to be set here: {sorted(unknown)}")
    user = _locked(user_id)
    if "email" in fields:
        fields["email"] = fields["email"].strip().lower()
    changed = sorted(name for name, value in fields.items() if getattr(user, name) != value)
    for name in changed:
        setattr(user, name, fields[name])
    if changed:
        user.full_clean(exclude=["password"])
        user.save(update_fields=changed)
        _record(actor, AuditAction.CHANGED, user, fields=changed)
    return user


@transaction.atomic
def choose_language(*, actor: User, language: str) -> User:
    """Let a person have their pages in one of `settings.LANGUAGES`. Raises Refused for any other."""
    if language not in dict(settings.LANGUAGES):
        raise Refused(_("Choose one of the languages on offer."))
    user = _locked(actor.pk)
    if user.language != language:
        user.language = language
        user.save(update_fields=["language"])
        _record(actor, AuditAction.CHANGED, user, fields=["language"])
    return user


@transaction.atomic
def change_role(*, actor: User | None, user_id: int, role: str) -> User:
    """Give a person another role; they have to sign in again. Raises Refused for the last admin, PermissionDenied."""
    _allowed(actor, Action.CONFIGURE)
    if role not in Role.values:
        raise ValidationError({"role": _("Choose a role.")})
    user = _locked(user_id)
    if user.role == role:
        return user
    _keep_one_admin(user)
    before, user.role, user.is_staff = user.role, role, role == Role.ADMIN
    user.save(update_fields=["role", "is_staff"])
    end_sessions(user)
    _record(actor, AuditAction.CHANGED, user, fields=["role"], before=before, after=str(role))
    return user


@transaction.atomic
def change_teams(*, actor: User | None, user_id: int, teams: Iterable[Team]) -> None:
    """Put a person into exactly these teams; what they have open is checked again. Raises PermissionDenied."""
    _allowed(actor, Action.CONFIGURE)
    user, wanted = _locked(user_id), {team.pk for team in teams}
    present = set(user.memberships.values_list("team_id", flat=True))
    user.memberships.exclude(team_id__in=wanted).delete()
    TeamMembership.objects.bulk_create(TeamMembership(user=user, team_id=pk) for pk in sorted(wanted - present))
    if wanted != present:
        _record(actor, AuditAction.CHANGED, user, fields=["teams"], before=sorted(present), after=sorted(wanted))
        signals.announce(signals.access_changed, user_id=user.pk)


@transaction.atomic
def disable_user(*, actor: User | None, user_id: int) -> User:
    """Shut a person out at once: sessions and API keys end, sockets are told. Their history stays.

    Raises Refused for the last admin, PermissionDenied.
    """
    _allowed(actor, Action.CONFIGURE)
    user = _locked(user_id)
    _keep_one_admin(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    ApiKey.objects.filter(user=user).delete()
    end_sessions(user)
    _note_presence(user, PresenceState.OFFLINE, "")
    signals.announce(signals.user_disabled, user_id=user.pk)
    _record(actor, AuditAction.CHANGED, user, fields=["is_active"], after=False)
    return user


@transaction.atomic
def enable_user(*, actor: User | None, user_id: int) -> User:
    """Let a disabled person sign in again. Raises PermissionDenied."""
    _allowed(actor, Action.CONFIGURE)
    user = _locked(user_id)
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        _record(actor, AuditAction.CHANGED, user, fields=["is_active"], after=True)
    return user


def end_sessions(user: User) -> int:
    """Sign a person out everywhere; returns how many sessions ended. Must run in a transaction.

    Reads every live session, because a session knows its user and no index does; meant for rare acts of an admin.
    """
    live = Session.objects.filter(expire_date__gt=timezone.now()).iterator()
    keys = [session.pk for session in live if session.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=keys).delete()
    UserSession.objects.filter(user=user).delete()
    signals.announce(signals.access_changed, user_id=user.pk)
    return len(keys)


def _keep_one_admin(user: User) -> None:
    if user.role != Role.ADMIN or not user.is_active:
        return
    admins = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True, is_service_account=False)
    if {admin.pk for admin in admins.order_by("pk")} == {user.pk}:
        raise Refused(_("This is the last admin. Make somebody else an admin first."))


@transaction.atomic
def set_presence(*, user: User, state: str, reason: str = "") -> Presence:
    """Say what a person is doing now and keep it in the history; the same state and reason again changes nothing.

    Raises ValidationError at `state`.
    """
    if state not in PresenceState.values:
        raise ValidationError({"state": _("Choose a state.")})
    return _note_presence(user, state, reason.strip()[:80])


def _note_presence(user: User, state: str, reason: str) -> Presence:
    Presence.objects.get_or_create(user=user)
    presence = Presence.objects.select_for_update().get(user=user)
    if (presence.state, presence.reason) != (state, reason):
        now = timezone.now()
        presence.state, presence.reason, presence.since_at = state, reason, now
        presence.save()
        PresenceChange.objects.create(user=user, state=state, reason=reason, at=now)
        signals.announce(signals.presence_changed, user_id=user.pk)
    return presence


@transaction.atomic
def create_api_key(
    *,
    actor: User | None,
    name: str,
    role: str,
    scopes: Sequence[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A key for one integration, with a user of its own in that role. The key's text is returned once and never kept.

    `scopes` (`patients:read`, …) narrow the role; None takes all that the role allows. Raises ValidationError at
    `name`, `role` or `scopes`, PermissionDenied.
    """
    _allowed(actor, Action.MANAGE_API_KEYS)
    if not name.strip():
        raise ValidationError({"name": _("Give the key a name that says who uses it.")})
    if role not in Role.values:
        raise ValidationError({"role": _("Choose one of: %(roles)s.") % {"roles": ", ".join(Role.values)}})
    wanted = list(default_scopes(Role(role)) if scopes is None else dict.fromkeys(scopes))
    beyond = [scope for scope in wanted if scope not in default_scopes(Role(role))]
    if beyond:
        words = {"beyond": ", ".join(beyond), "all": ", ".join(SCOPES)}
        raise ValidationError({"scopes": _("Not allowed for this role: %(beyond)s. All scopes: %(all)s.") % words})
    address = f"{slugify(name)[:40] or 'key'}-{get_random_string(8).lower()}@{SERVICE_DOMAIN}"
    user = create_user(actor=None, email=address, role=role, first_name=name.strip()[:80], is_service_account=True)
    key, text = ApiKey.objects.create(user=user, name=name.strip()[:80], scopes=wanted)
    if expires_at is not None:
        key.expiry = expires_at
        key.save(update_fields=["expiry"])
    _record(actor, AuditAction.CREATED, user, api_key=True, scopes=wanted)
    return key, text


@transaction.atomic
def revoke_api_key(*, actor: User | None, key: ApiKey) -> None:
    """End a key at once and shut out its user. Raises PermissionDenied."""
    _allowed(actor, Action.MANAGE_API_KEYS)
    user = key.user
    ApiKey.objects.filter(pk=key.pk).delete()
    if user.is_service_account and not ApiKey.objects.filter(user=user).exists():
        user.is_active = False
        user.save(update_fields=["is_active"])
    _record(actor, AuditAction.DELETED, user, api_key=True)


def _locked(user_id: int) -> User:
    return User.objects.select_for_update().get(pk=user_id)


def _record(actor: User | None, action: AuditAction, user: User, **detail: Any) -> None:
    record(actor=actor, action=action, object_type="user", object_id=user.pk, **detail)
