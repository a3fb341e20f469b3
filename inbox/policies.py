"""Who may do what with an interaction. Pure: no query beyond what the object carries."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action, Role
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from inbox.enums import TALKING, CallStatus, Direction, InteractionStatus
from inbox.models import Call, CannedReply, Case, Interaction, Macro, Reason, SavedView
from patients.models import Patient


def can_work(user: User, interaction: Interaction) -> bool:
    """May answer, note and take it; visibility is the selectors' business."""
    return can(user, Action.WORK_INBOX)


def can_take(user: User, interaction: Interaction) -> bool:
    """May become owner: a free one, one's own, or any when allowed to assign others."""
    is_free = interaction.owner_id in (None, user.pk)
    return can_work(user, interaction) and (is_free or can(user, Action.ASSIGN_OTHERS))


def can_assign(user: User, interaction: Interaction) -> bool:
    """May hand it to somebody else: its owner, or a supervisor."""
    return can_work(user, interaction) and (interaction.owner_id == user.pk or can(user, Action.ASSIGN_OTHERS))


def can_work_case(user: User, case: Case) -> bool:
    """May change a case; visibility is the selectors' business."""
    return can(user, Action.WORK_INBOX)


def can_assign_case(user: User, case: Case, owner: User | None) -> bool:
    """May make somebody responsible: its owner or a supervisor anybody, others themselves when nobody is."""
    is_theirs = case.owner_id == user.pk or can(user, Action.ASSIGN_OTHERS)
    takes_it = case.owner_id is None and owner is not None and owner.pk == user.pk
    return can_work_case(user, case) and (is_theirs or takes_it)


def can_supervise(user: User, call: Call) -> bool:
    """May listen to a call, speak to its agent alone, join: not one's own; visibility is the selectors' business."""
    return can(user, Action.SUPERVISE_CALLS) and call.agent_id != user.pk


def may_be_machine(user: User, call: Call, interaction: Interaction) -> bool:
    """May say that a machine answered this call of ours: on the line, and afterwards while they wrap it up."""
    is_wrapped_up = call.status == CallStatus.COMPLETED and interaction.status == InteractionStatus.WRAP_UP
    is_theirs = call.agent_id == user.pk and call.direction == Direction.OUTBOUND
    return is_theirs and (call.status in TALKING or (is_wrapped_up and interaction.owner_id == user.pk))


def can_listen(user: User) -> bool:
    """May listen to recordings of calls and read what was said; visibility is the selectors' business."""
    return can(user, Action.LISTEN_RECORDINGS)


def can_search_patients(user: User) -> bool:
    """May look for anybody. Partner agents only pick among those with the address of the conversation."""
    return can(user, Action.WORK_INBOX) and user.role != Role.PARTNER_AGENT


def can_start(user: User, patient: Patient | None) -> bool:
    """May write first: to a patient they may see, and to any address. Partner agents only to the former."""
    return can(user, Action.WORK_INBOX) and (patient is not None or can_search_patients(user))


def can_handle_message(user: User, interaction: Interaction) -> bool:
    """May send a failed message again or take a waiting one back: the owner, whoever may take it, or operations."""
    return can(user, Action.RETRY_OUTBOX) or can_take(user, interaction)


def can_use_reason(user: User, reason: Reason) -> bool:
    """May say that this is the reason: one in use, a sensitive one only for those who may see such."""
    return (
        can(user, Action.WORK_INBOX)
        and reason.is_active
        and (not reason.is_sensitive or can(user, Action.VIEW_SENSITIVE))
    )


def can_share_texts(user: User) -> bool:
    """May keep canned replies and macros for everybody and for any team."""
    return can(user, Action.ASSIGN_OTHERS)


def can_keep_text(user: User, text: CannedReply | Macro, led_teams: Collection[int]) -> bool:
    """May change a canned reply or macro: one's own, those of a team one leads, all others with the right to share."""
    if not can(user, Action.WORK_INBOX):
        return False
    if text.owner_id is not None:
        return text.owner_id == user.pk
    return text.team_id in led_teams or can_share_texts(user)


def can_be_mentioned(user: User, interaction: Interaction) -> bool:
    """A note there may name this colleague: they work the inbox, and a sensitive matter or patient is theirs to see."""
    case_reason = interaction.case.reason if interaction.case else None
    is_sensitive = any(reason is not None and reason.is_sensitive for reason in (interaction.reason, case_reason))
    is_protected = interaction.patient is not None and interaction.patient.is_sensitive
    return (
        can(user, Action.WORK_INBOX)
        and (can(user, Action.VIEW_SENSITIVE) or not is_sensitive)
        and (can(user, Action.SERVE_PROTECTED) or not is_protected)
    )


def can_share_views(user: User) -> bool:
    """May save views for a team or for everybody."""
    return can(user, Action.WORK_INBOX) and can(user, Action.ASSIGN_OTHERS)


def can_edit_view(user: User, view: SavedView) -> bool:
    """Its owner; shared ones only those who may share."""
    return can(user, Action.WORK_INBOX) and (view.owner_id == user.pk if view.owner_id else can_share_views(user))


def can_export(user: User) -> bool:
    """May take a view of the inbox away as a file. Partner agents may not."""
    return can(user, Action.WORK_INBOX) and user.role != Role.PARTNER_AGENT


def why_not_merge(actor: User, source: Interaction, target: Interaction) -> str:
    """The sentence that says why `source` cannot go on in `target`; empty when it can."""
    if source.pk == target.pk:
        return _("An interaction cannot be merged into itself.")
    if source.is_done or target.is_done:
        return _("Only open conversations can be merged. Reopen the closed one first.")
    if (source.patient_id or None) != (target.patient_id or None):
        return _("These conversations belong to different people. Link both to the same patient first.")
    if source.patient_id is None and (not source.contact_value or source.contact_value != target.contact_value):
        return _("It is not known whether this is the same person. Link both to the patient first.")
    for one in (source, target):
        if not can_work(actor, one) or not can_take(actor, one):
            return _("%(name)s works on one of them. Ask them, or a supervisor, to merge.") % {"name": one.owner}
    return ""


def can_register_processors(user: User) -> bool:
    """May say who carries our messages and what they may carry."""
    return can(user, Action.OVERSEE_PRIVACY)
