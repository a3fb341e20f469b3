"""Settings: SLA policies in their order, what each would take, and the time lab."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.requests import sent_once
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from inbox.enums import Counting, PauseState, Priority
from inbox.hours_forms import PolicyForm, TimeLabForm
from inbox.models import Queue, SlaPolicy
from inbox.selectors import calendars as selector
from inbox.selectors import time_lab
from inbox.selectors.hours import read_setup, terms_of_policy, with_those_below
from inbox.services import promises as service
from inbox.sla import Facts, Terms
from inbox.views.hours import administrator, number_in

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    """The policies in the order in which they are asked, each with what it takes now."""
    administrator(request)
    lines, untaken = selector.policy_lines()
    context = {
        "lines": lines,
        "untaken": untaken,
        "versions": selector.versions_of(service.OBJECT),
        "section": "sla",
    }
    return render(request, "inbox/sla_list.html", context)


@form_methods
def policy(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make a policy or change one, with how many open conversations it would take."""
    user = administrator(request)
    row = _find(pk) if pk else SlaPolicy(counting=Counting.QUEUE, pauses_in=[PauseState.AWAITING_PATIENT])
    form = PolicyForm(request.POST or None, initial=_initial(row))
    status = 200
    if request.method == "POST" and request.POST.get("do") != "preview":
        status = 422
        if form.is_valid():
            try:
                sent_once(request, lambda: service.keep_policy(actor=user, policy_id=pk, **form.cleaned_data))
            except Refused as error:
                form.add_error("name", str(error))
                status = status_of(error)
            else:
                return say(request, redirect("inbox:sla"), _("Saved. Open conversations follow at their next change."))
    taken = _preview(row, form) if request.method == "POST" else _taken(row, None)
    context = {"form": form, "row": row, "section": "sla", "taken": taken}
    return render(request, "inbox/sla_form.html", context, status=status)


def _find(pk: int) -> SlaPolicy:
    found = SlaPolicy.objects.filter(pk=pk).prefetch_related("queues", "reasons").first()
    if found is None:
        raise Http404
    return found


def _initial(row: SlaPolicy) -> dict[str, Any]:
    return {
        "name": row.name,
        "first_response_minutes": selector.duration_words(row.first_response_minutes),
        "next_response_minutes": selector.duration_words(row.next_response_minutes),
        "resolution_minutes": selector.duration_words(row.resolution_minutes),
        "counting": row.counting,
        "calendar": row.calendar_id,
        "warn_percent": row.warn_percent,
        "priorities": row.priorities,
        "channel_kinds": row.channel_kinds,
        "pauses_in": row.pauses_in,
        "queues": [queue.pk for queue in row.queues.all()] if row.pk else [],
        "reasons": [reason.pk for reason in row.reasons.all()] if row.pk else [],
    }


def _preview(row: SlaPolicy, form: PolicyForm) -> int | None:
    """What the policy of this form would take in its place of the list; None while the form makes no sense."""
    if not form.is_valid():
        return None
    data = form.cleaned_data
    asked = Terms(
        policy_id=row.pk or 0,
        name="",
        queue_ids=frozenset(queue.pk for queue in data["queues"]),
        reason_ids=with_those_below(frozenset(reason.pk for reason in data["reasons"])),
        priorities=frozenset(data["priorities"]),
        channel_kinds=frozenset(data["channel_kinds"]),
    )
    return _taken(row, asked)


def _taken(row: SlaPolicy, asked: Terms | None) -> int | None:
    """How many open conversations it takes in its place, by `asked` instead of what is stored."""
    if asked is None and row.pk is None:
        return None
    order: list[Terms] = []
    for one in SlaPolicy.objects.prefetch_related("queues", "reasons"):
        if one.pk == row.pk:
            order.append(asked or terms_of_policy(one))
        elif one.is_active:
            order.append(terms_of_policy(one))
    if row.pk is None and asked is not None:
        order.append(asked)
    return selector.taken_by(order, selector.open_facts())[row.pk or 0]


@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Use a policy, or no longer."""
    is_active = request.POST.get("is_active") == "1"
    service.switch_policy(actor=administrator(request), policy_id=_find(pk).pk, is_active=is_active)
    return say(request, redirect("inbox:sla"), _("In use again.") if is_active else _("Switched off."))


@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a policy be asked earlier or later."""
    service.move_policy(actor=administrator(request), policy_id=_find(pk).pk, is_up=request.POST.get("to") == "up")
    return redirect("inbox:sla")


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Bring all policies back as they were after an earlier change."""
    user = administrator(request)
    try:
        service.restore_policies(actor=user, version_id=number_in(request, "version"))
    except ObjectDoesNotExist:
        raise Http404 from None
    except Refused as error:
        return say(request, redirect("inbox:sla"), str(error), is_error=True)
    return say(request, redirect("inbox:sla"), _("Brought back."))


@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Let open conversations follow the policies at once."""
    try:
        job = service.apply_to_open(actor=administrator(request))
    except Refused as error:
        return say(request, redirect("inbox:sla"), str(error), is_error=True)
    return redirect("jobs:job", job.pk)


@require_safe
def lab(request: HttpRequest) -> HttpResponse:
    """When clocks, messages and what upper apps registered would fire for a chosen moment."""
    user = administrator(request)
    queue = Queue.objects.filter(is_active=True).first()
    local = timezone.localtime()
    initial = {
        "moment": f"{local:%Y-%m-%dT%H:%M}",
        "zone": timezone.get_default_timezone_name(),
        "queue": queue.pk if queue else None,
        "priority": Priority.NORMAL,
        "channel_kind": "whatsapp",
    }
    form = TimeLabForm(request.GET if "moment" in request.GET else None, initial=initial)
    context: dict[str, Any] = {"form": form, "section": "lab", "user": user}
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            status = 200
            data = form.cleaned_data
            reason_id = data["reason"].pk if data["reason"] else None
            facts = Facts(data["queue"].pk, reason_id, data["priority"], data["channel_kind"])
            question = time_lab.Question(data["at"], selector.zone_of(data["zone"]), facts)
            context |= {"lab": time_lab.look(question, read_setup()), "question": question, "zone": data["zone"]}
    return render(request, "inbox/time_lab.html", context, status=status)
