"""The rows of a call as every service needs them: locked, with what happened noted, and shown to whoever looks."""

import re
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.enums import TALKING, CallMomentKind
from inbox.models import Call, CallMoment, Interaction
from inbox.services.interactions import tell

QUOTED = re.compile(r"([0-9]{1,4}-[0-9]{1,4})at([0-9]{10})")


def locked_call(call_id: int) -> Call:
    """The call with its row locked until the caller's transaction ends. Raises DoesNotExist."""
    return Call.objects.select_for_update(of=("self",)).select_related("channel", "queue").get(pk=call_id)


def own_call(actor: User, call_id: int) -> Call:
    """The call that this person talks on now. Raises Conflict for another's and for one that has ended."""
    call: Call = Call.objects.select_related("channel").get(pk=call_id)
    if call.status not in TALKING or call.agent_id != actor.pk:
        raise Conflict(_("This is not your call, or it has ended."))
    return call


def note(
    call: Call, kind: CallMomentKind, *, user: User | None = None, at: datetime | None = None, detail: str = ""
) -> None:
    """Add a moment to the record of a call."""
    CallMoment.objects.create(call=call, kind=kind, user=user, at=at or timezone.now(), detail=detail[:240])


def show(call: Call, interaction: Interaction, *also: int | None) -> None:
    """Tell the pages that show this call: its interaction, its queue, and the people it rings at or talks to."""
    people = {call.agent_id, call.offered_to_id, *also} - {None}
    tell(interaction, realtime.queue_topic(call.queue_id), *(realtime.agent_topic(pk) for pk in sorted(people)))  # type: ignore[arg-type, type-var]


def note_quote(call: Call, quoted: str) -> None:
    """Keep the first wait that a caller was told: `3-7at1795377309`, minutes and the moment. Anything else is none."""
    found = QUOTED.fullmatch(quoted)
    if found is None or call.moments.filter(kind=CallMomentKind.QUOTED).exists():
        return
    note(call, CallMomentKind.QUOTED, at=datetime.fromtimestamp(int(found[2]), UTC), detail=found[1])
