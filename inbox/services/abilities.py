"""What people can do and how much they carry at once: skills with levels, conversations by kind and in all.

Every change keeps what it made, so that an earlier state can be brought back.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import Skill, User, UserSkill
from contact_center.accounts.policies import can
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from inbox import realtime
from inbox.distribution import USUAL_MOST
from inbox.enums import ChannelKind
from inbox.models import AgentCapacity, AgentState, SetupVersion
from inbox.services.assignment import hand_out_soon

OBJECT = "abilities"
MOST = 50
"""Nobody carries more at once."""


def keep_abilities(
    *, actor: User, user_id: int, skills: Mapping[int, int], limits: Mapping[str, int], most_open: int,
    seen: int | None = None, restored: int | None = None,
) -> SetupVersion:  # fmt: skip
    """Say what somebody can do (level 1 to 5 by skill id) and carry (by kind of channel; what is not named is usual).

    Work is offered anew after commit. Raises Refused without the right, for a level or a number out of range and for an
    unknown skill or kind; Conflict when the newest version is another than `seen` (0: none); DoesNotExist for nobody
    who works here.
    """
    if not can(actor, Action.ASSIGN_OTHERS):
        raise Refused(_("Only supervisors change this."))
    _require_whole(skills, limits, most_open)
    with realtime.atomic():
        person = User.objects.select_for_update().get(pk=user_id, is_active=True, is_service_account=False)
        newest = newest_version(person)
        if seen is not None and seen != newest:
            raise Conflict(
                _("Somebody else changed this while you were writing. Nothing is lost: compare, then save again.")
            )
        if not newest:
            _keep_version(person, None, "")  # as it was before the first change
        UserSkill.objects.filter(user=person).exclude(skill__in=skills).delete()
        for skill_id, level in skills.items():
            UserSkill.objects.update_or_create(user=person, skill_id=skill_id, defaults={"level": level})
        AgentCapacity.objects.filter(user=person).exclude(channel_kind__in=limits).delete()
        for kind, most in limits.items():
            AgentCapacity.objects.update_or_create(user=person, channel_kind=kind, defaults={"most": most})
        AgentState.objects.update_or_create(user=person, defaults={"most_open": most_open})
        version = _keep_version(person, actor, "restored" if restored else str(AuditAction.CHANGED))
        record(
            actor=actor, action=AuditAction.CHANGED, object_type=OBJECT, object_id=person.pk, version=version.pk,
            **({"restored": restored} if restored else {}),
        )  # fmt: skip
        realtime.touch(realtime.TEAM_TOPIC, realtime.agent_topic(person.pk))
        hand_out_soon()
        return version


def restore_abilities(*, actor: User, user_id: int, version_id: int) -> SetupVersion:
    """Bring back what somebody could do and carry after an earlier change; skills that are gone stay away.

    Raises as `keep_abilities`, and DoesNotExist for a version that is not of this person.
    """
    kept: dict[str, Any] = SetupVersion.objects.get(pk=version_id, kind=OBJECT, object_id=user_id).state
    known = set(Skill.objects.values_list("pk", flat=True))
    skills = {int(pk): level for pk, level in kept["skills"].items() if int(pk) in known}
    return keep_abilities(
        actor=actor, user_id=user_id, skills=skills, limits=kept["limits"], most_open=kept["most_open"],
        restored=version_id,
    )  # fmt: skip


def _require_whole(skills: Mapping[int, int], limits: Mapping[str, int], most_open: int) -> None:
    known = Skill.objects.filter(pk__in=skills).count()
    if known != len(skills) or any(not 1 <= level <= 5 for level in skills.values()):
        raise Refused(_("Choose a level from 1 to 5 for skills that there are."))
    if not set(limits) <= set(ChannelKind.values) or any(
        not 0 <= most <= MOST for most in (*limits.values(), most_open)
    ):
        raise Refused(_("Nobody carries so much at once."))


def _keep_version(person: User, actor: User | None, note: str) -> SetupVersion:
    state = {
        "skills": {str(pk): level for pk, level in UserSkill.objects.filter(user=person).values_list("skill", "level")},
        "limits": dict(AgentCapacity.objects.filter(user=person).values_list("channel_kind", "most")),
        "most_open": most_open_of(person),
    }
    return SetupVersion.objects.create(kind=OBJECT, object_id=person.pk, actor=actor, note=note, state=state)


def newest_version(person: User) -> int:
    """The id of the newest version of what somebody can do and carry; 0 before the first change."""
    found = SetupVersion.objects.filter(kind=OBJECT, object_id=person.pk).order_by("-pk")
    return found.values_list("pk", flat=True).first() or 0


def most_open_of(person: User) -> int:
    """How many conversations they carry at once in all; the usual number where nobody said."""
    row = AgentState.objects.filter(user=person).first()
    return USUAL_MOST if row is None else row.most_open
