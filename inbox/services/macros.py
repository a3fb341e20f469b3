"""Macros: several verbs under one name, each with its own rights and its own outcome."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import Team, User
from contact_center.common.errors import Refused
from contact_center.common.versions import refuse_unseen
from inbox.models import Disposition, Interaction, Macro, Queue, Tag
from inbox.selectors.canned import get_canned_for
from inbox.selectors.conversation import mode_for, reply_options
from inbox.selectors.interactions import get_interaction_for, queues_of
from inbox.selectors.macros import KEYS, macros_for, step_choices, value_of, words_of
from inbox.services.canned import locked_text, save_text
from inbox.services.interactions import close, return_to_queue, take
from inbox.services.labels import add_tags, set_priority
from inbox.services.replies import reply
from inbox.services.snooze import snooze

MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step. Without `is_done`, `why` says what stood in its way; empty: it was not tried."""

    words: str
    is_done: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What the steps of one run share."""

    actor: User
    interaction: Interaction
    macro: Macro
    form_key: str
    seen_message_id: int | None


def run_macro(
    *, actor: User, interaction_id: int, macro_id: int, form_key: str = "", seen_message_id: int | None = None
) -> list[StepResult]:
    """Do the steps in order through the ordinary verbs; the outcome of each, the first refusal ends the run.

    What was done before a refusal stays done, what comes after it is not tried: nothing is closed or put aside after a
    reply that was not sent. Raises Macro.DoesNotExist and Interaction.DoesNotExist for what the actor may not use.
    """
    interaction = get_interaction_for(actor, interaction_id)
    macro = macros_for(actor, interaction).get(pk=macro_id)
    results: list[StepResult] = []
    is_going_on = True
    for step, words in zip(macro.steps, words_of(macro, step_choices(actor)), strict=True):
        if not is_going_on:
            results.append(StepResult(words, is_done=False))
            continue
        run = Run(actor, get_interaction_for(actor, interaction_id), macro, form_key, seen_message_id)
        try:
            VERBS[step["do"]](run, step[KEYS[step["do"]]])
            results.append(StepResult(words, is_done=True))
        except (Refused, ObjectDoesNotExist, KeyError) as error:
            is_going_on = False
            why = str(error) if isinstance(error, Refused) else _("What this step needs is not there any more.")
            results.append(StepResult(words, is_done=False, why=why))
    return results


def _reply(run: Run, canned_id: int) -> None:
    options = reply_options(run.interaction)
    mode = mode_for(run.interaction, options)
    channel_id = next((option.channel_id for option in options if option.kind == mode), None)
    key = hashlib.sha256(f"{run.form_key}:macro:{run.macro.pk}:{canned_id}".encode()).hexdigest()
    reply(
        actor=run.actor,
        interaction_id=run.interaction.pk,
        channel_id=channel_id,
        text=get_canned_for(run.actor, run.interaction, canned_id).text,
        idempotency_key=key if run.form_key else "",
        seen_message_id=run.seen_message_id,
    )


def _tag(run: Run, tag_id: int) -> None:
    add_tags(actor=run.actor, interaction_id=run.interaction.pk, tags=[Tag.objects.get(pk=tag_id)])


def _priority(run: Run, priority: int) -> None:
    set_priority(actor=run.actor, interaction_id=run.interaction.pk, priority=priority)


def _assign(run: Run, queue_id: int) -> None:
    if queue_id == 0:
        take(actor=run.actor, interaction_id=run.interaction.pk)
        return
    queue = Queue.objects.get(pk=queue_id, pk__in=queues_of(run.actor).values("pk"))
    return_to_queue(actor=run.actor, interaction_id=run.interaction.pk, queue=queue, why=run.macro.name)


def _snooze(run: Run, hours: int) -> None:
    snooze(actor=run.actor, interaction_id=run.interaction.pk, until_at=timezone.now() + timedelta(hours=hours))


def _close(run: Run, disposition_id: int) -> None:
    if run.interaction.reason is None:
        raise Refused(_("Choose a reason first."))
    close(
        actor=run.actor,
        interaction_id=run.interaction.pk,
        reason=run.interaction.reason,
        disposition=Disposition.objects.get(pk=disposition_id, is_active=True),
        seen_message_id=run.seen_message_id,
    )


VERBS: dict[str, Callable[[Run, int], None]] = {
    "reply": _reply,
    "tag": _tag,
    "priority": _priority,
    "assign": _assign,
    "snooze": _snooze,
    "close": _close,
}


def keep_macro(
    *,
    actor: User,
    name: str,
    steps: list[dict[str, Any]],
    team: Team | None = None,
    owner: User | None = None,
    macro_id: int | None = None,
    seen_version: str | None = None,
) -> Macro:
    """Make a macro, or change the one with `macro_id`. Without team and owner it is everybody's.

    Raises Refused without steps, with too many or ones the actor may not use, for a name that is taken there, and where
    the actor may not keep it; Unseen when it is not the version that was seen (`common.versions`); Macro.DoesNotExist
    for one they may not change.
    """
    if not steps:
        raise Refused(_("Choose at least one step."))
    known = {value for _title, choices in step_choices(actor) for value, _words in choices}
    if len(steps) > MOST_STEPS or any(value_of(step) not in known for step in steps):
        raise Refused(_("Choose the steps from the list."))
    with transaction.atomic():
        row = Macro() if macro_id is None else locked_text(actor, Macro, macro_id)
        refuse_unseen(row, seen_version)
        row.name, row.steps, row.team, row.owner = name, steps, team, owner
        save_text(actor, row, _("Another macro has this name."))
        return row
