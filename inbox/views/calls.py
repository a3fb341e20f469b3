"""The telephone in the top bar, and calling from a conversation."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, say, status_of
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from inbox import realtime
from inbox.call_forms import CallbackForm, CallTransferForm, HandOverForm, PlaceCallForm
from inbox.enums import PauseReason, Supervision
from inbox.models import Call
from inbox.policies import can_start
from inbox.selectors import calls as desk
from inbox.selectors.callbacks import live_callback, phone_number_of, phones_of
from inbox.selectors.calls import asked_in, colleague_on, get_call_for, is_sealed, phone_of
from inbox.selectors.interactions import queue_ids_of
from inbox.services import call_control, call_placing, callbacks, recordings, supervision
from inbox.views.answers import go_to, render_form
from inbox.views.dialogs import posted
from inbox.views.interactions import find
from inbox.views.traces import leave_trace, opened_record
from patients.models import Patient

SEALED = gettext_lazy("The conversation is not open to you any more.")
VERBS: dict[str, Callable[..., object]] = {
    "accept": call_control.accept_call,
    "decline": call_control.decline_call,
    "hold": call_control.hold_call,
    "resume": partial(call_control.hold_call, is_held=False),
    "hang_up": call_control.hang_up,
    "machine": call_control.leave_machine,
    "record": recordings.record_after_consent,
    "pause_payment": partial(recordings.pause_recording, reason=PauseReason.PAYMENT),
    "pause_sensitive": partial(recordings.pause_recording, reason=PauseReason.SENSITIVE),
    "resume_recording": recordings.resume_recording,
    "help": supervision.ask_for_help,
    "help_over": partial(supervision.ask_for_help, is_wanted=False),
    **{mode.value: partial(supervision.supervise, mode=mode) for mode in Supervision},
    "leave": supervision.leave,
}
ENDING = ("hang_up", "machine")
SUPERVISING = (*Supervision.values, "leave")
form_methods = require_http_methods(["GET", "HEAD", "POST"])


def phone_context(request: HttpRequest) -> dict[str, Any] | None:
    """What the top bar shows of the person's telephone."""
    phone = phone_of(request.user) if isinstance(request.user, User) else None
    if phone is None:
        return None
    named = (
        phone.ringing,
        None if phone.is_sealed else phone.current,
        None if phone.is_supervised_sealed else phone.supervised,
    )
    for shown in filter(None, named):
        leave_trace(request, shown.interaction)
    return {"phone": phone}


@require_safe
def phone(request: HttpRequest) -> HttpResponse:
    """The telephone, drawn again after a change."""
    context = phone_context(request)
    if context is None:
        raise Http404
    return render(request, "inbox/_phone.html", context)


def _find(request: HttpRequest, pk: int) -> Call:
    try:
        return get_call_for(person_of(request), pk)
    except Call.DoesNotExist:
        raise Http404 from None


@require_POST
def call(request: HttpRequest, pk: int) -> HttpResponse:
    """`do` says what, one of the verbs below; then the telephone as it is now."""
    found, user, do = _find(request, pk), person_of(request), request.POST.get("do", "")
    if do not in VERBS:
        return HttpResponse(_("Say what to do with the call."), status=422, content_type="text/plain")
    try:
        VERBS[do](actor=user, call_id=pk)
    except Refused as error:
        if not is_partial(request):
            back = "inbox:calls" if do in SUPERVISING and can(user, Action.SUPERVISE_CALLS) else "inbox:list"
            return say(request, redirect(back), str(error), is_error=True)
        return say(request, _phone(request, status_of(error)), str(error), is_error=True)
    if do in SUPERVISING and not is_partial(request):
        return say(request, redirect("inbox:calls"), _("Done."))
    if do in ENDING or not is_partial(request):
        return _go_on(request, found.interaction_id, {"accept": _("You are connected.")}.get(do, _("Done.")))
    return _stay(request, _phone(request), found.interaction_id) if do == "accept" else _phone(request)


def _stay(request: HttpRequest, answer: HttpResponse, interaction_id: int) -> HttpResponse:
    """The page stays, for the sound of the call lives in it; its script opens the conversation where it opens."""
    try:
        find(request, interaction_id)
    except Http404:
        return say(request, answer, f"{_('You are connected.')} {SEALED}")
    there = reverse("inbox:interaction", args=[interaction_id])
    answer["HX-Trigger"] = json.dumps({"dialog-done": {}, "call-accepted": {"url": there}})
    return answer


@require_safe
def calls_now(request: HttpRequest) -> HttpResponse:
    """Calls that are being talked on, for supervisors: who asks for help first. Drawn again when one changes."""
    user = person_of(request)
    if not can(user, Action.SUPERVISE_CALLS):
        raise PermissionDenied
    found = desk.calls_now(user)
    for one in found:
        leave_trace(request, one.interaction)
    topics = [realtime.TEAM_TOPIC, *(realtime.queue_topic(pk) for pk in queue_ids_of(user))]
    live = " ".join(f"{topic}:{seq}" for topic, seq in realtime.sequences_of(topics).items())
    context = {"calls": found, "calls_live": live, "mine": phone_of(user)}
    return render(request, "inbox/_calls.html" if is_partial(request) else "inbox/calls_page.html", context)


def _phone(request: HttpRequest, status: int = 200) -> HttpResponse:
    return render(request, "inbox/_phone.html", phone_context(request), status=status)


