"""How SLA policies are kept: their terms, their order, and whether they are in use."""

from collections.abc import Iterable
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.jobs.models import Job
from contact_center.jobs.services import start
from inbox import realtime
from inbox.enums import OPEN, Counting
from inbox.models import Interaction, Queue, Reason, ServiceCalendar, SetupVersion, SlaPolicy
from inbox.selectors.hours import forget_setup
from inbox.services import clocks, ordering
from inbox.services.hours import require_configure
from inbox.services.interactions import locked, tell

OBJECT = "sla_policies"
KIND = "sla"
PLAIN = (
    *("name", "position", "is_active", "priorities", "channel_kinds", "first_response_minutes"),
    *("next_response_minutes", "resolution_minutes", "counting", "calendar_id", "pauses_in", "warn_percent"),
)


class PolicyFields(TypedDict, total=False):
    """What a policy is made of; minutes are of the time it counts, None promises nothing."""

    priorities: list[int]
    channel_kinds: list[str]
    first_response_minutes: int | None
    next_response_minutes: int | None
    resolution_minutes: int | None
    counting: str
    calendar: ServiceCalendar | None
    pauses_in: list[str]
    warn_percent: int


def keep_policy(
    *,
    actor: User,
    name: str,
    queues: Iterable[Queue] = (),
    reasons: Iterable[Reason] = (),
    policy_id: int | None = None,
    **fields: Unpack[PolicyFields],
) -> SlaPolicy:
    """Make a policy, last in the list, or write one anew. Open conversations follow at their next change.

    Raises Refused without any target, for a calendar where none is counted or the other way round, and for a name that
    is taken; DoesNotExist.
    """
    require_configure(actor)
    with realtime.atomic():
        if policy_id is None:
            policy = SlaPolicy(position=ordering.last_place(SlaPolicy))
        else:
            policy = ordering.locked_row(SlaPolicy, policy_id)
        policy.name = name.strip()
        for key, value in fields.items():
            setattr(policy, key, value)
        if policy.counting != Counting.CALENDAR:
            policy.calendar = None
        _require_sound(policy)
        try:
            with transaction.atomic():
                policy.save()
        except IntegrityError as error:
            raise Refused(_("Another policy has this name.")) from error
        policy.queues.set(queues)
        policy.reasons.set(reasons)
        _conclude(actor, AuditAction.CREATED if policy_id is None else AuditAction.CHANGED, policy)
        return policy


def switch_policy(*, actor: User, policy_id: int, is_active: bool) -> SlaPolicy:
    """Use a policy, or no longer. Raises DoesNotExist."""
    require_configure(actor)
    with realtime.atomic():
        policy = ordering.switch(SlaPolicy, policy_id, is_active=is_active)
        _conclude(actor, AuditAction.CHANGED, policy)
        return policy


def move_policy(*, actor: User, policy_id: int, is_up: bool) -> None:
    """Let it be asked one place earlier or later; the first and the last stay. Raises DoesNotExist."""
    require_configure(actor)
    with realtime.atomic():
        policy = ordering.move(SlaPolicy, policy_id, is_up=is_up)
        if policy is not None:
            _conclude(actor, AuditAction.CHANGED, policy)


def restore_policies(*, actor: User, version_id: int) -> None:
    """Bring all policies back as they were after an earlier change; those made since are switched off.

    Raises DoesNotExist for a version that is not there, Refused where a calendar of then is gone.
    """
    require_configure(actor)
    state = SetupVersion.objects.get(pk=version_id, kind=OBJECT).state
    kept: dict[int, dict[str, Any]] = {one["id"]: one for one in state}
    with realtime.atomic():
        policies = {policy.pk: policy for policy in SlaPolicy.objects.select_for_update()}
        for pk, policy in policies.items():
            # A name that moves from one policy to another would be there twice for a moment.
            SlaPolicy.objects.filter(pk=pk).update(name=f"{policy.name[:60]} #{pk}")
        for pk, policy in policies.items():
            if pk not in kept:
                policy.is_active = False
                policy.position = ordering.last_place(SlaPolicy)
                policy.name = (
                    f"{policy.name[:60]} #{pk}" if policy.name in {o["name"] for o in kept.values()} else policy.name
                )
                policy.save()
                continue
            for key in PLAIN:
                setattr(policy, key, kept[pk][key])
            try:
                with transaction.atomic():
                    policy.save()
            except IntegrityError as error:
                raise Refused(_("A calendar of then is no longer there.")) from error
            policy.queues.set(Queue.objects.filter(pk__in=kept[pk]["queues"]))
            policy.reasons.set(Reason.objects.filter(pk__in=kept[pk]["reasons"]))
        _conclude(actor, AuditAction.CHANGED, None, restored=version_id)


def apply_to_open(*, actor: User) -> Job:
    """Let every open conversation follow the present policies, in the background. Raises Refused without any."""
    require_configure(actor)
    ids = list(Interaction.objects.filter(status__in=OPEN).order_by("pk").values_list("pk", flat=True))
    if not ids:
        raise Refused(_("No conversation is open."))
    return start(owner=actor, kind=KIND, title=_("Policies for open conversations"), items=ids, parameters={})


def apply_to_one(job: Job, object_id: int) -> None:
    """One item of that job."""
    with realtime.atomic():
        interaction = locked(object_id)
        clocks.settle(interaction)
        interaction.save()
        tell(interaction)


def describe(user: User, ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """What the job's page calls its items, by id: a number and an address, no name."""
    return {pk: (_("Conversation %(n)s") % {"n": pk}, reverse("inbox:interaction", args=[pk])) for pk in ids}


def _require_sound(policy: SlaPolicy) -> None:
    targets = (policy.first_response_minutes, policy.next_response_minutes, policy.resolution_minutes)
    if not any(targets):
        raise Refused(_("Promise at least one of them: a first reply, a next reply or a resolution."))
    if policy.counting == Counting.CALENDAR and policy.calendar is None:
        raise Refused(_("Choose the calendar whose hours count."))


def _conclude(actor: User, action: AuditAction, policy: SlaPolicy | None, **detail: Any) -> None:
    note = policy.name if policy else "restored"
    version = SetupVersion.objects.create(kind=OBJECT, actor=actor, note=note, state=snapshot_of_all())
    object_id = policy.pk if policy else None
    record(actor=actor, action=action, object_type=OBJECT, object_id=object_id, version=version.pk, **detail)
    transaction.on_commit(forget_setup)
    forget_setup()


def snapshot_of_all() -> list[dict[str, Any]]:
    """All policies as plain data, in their order."""
    return [
        {"id": policy.pk}
        | {key: getattr(policy, key) for key in PLAIN}
        | {
            "queues": sorted(queue.pk for queue in policy.queues.all()),
            "reasons": sorted(reason.pk for reason in policy.reasons.all()),
        }
        for policy in SlaPolicy.objects.prefetch_related("queues", "reasons")
    ]
