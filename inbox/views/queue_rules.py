"""Settings: where new work goes and why, and how each queue hands out its work."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.accounts.requests import sent_once
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from inbox.enums import HoursState
from inbox.models import Queue, QueueSettings, RoutingRule
from inbox.queue_rules import Facts, route
from inbox.routing_forms import NeedsForm, PreviewForm, QueueSettingsForm, RuleForm
from inbox.selectors import queue_rules as selector
from inbox.selectors.distribution import queue_settings_lines
from inbox.services import queue_rules as service
from inbox.views.hours import administrator

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def rule_list(request: HttpRequest) -> HttpResponse:
    """The rules in the order in which they are asked, and where the newest work went; with `channel` also where such
    work would go, and why."""
    administrator(request)
    rows, runs = list(selector.rule_rows()), selector.runs_by_rule()
    form = PreviewForm(request.GET if "channel" in request.GET else None)
    context: dict[str, Any] = {"section": "routing", "lines": [(row, runs.get(row.pk, 0)) for row in rows]}
    context["runs"] = selector.latest_runs({row.pk: row.name for row in rows})
    context["form"], status = form, 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            status = 200
            context |= _preview(form.cleaned_data, rows)
    return render(request, "inbox/routing_list.html", context, status=status)


def _preview(data: dict[str, Any], rows: list[RoutingRule]) -> dict[str, Any]:
    facts = Facts(
        channel_id=data["channel"].pk,
        channel_kind=data["channel"].kind,
        reason_id=data["reason"].pk if data["reason"] else None,
        language=data["language"],
        priority=data["priority"],
        program_ids=frozenset({data["program"].pk} if data["program"] else ()),
        is_open=data["hours"] == HoursState.OPEN,
    )
    routed = route([selector.rule_of(row) for row in rows if row.is_active], facts)
    names = {row.pk: row.name for row in rows}
    queue_id = routed.rule.queue_id if routed.rule else data["channel"].queue_id
    return {
        "routed": routed,
        "goes_to": Queue.objects.get(pk=queue_id),
        "passed_over": selector.told(routed.passed_over, names),
    }


@form_methods
def rule(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make a rule or change one; `do` moves it `up` or `down` or switches it `on` or `off`."""
    user = administrator(request)
    row = _find(pk) if pk else RoutingRule()
    do = request.POST.get("do", "")
    if pk and do in ("up", "down"):
        service.move_rule(actor=user, rule_id=pk, is_up=do == "up")
        return redirect("inbox:routing")
    if pk and do in ("on", "off"):
        service.switch_rule(actor=user, rule_id=pk, is_active=do == "on")
        return say(request, redirect("inbox:routing"), _("In use again.") if do == "on" else _("Switched off."))
    form = RuleForm(request.POST or None, initial=_initial(row), needs=_needs(row) if row.pk else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            many, fields = {name: form.cleaned_data[name] for name in form.MANY}, form.plain()
            for name in form.MANY:
                fields.pop(name)
            try:
                sent_once(
                    request,
                    lambda: service.keep_rule(actor=user, rule_id=pk, many=many, needs=form.needs(), **fields),
                )
            except Refused as error:
                status = _tell(form, "name", error)
            else:
                return say(request, redirect("inbox:routing"), _("Saved. New work follows within seconds."))
    return render(request, "inbox/routing_form.html", {"form": form, "row": row, "section": "routing"}, status=status)


def _find(pk: int) -> RoutingRule:
    found: RoutingRule | None = selector.rule_rows().filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _initial(row: RoutingRule) -> dict[str, Any]:
    plain = ("name", "priority", "hours", "channel_kinds", "languages", "priorities")
    found = {name: getattr(row, name) for name in plain} | {"queue": row.queue_id}
    if row.pk:
        found |= {name: [one.pk for one in getattr(row, name).all()] for name in RuleForm.MANY}
    return found


def _needs(row: Any) -> dict[int, tuple[int, int | None]]:
    return {need.skill_id: (need.level, need.relax_seconds) for need in row.needs.all()}


def _tell(form: NeedsForm, field: str, error: Refused) -> int:
    form.add_error(field, str(error))
    return status_of(error)


@require_safe
def queue_list(request: HttpRequest) -> HttpResponse:
    """How each queue hands out its work."""
    administrator(request)
    context = {"lines": queue_settings_lines(), "section": "queues"}
    return render(request, "inbox/queue_settings_list.html", context)


@form_methods
def queue_settings(request: HttpRequest, pk: int) -> HttpResponse:
    """How one queue hands out its work."""
    user = administrator(request)
    queue = Queue.objects.filter(pk=pk).first()
    if queue is None:
        raise Http404
    row = QueueSettings.objects.filter(queue=queue).first() or QueueSettings(queue=queue)
    names = QueueSettingsForm.base_fields
    initial = {name: getattr(row, f"{name}_id" if name.endswith("_queue") else name) for name in names}
    form = QueueSettingsForm(request.POST or None, initial=initial, row=row, needs=_needs(queue))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                service.keep_queue_settings(actor=user, queue_id=pk, needs=form.needs(), **form.plain())
            except Refused as error:
                status = _tell(form, "overflow_queue", error)
            else:
                return say(request, redirect("inbox:queue-settings"), _("Saved. It holds for what waits now."))
    context = {"form": form, "queue": queue, "row": queue, "section": "queues"}
    return render(request, "inbox/queue_settings_form.html", context, status=status)