@form_methods
def transfer(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the caller to another queue, ask a colleague first, or leave the call to the colleague who was asked.

    Whoever holds a call hands it on, also when its conversation does not open for them any more.
    """
    found, user = _find(request, pk), person_of(request)
    if found.agent_id != user.pk or found.is_over:
        raise Http404
    colleague = colleague_on(found)
    make = partial(HandOverForm, colleague=colleague) if colleague else CallTransferForm
    form = make(posted(request), interaction=found.interaction)
    status = 200
    if request.method == "POST":
        status = 422
        if changed := _changed(request, found, colleague):
            form.errors.clear()
            form.add_error(None, changed)
            status = 409
        elif form.is_valid():
            try:
                said = _transfer(user, found, form.cleaned_data, is_asked=colleague is not None)
                return _go_on(request, found.interaction_id, said)
            except Refused as error:
                form.add_error(None, str(error))
                status = status_of(error)
    context: dict[str, Any] = {"interaction": found.interaction, "call": found, "form": form, "colleague": colleague}
    context["is_sealed"] = is_sealed(user, found)
    return render_form(request, "call_transfer", context, status=status)


def _changed(request: HttpRequest, found: Call, colleague: User | None) -> str:
    """Why the form that was sent is not the one of now: it was about a colleague who has left or joined meanwhile."""
    meant = number_of(request.POST.get("colleague", ""))
    if meant == (colleague.pk if colleague else None):
        return ""
    if colleague is not None:
        return _("%(name)s is on the line now. Check what you chose and send it again.") % {"name": colleague}
    return _("%(name)s is not on the line any more.") % {"name": asked_in(found, meant) or _("Your colleague")}


def _go_on(request: HttpRequest, interaction_id: int, said: str) -> HttpResponse:
    """The conversation, or the list when this person may not see it, told so: the call itself stays theirs."""
    try:
        find(request, interaction_id)
        return go_to(request, interaction_id, said)
    except Http404:
        messages.success(request, f"{said} {SEALED}")
        away = redirect("inbox:list")
        return HttpResponse(headers={"HX-Redirect": away.url}) if is_partial(request) else away


def _transfer(user: User, found: Call, data: dict[str, Any], *, is_asked: bool) -> str:
    if is_asked:
        given = {"why": data["why"], "summary": data["note"], "queue": data.get("queue")}
        call_control.hand_over(actor=user, call_id=found.pk, **given)
        return _("Handed over.")
    if data["assignee"]:
        call_control.consult(actor=user, call_id=found.pk, colleague=data["assignee"])
        return _("Your colleague's telephone rings; the caller hears music.")
    call_control.transfer_call(actor=user, call_id=found.pk, queue=data["queue"], why=data["why"], summary=data["note"])
    return _("Transferred.")


@form_methods
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """Call the person of a conversation, at a number of theirs, with the reason."""
    interaction, user = find(request, pk), person_of(request)
    numbers = [interaction.contact_value] if interaction.contact_scheme == "phone" else []
    if interaction.patient is not None:
        numbers = list(dict.fromkeys([*filter(None, numbers), *phones_of(user, interaction.patient)]))
    purpose = interaction.reason.name if interaction.reason else ""
    form = PlaceCallForm(posted(request), numbers=numbers, initial={"purpose": purpose})
    return _place(request, "place_call", form, interaction.patient, {"interaction": interaction})


@form_methods
def dial(request: HttpRequest) -> HttpResponse:
    """Call `patient`, at a number of theirs, or else any number that is typed; with the reason."""
    user, asked = person_of(request), (request.POST or request.GET).get("patient", "")
    patient_id = number_of(asked)
    patient = None if patient_id is None else opened_record(request, patient_id)
    if (asked and patient is None) or not can_start(user, patient):
        raise Http404
    form = PlaceCallForm(posted(request), numbers=phones_of(user, patient) if patient else None)
    return _place(request, "dial", form, patient, {"patient": patient, "page": "inbox/dial_page.html"})


def _place(
    request: HttpRequest, name: str, form: PlaceCallForm, patient: Patient | None, context: dict[str, Any]
) -> HttpResponse:
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            purpose, told = form.cleaned_data["purpose"], _("Calling. Your telephone rings first.")
            try:
                made = call_placing.place_call(
                    actor=person_of(request),
                    purpose=purpose,
                    patient=patient,
                    number=form.number,
                    about=context.get("interaction"),
                )
                if not is_partial(request):
                    return go_to(request, made.interaction_id, told)
                return say(request, _stay(request, HttpResponse(), made.interaction_id), told)
            except Refused as error:
                form.add_error(None, str(error))
                status = status_of(error)
    return render_form(request, name, context | {"form": form}, status=status)


@form_methods
def callback(request: HttpRequest, pk: int) -> HttpResponse:
    """Arrange to call the person of a conversation back, or with `do=cancel` do not."""
    interaction, user = find(request, pk), person_of(request)
    initial = {"purpose": interaction.reason.name if interaction.reason else ""}
    form = CallbackForm(posted(request), user=user, interaction=interaction, initial=initial)
    arranged, status = live_callback(phone_number_of(user, interaction)), 200
    if request.method == "POST":
        status = 422
        try:
            if request.POST.get("do") == "cancel":
                callbacks.cancel_callback(actor=user, interaction_id=pk)
                return go_to(request, pk, _("The call back is cancelled."))
            if form.is_valid():
                callbacks.schedule_callback(actor=user, interaction_id=pk, **form.cleaned_data)
                return go_to(request, pk, _("The call back is arranged."))
        except Refused as error:
            form.add_error(None, str(error))
            status = status_of(error)
    context = {"interaction": interaction, "form": form, "arranged": arranged}
    return render_form(request, "callback", context, status=status)
