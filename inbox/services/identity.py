"""Finding out with whom we speak, before anything about a patient is said or sent."""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from inbox import identifiers, realtime
from inbox.enums import (
    CodeUse,
    IdentifierKind,
    IdentityMethod,
    IdentityOutcome,
    TimelineKind,
    Unchecked,
)
from inbox.models import IdentityCheck, IdentityPolicy, Interaction, OneTimeCode, Task
from inbox.policies import can_work
from inbox.selectors.identity import LOCKED, Identity, identity_of, identity_policy, points_for_codes
from inbox.services.code_messages import enqueue_code
from inbox.services.codes import channel_for, new_code, try_code
from inbox.services.interactions import conclude, locked, require
from patients.models import Patient

K = IdentifierKind
CODE_SENTENCE = gettext_lazy("%(code)s is your code for %(organisation)s. Read it to the person you are speaking with.")


class Unverified(Refused):
    """Sensitive content, and nobody knows with whom we speak; the agent may take it upon themself."""


def check_identity(*, actor: User, interaction_id: int, answers: Mapping[str, str]) -> IdentityCheck:
    """Compare what the person said with the record; enough agreeing answers confirm them for a while.

    Which answer was wrong is told to nobody, and none is stored. Too many failures lock the check of this interaction
    and leave a task. Raises Refused without a patient, on a locked check and for too few answers.
    """
    with realtime.atomic():
        interaction, policy = _open_check(actor, interaction_id)
        asked = {kind: text for kind, text in answers.items() if kind in policy.kinds and text.strip()}
        require(
            len(asked) >= policy.required_count,
            _("Ask for %(count)s of these, and write down what the person says.") % {"count": policy.required_count},
        )
        patient = _patient_of(interaction)
        agreeing = sum(agrees(patient, kind, text) for kind, text in asked.items())
        is_passed = agreeing >= policy.required_count
        return _conclude(interaction, actor, policy, IdentityMethod.IDENTIFIERS, sorted(asked), is_passed=is_passed)


def agrees(patient: Patient, kind: str, said: str) -> bool:
    """Whether one answer is right. Reads contact points, identifiers and postal addresses of the patient."""
    points = list(patient.contact_points.all())
    if kind == K.FULL_NAME:
        return identifiers.same_name(said, patient.given_name, patient.family_name, patient.preferred_name)
    if kind == K.BIRTH_DATE:
        return identifiers.same_date(said, patient.birth_date)
    if kind == K.MRN:
        return identifiers.same_word(said, [patient.mrn])
    if kind == K.PHONE:
        phones = [point.value for point in points if point.scheme == "phone"]
        return identifiers.same_number(said, phones, settings.DEFAULT_PHONE_REGION)
    if kind == K.EMAIL:
        return identifiers.same_email(said, [point.value for point in points if point.scheme == "email"])
    if kind == K.DOCUMENT:
        return identifiers.same_end(said, [row.value for row in patient.identifiers.all()])
    return identifiers.same_word(said, [row.postal_code for row in patient.postal_addresses.all() if row.postal_code])


def _open_check(actor: User, interaction_id: int) -> tuple[Interaction, IdentityPolicy]:
    interaction, policy = locked(interaction_id), identity_policy()
    require(can_work(actor, interaction), _("You may not work on this interaction."))
    require(not interaction.is_done, _("This interaction is closed. Reopen it first."))
    require(interaction.patient_id is not None, _("Link the patient first."))
    is_locked = identity_of(interaction, policy).state == LOCKED
    require(not is_locked, _("Too many attempts. A supervisor has to unlock the check."))
    return interaction, policy


def _patient_of(interaction: Interaction) -> Patient:
    rows = Patient.objects.prefetch_related("contact_points", "identifiers", "postal_addresses")
    return rows.get(interactions=interaction)


def _conclude(
    interaction: Interaction,
    actor: User,
    policy: IdentityPolicy,
    method: IdentityMethod,
    asked: list[str],
    *,
    is_passed: bool,
) -> IdentityCheck:
    now = timezone.now()
    check = IdentityCheck.objects.create(
        interaction=interaction,
        patient_id=interaction.patient_id,
        method=method,
        identifiers=asked,
        outcome=IdentityOutcome.PASSED if is_passed else IdentityOutcome.FAILED,
        checked_by=actor,
        checked_at=now,
        expires_at=now + timedelta(minutes=policy.valid_minutes) if is_passed else None,
    )
    is_locked = identity_of(interaction, policy).state == LOCKED
    if is_locked:
        _leave_task(interaction)
    kind = TimelineKind.IDENTITY_PASSED if is_passed else TimelineKind.IDENTITY_FAILED
    conclude(
        interaction,
        actor=actor,
        kind=TimelineKind.IDENTITY_LOCKED if is_locked else kind,
        action=AuditAction.CHANGED if is_passed else AuditAction.ACCESS_DENIED,
    )
    return check


