"""Outbox, quarantine and files: what operations and agents look into when something did not go through."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from contact_center.accounts.enums import Action
from contact_center.accounts.middleware import BACKGROUND_HEADER
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.answers import is_partial, say
from contact_center.common.errors import Refused
from inbox import realtime
from inbox.enums import MessageStatus
from inbox.models import Message, WebhookEvent
from inbox.realtime import LEDGER_TOPIC, OUTBOX_TOPIC, sequences_of
from inbox.selectors.ledger import get_quarantined_for, quarantine_visible_to
from inbox.selectors.outbox import COUNTED_DAYS, outbox_rows, outbox_summary
from inbox.selectors.pages import page_of
from inbox.services.ledger import retry_event

M = MessageStatus
SHOWN = {
    "waiting": (gettext_lazy("On its way"), [M.QUEUED, M.SENDING]),
    "failed": (gettext_lazy("Failed"), [M.FAILED]),
    "suppressed": (gettext_lazy("Not sent"), [M.SUPPRESSED]),
}


@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """What is queued, stuck, failed or held back, and why. Texts and people only for those who work the inbox."""
    user = person_of(request)
    if not can(user, Action.VIEW_OUTBOX):
        raise PermissionDenied
    show = request.GET.get("show", "")
    show = show if show in SHOWN else "waiting"
    sequence = sequences_of([OUTBOX_TOPIC])[OUTBOX_TOPIC]
    summary = outbox_summary(user)
    counts = {"waiting": summary["queued"] + summary["sending"], **summary}
    page = page_of(outbox_rows(user, SHOWN[show][1]), request.GET.get("page", ""))
    shows_people = can(user, Action.WORK_INBOX)
    if shows_people and BACKGROUND_HEADER not in request.headers:
        _note_shown(user, page.object_list)
    context: dict[str, Any] = {
        "page": page,
        "shows_people": shows_people,
        "show": show,
        "counted_days": COUNTED_DAYS,
        "tabs": [{"key": key, "title": title, "count": counts[key]} for key, (title, _statuses) in SHOWN.items()],
        "alarm_count": summary["stuck"],
        "providers": summary["providers"],
        "can_retry": can(user, Action.RETRY_OUTBOX) or can(user, Action.WORK_INBOX),
        "retryable": [M.FAILED, M.SUPPRESSED],
        "cancellable": [M.QUEUED, M.FAILED, M.SUPPRESSED],
        "live": f"{OUTBOX_TOPIC}:{sequence}",
    }
    return render(request, "inbox/_outbox.html" if is_partial(request) else "inbox/outbox_list.html", context)


def _note_shown(user: User, messages: list[Message]) -> None:
    with realtime.atomic():
        record(
            actor=user,
            action=AuditAction.SEARCHED,
            object_type="message",
            found=[message.pk for message in messages],
            patients=sorted({found for message in messages if (found := message.interaction.patient_id)}),
        )


@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    """Events that could not be processed."""
    user = person_of(request)
    if not can(user, Action.VIEW_LEDGER):
        raise PermissionDenied
    sequence = sequences_of([LEDGER_TOPIC])[LEDGER_TOPIC]
    context = {
        "page": page_of(quarantine_visible_to(user), request.GET.get("page", "")),
        "can_retry": can(user, Action.RETRY_LEDGER),
        "can_download": can(user, Action.RETRY_LEDGER),
        "live": f"{LEDGER_TOPIC}:{sequence}",
    }
    return render(request, "inbox/_quarantine.html" if is_partial(request) else "inbox/quarantine_list.html", context)


@require_safe
def quarantine_raw(request: HttpRequest, pk: int) -> HttpResponse:
    """The raw source of a quarantined event as a download that no browser opens; leaves a trace."""
    user = person_of(request)
    if not can(user, Action.RETRY_LEDGER):
        raise PermissionDenied
    try:
        event = get_quarantined_for(user, pk)
    except WebhookEvent.DoesNotExist:
        raise Http404 from None
    with realtime.atomic():
        record(
            actor=user,
            action=AuditAction.DOWNLOADED,
            object_type="webhook_event",
            object_id=pk,
            patient_id=event.message.interaction.patient_id if event.message else None,
        )
    response = HttpResponse(bytes(event.body), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="event-{pk}.bin"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
def quarantine_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Process an event again from its raw source."""
    user = person_of(request)
    if not can(user, Action.RETRY_LEDGER):
        raise PermissionDenied
    try:
        retry_event(actor=user, event_id=pk)
    except WebhookEvent.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        return say(request, redirect("inbox:quarantine"), str(error), is_error=True)
    return say(request, redirect("inbox:quarantine"), _("It is processed again."))
