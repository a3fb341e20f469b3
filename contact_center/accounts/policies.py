"""The one permission table: role × action. Object rules of the apps build on `can`."""

from contact_center.accounts.enums import Action, Role
from contact_center.accounts.models import User

_WORK = {Action.WORK_INBOX}
_CARE = _WORK | {Action.EDIT_PATIENTS, Action.VIEW_SENSITIVE}
_LEAD = _CARE | {
    Action.VIEW_ALL_QUEUES,
    Action.ASSIGN_OTHERS,
    Action.VIEW_LEDGER,
    Action.RETRY_LEDGER,
    Action.VIEW_OUTBOX,
    Action.RETRY_OUTBOX,
}

ROLE_ACTIONS: dict[Role, frozenset[Action]] = {
    Role.PARTNER_AGENT: frozenset(_WORK),
    Role.AGENT: frozenset(_CARE | {Action.VIEW_OUTBOX, Action.VIEW_LEDGER}),
    Role.CLINICAL_AGENT: frozenset(_CARE | {Action.VIEW_OUTBOX, Action.VIEW_LEDGER}),
    Role.SUPERVISOR: frozenset(_LEAD),
    Role.ADMIN: frozenset(_LEAD | {Action.CONFIGURE, Action.MANAGE_API_KEYS, Action.VIEW_AUDIT}),
    Role.AUDITOR: frozenset({Action.VIEW_AUDIT, Action.VIEW_LEDGER, Action.VIEW_OUTBOX}),
}


def can(user: User, action: Action) -> bool:
    """True when `user` is active and their role carries `action`. Never raises; anonymous people may nothing."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return False
    return action in ROLE_ACTIONS.get(Role(user.role), frozenset())