def _leave_task(interaction: Interaction) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        title = _("Confirm who this is by another way, such as a call to a number on record")
    position = interaction.tasks.count()
    Task.objects.create(
        interaction=interaction, title=title, due_date=timezone.localdate(), is_blocking=True, position=position
    )


def unlock_identity(*, actor: User, interaction_id: int) -> Interaction:
    """Let the check be tried again. Raises Refused unless the actor may assign others' work."""
    with realtime.atomic():
        interaction = locked(interaction_id)
        require(can(actor, Action.ASSIGN_OTHERS), _("Only a supervisor may unlock this."))
        if identity_of(interaction).state != LOCKED:
            return interaction
        IdentityCheck.objects.create(
            interaction=interaction,
            patient_id=interaction.patient_id,
            method=IdentityMethod.IDENTIFIERS,
            outcome=IdentityOutcome.UNLOCKED,
            checked_by=actor,
        )
        conclude(interaction, actor=actor, kind=TimelineKind.IDENTITY_UNLOCKED, action=AuditAction.CHANGED)
        return interaction


def send_identity_code(*, actor: User, interaction_id: int, contact_point_id: int) -> OneTimeCode:
    """Send a code to a verified address of the patient, who reads it to the agent.

    Raises Refused for any other address, without a channel for it, on a locked check, and after three codes in a
    quarter of an hour.
    """
    with realtime.atomic():
        interaction, _policy = _open_check(actor, interaction_id)
        patient = _patient_of(interaction)
        point = next((one for one in points_for_codes(patient) if one.pk == contact_point_id), None)
        if point is None:
            raise Refused(_("Choose an address that was verified."))
        channel = channel_for(point.scheme)
        if channel is None:
            raise Refused(_("There is no channel of ours that reaches this address."))
        code = new_code(
            use=CodeUse.IDENTITY,
            scheme=point.scheme,
            address=point.value,
            language=interaction.language or patient.language,
            interaction=interaction,
            patient=patient,
        )
        if code is None:
            raise Refused(_("This address got several codes already. Wait a quarter of an hour."))
        code.message = enqueue_code(code, interaction=interaction, channel=channel, sentence=CODE_SENTENCE)
        code.handled_at = timezone.now()
        code.save(update_fields=["message", "handled_at"])
        return code


def check_identity_code(*, actor: User, interaction_id: int, given: str) -> IdentityCheck:
    """Compare the digits the person reads out with the newest code of this interaction; raises as `check_identity`."""
    with realtime.atomic():
        interaction, policy = _open_check(actor, interaction_id)
        codes = OneTimeCode.objects.filter(
            use=CodeUse.IDENTITY, interaction=interaction, patient=interaction.patient_id
        )
        newest = codes.order_by("-pk").values_list("pk", flat=True).first()
        if newest is None:
            raise Refused(_("Send a code first."))
        is_passed = try_code(newest, given)
        return _conclude(interaction, actor, policy, IdentityMethod.CODE, [], is_passed=is_passed)


def refuse_unchecked(interaction: Interaction, *, is_taken_on: bool) -> None:
    """Before sensitive content is sent: raise Unverified while identity is not confirmed and the agent has not taken it
    upon themself (`is_taken_on`), or Refused where the house does not allow that."""
    identity: Identity = identity_of(interaction)
    if identity.is_verified:
        return
    if identity_policy().unchecked == Unchecked.REFUSE:
        raise Refused(_("Confirm who this is before you send something sensitive."))
    if not is_taken_on:
        raise Unverified(_("You have not confirmed who this is. Check the identity, or send it nevertheless."))


@transaction.atomic
def save_identity_policy(
    *, actor: User, required_count: int, kinds: list[str], valid_minutes: int, most_failures: int, unchecked: str
) -> IdentityPolicy:
    """Set how identity is checked here. Raises Refused for fewer kinds than are required, PermissionDenied."""
    if not can(actor, Action.CONFIGURE):
        raise PermissionDenied
    require(
        len(set(kinds) & set(K.values)) >= required_count,
        _("Choose at least as many kinds as have to agree."),
    )
    policy = IdentityPolicy.objects.select_for_update().filter(pk=1).first() or IdentityPolicy(pk=1)
    policy.required_count, policy.kinds = required_count, [kind for kind in K.values if kind in kinds]
    policy.valid_minutes, policy.most_failures, policy.unchecked = valid_minutes, most_failures, unchecked
    policy.save()
    record(actor=actor, action=AuditAction.CHANGED, object_type="identitypolicy", object_id=1)
    return policy
