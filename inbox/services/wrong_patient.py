"""Something lies in the wrong patient's record: it goes to the right one, and those who answer for that are told.

A whole conversation moves by `link_patient`; single messages, calls and documents are taken out first into a
conversation of their own. The record they leave keeps that something was moved, by whom and why, and none of it.
"""

from collections.abc import Collection, Iterable

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import roles_that_may
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from inbox import realtime
from inbox.enums import NotificationKind, TimelineKind, WrongPatientReason
from inbox.models import Interaction, Message
from inbox.policies import can_work
from inbox.services.interactions import add_note, conclude, locked, require
from inbox.services.linking import link_patient
from inbox.services.merging import hold_messages, take_out
from inbox.services.notifications import notify
from patients.models import Patient


def move_to_right_patient(
    *,
    actor: User,
    interaction_id: int,
    patient: Patient,
    reason: str,
    message_ids: Collection[int] = (),
    note: str = "",
) -> Interaction:
    """Move a conversation, or only `message_ids` of it with their files, to `patient`; returns where they are now.

    Its owner, the leads of its queue and those who oversee privacy are told. `note` is kept with what moved. Works on
    closed conversations too. Raises Refused without a reason, without a patient linked so far, for the same patient
    and for messages of another conversation; Conflict when it was linked otherwise meanwhile.
    """
    require(reason in WrongPatientReason.values, _("Say how it came to the wrong patient."))
    with realtime.atomic():
        hold_messages(Message.objects.filter(interaction=interaction_id, pk__in=message_ids))
        source = locked(interaction_id)
        require(can_work(actor, source), _("You may not work on this interaction."))
        wrong_id = source.patient_id
        if wrong_id is None:
            raise Refused(_("Nobody is linked to this conversation yet. Link the patient instead."))
        require(wrong_id != patient.pk, _("This is the patient it belongs to already."))
        moved = _take_out(source, actor, set(message_ids)) if _is_part(source, message_ids) else source
        moved = link_patient(actor=actor, interaction_id=moved.pk, patient=patient, instead_of=wrong_id)
        for concerned in (wrong_id, patient.pk):
            record(
                actor=actor, action=AuditAction.LINKED, object_type="interaction", object_id=moved.pk,
                patient_id=concerned, to="right_patient", reason=reason, messages=sorted(message_ids),
            )  # fmt: skip
        if note.strip():
            add_note(actor=actor, interaction_id=moved.pk, body=note)
        _tell(moved, source, actor)
        return moved


def _is_part(source: Interaction, message_ids: Collection[int]) -> bool:
    return bool(message_ids) and source.messages.exclude(pk__in=message_ids).exists()


def _take_out(source: Interaction, actor: User, message_ids: set[int]) -> Interaction:
    """A conversation of these messages; one taken out of a closed conversation is closed as that is."""
    new = take_out(source, actor, message_ids)
    if source.is_done:
        new.owner = source.owner or actor
        new.start_wrap_up()
        new.close()
        new.closed_at = source.closed_at or timezone.now()
        new.disposition, new.reason = source.disposition, source.reason
    split, changed = TimelineKind.SPLIT, AuditAction.CHANGED
    conclude(new, actor=actor, kind=split, action=AuditAction.CREATED, detail=f"from:{source.pk}")
    conclude(source, actor=actor, kind=split, action=changed, detail=f"into:{new.pk}")
    return new


def _tell(moved: Interaction, source: Interaction, actor: User) -> None:
    key = f"wrong:{moved.pk}:{timezone.now().timestamp():.6f}"
    kind = NotificationKind.WRONG_PATIENT
    told: set[int] = set()
    for user, is_duty in _concerned(source):
        if user.pk not in told:
            told.add(user.pk)
            notify(user=user, kind=kind, interaction=moved, actor=actor, dedupe_key=key, is_duty=is_duty)


def _concerned(source: Interaction) -> Iterable[tuple[User, bool]]:
    overseers = User.objects.filter(is_active=True, role__in=roles_that_may(Action.OVERSEE_PRIVACY))
    leads = User.objects.filter(is_active=True, memberships__is_lead=True, memberships__team__queues=source.queue_id)
    supervisors = User.objects.filter(is_active=True, role__in=roles_that_may(Action.ASSIGN_OTHERS))
    yield from ((user, True) for user in overseers.order_by("pk"))
    if source.owner is not None:
        yield source.owner, False
    yield from ((user, False) for user in (leads | supervisors).distinct().order_by("pk"))
