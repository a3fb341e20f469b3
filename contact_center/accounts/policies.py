"""The one permission table: role × action. Object rules of the apps build on `can`."""

from contact_center.accounts.enums import Action, Role
from contact_center.accounts.models import User

_WORK = {Action.WORK_INBOX}
_CARE = _WORK | {
    Action.EDIT_PATIENTS,
    Action.VIEW_SENSITIVE,
    Action.BREAK_GLASS,
    Action.BOOK_VISITS,
    Action.REGISTER_COMPLAINTS,
}
_LEAD = _CARE | {
    Action.SERVE_PROTECTED,
    Action.MERGE_PATIENTS,
    Action.HANDLE_PRIVACY,
    Action.IMPORT_PATIENTS,
    Action.VIEW_ALL_QUEUES,
    Action.ASSIGN_OTHERS,
    Action.HANDLE_COMPLAINTS,
    Action.VIEW_LEDGER,
    Action.RETRY_LEDGER,
    Action.VIEW_OUTBOX,
    Action.RETRY_OUTBOX,
    Action.LISTEN_RECORDINGS,
    Action.SUPERVISE_CALLS,
}

ROLE_ACTIONS: dict[Role, frozenset[Action]] = {
    Role.PARTNER_AGENT: frozenset(_WORK),
    Role.AGENT: frozenset(_CARE | {Action.VIEW_OUTBOX, Action.VIEW_LEDGER}),
    Role.CLINICAL_AGENT: frozenset(_CARE | {Action.VIEW_OUTBOX, Action.VIEW_LEDGER}),
    Role.SUPERVISOR: frozenset(_LEAD),
    Role.ADMIN: frozenset(
        _LEAD | {Action.CONFIGURE, Action.MANAGE_API_KEYS, Action.VIEW_AUDIT, Action.OVERSEE_PRIVACY}
    ),
    Role.AUDITOR: frozenset({Action.VIEW_AUDIT, Action.VIEW_LEDGER, Action.VIEW_OUTBOX, Action.OVERSEE_PRIVACY}),
}

SCOPES: dict[str, Action] = {
    "patients:read": Action.WORK_INBOX,
    "patients:write": Action.EDIT_PATIENTS,
    "interactions:read": Action.WORK_INBOX,
    "interactions:write": Action.WORK_INBOX,
    "messages:read": Action.WORK_INBOX,
    "messages:write": Action.WORK_INBOX,
    "cases:read": Action.WORK_INBOX,
    "cases:write": Action.WORK_INBOX,
    "visits:read": Action.BOOK_VISITS,
    "visits:write": Action.BOOK_VISITS,
    "complaints:read": Action.REGISTER_COMPLAINTS,
    "channels:read": Action.WORK_INBOX,
    "ledger:read": Action.VIEW_LEDGER,
    "ledger:write": Action.RETRY_LEDGER,
    "outbox:read": Action.VIEW_OUTBOX,
    "outbox:write": Action.RETRY_OUTBOX,
}
"""What an API key may carry, and the action its user's role must have for it."""


def can(user: User, action: Action) -> bool:
    """True when `user` is active and their role carries `action`. Never raises; anonymous people may nothing."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return False
    return action in ROLE_ACTIONS.get(Role(user.role), frozenset())


def default_scopes(role: Role) -> tuple[str, ...]:
    """Every scope that this role can use."""
    return tuple(scope for scope, action in SCOPES.items() if action in ROLE_ACTIONS[role])


def roles_that_may(action: Action) -> list[Role]:
    """Every role that carries `action`."""
    return [role for role, actions in ROLE_ACTIONS.items() if action in actions]
