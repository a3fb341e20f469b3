"""Second factors, locked screens and sessions: who needs what, and ending it. Every verb leaves its audit entry."""

import time
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from contact_center.accounts import signals
from contact_center.accounts.enums import Action, Role
from contact_center.accounts.models import SecondFactorRule, User
from contact_center.accounts.policies import can
from contact_center.accounts.services import end_sessions
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused

RULES_KEPT_SECONDS = 10.0
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
LOCKED, UNLOCK_TRIES = "session_locked", "session_unlock_tries"
MOST_UNLOCK_TRIES = 5

_rules: tuple[float, dict[str, bool]] = (0.0, {})


@dataclass(frozen=True, slots=True)
class RoleRule:
    """What one role needs, and how many of its people have it."""

    role: Role
    is_required: bool
    people: int
    protected: int


def forget_rules() -> None:
    """Read the rules anew at the next question."""
    global _rules
    _rules = (0.0, {})


def is_required_of(role: str) -> bool:
    """Whether people of this role need a second factor. A changed rule is seen by every process within 10 seconds."""
    global _rules
    read_at, rules = _rules
    if time.monotonic() - read_at > RULES_KEPT_SECONDS or not read_at:
        rules = dict(SecondFactorRule.objects.values_list("role", "is_required"))
        _rules = (time.monotonic(), rules)
    return rules.get(role, settings.SECOND_FACTOR_REQUIRED)


def lacks_second_factor(user: User) -> bool:
    """True for a person who needs a second factor and has none yet; they may only set one up."""
    if user.is_service_account or not is_required_of(user.role):
        return False
    known: bool | None = getattr(user, "has_second_factor", None)  # a session's person comes with it
    return not (with_second_factor().filter(pk=user.pk).exists() if known is None else known)


def with_second_factor() -> QuerySet[User]:
    """Everybody who has one."""
    return User.objects.filter(has_factor())


def has_factor() -> Exists:
    """The condition of having a second factor, for questions about people."""
    return Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS))


def rules_for(actor: User) -> list[RoleRule]:
    """The table of roles for the admin page. Raises PermissionDenied."""
    _allowed(actor)
    forget_rules()
    people = User.objects.filter(is_active=True, is_service_account=False).annotate(has_factor=has_factor())
    found = list(people.values_list("role", "has_factor"))
    return [
        RoleRule(
            role,
            is_required_of(role),
            sum(1 for name, _has in found if name == role),
            sum(1 for name, has in found if name == role and has),
        )
        for role in Role
    ]


def protected_people(actor: User) -> QuerySet[User]:
    """People who have a second factor, by name. Raises PermissionDenied."""
    _allowed(actor)
    return with_second_factor().filter(is_active=True).order_by("first_name", "last_name", "pk")


@transaction.atomic
def set_rule(*, actor: User, role: str, is_required: bool) -> None:
    """Say whether a role needs a second factor; holds at once, also for those signed in.

    Raises PermissionDenied, Refused for an unknown role.
    """
    _allowed(actor)
    if role not in Role.values:
        raise Refused(_("Choose a role."))
    SecondFactorRule.objects.update_or_create(role=role, defaults={"is_required": is_required})
    record(actor=actor, action=AuditAction.CHANGED, object_type="second_factor_rule", role=str(role), after=is_required)
    forget_rules()
    transaction.on_commit(forget_rules)


@transaction.atomic
def reset_second_factor(*, actor: User, user_id: int) -> None:
    """Take a person's second factors away (a lost phone) and sign them out; they set up a new one when they come back.

    Raises PermissionDenied, User.DoesNotExist, Refused for oneself.
    """
    _allowed(actor)
    user = User.objects.select_for_update().get(pk=user_id)
    if user == actor:
        raise Refused(_("Change your own second factor on its page. Another admin can take it away."))
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    note_second_factor(actor=actor, user=user, what="reset")


def note_second_factor(*, actor: User | None, user: User, what: str) -> None:
    """Leave the entry of a second factor `added`, `removed`, `reset` or `refused`, in a transaction of its own."""
    with transaction.atomic():
        record(
            actor=actor, action=AuditAction.CHANGED, object_type="user", object_id=user.pk,
            fields=["second_factor"], what=what,
        )  # fmt: skip


@transaction.atomic
def end_other_sessions(user: User, keep: str | None) -> int:
    """Sign a person out everywhere but in the session with key `keep`; returns how many sessions ended."""
    others = list(UserSession.objects.filter(user=user).exclude(session_key=keep or ""))
    Session.objects.filter(pk__in=[row.session_key for row in others]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in others]).delete()
    signals.announce(signals.access_changed, user_id=user.pk)
    return len(others)


@transaction.atomic
def end_session(*, actor: User, session_id: int) -> None:
    """End one of one's own sessions. Raises UserSession.DoesNotExist."""
    row = UserSession.objects.select_for_update().get(user=actor, pk=session_id)
    Session.objects.filter(pk=row.session_key).delete()
    row.delete()
    record(actor=actor, action=AuditAction.SIGNED_OUT, object_type="user", object_id=actor.pk, elsewhere=True)
    signals.announce(signals.access_changed, user_id=actor.pk)


# ---- the locked screen ----


def lock(session: SessionBase) -> None:
    """Lock a session: it answers nothing but its lock until the password is given."""
    session[LOCKED] = True


def is_locked(session: SessionBase) -> bool:
    return bool(session.get(LOCKED))


def unlock(request: HttpRequest, password: str) -> bool:
    """Open a locked session with its person's password; False when it was wrong.

    A failure counts as a failed sign-in. After five the session must be ended by the caller (`tries_left`).
    """
    user: Any = request.user
    if authenticate(request, username=user.email, email=user.email, password=password) == user:
        request.session.pop(LOCKED, None)
        request.session.pop(UNLOCK_TRIES, None)
        return True
    request.session[UNLOCK_TRIES] = request.session.get(UNLOCK_TRIES, 0) + 1
    return False


def tries_left(session: SessionBase) -> int:
    """How many wrong passwords the lock still takes."""
    return max(0, MOST_UNLOCK_TRIES - int(session.get(UNLOCK_TRIES, 0)))


def _allowed(actor: User) -> None:
    if not can(actor, Action.CONFIGURE):
        raise PermissionDenied
