"""Take, return, wrap up, reopen, link, send a template: one service call each."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import is_partial, say, status_of, tell_errors
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of, numbers_in
from inbox import policies
from inbox.enums import ChannelKind, Direction
from inbox.forms import NewPatientForm, TemplateForm
from inbox.models import Disposition, Interaction, Message
from inbox.selectors.conversation import candidates_for, get_message_for, latest_message_ids, templates_for
from inbox.selectors.tasks import tasks_of
from inbox.services import interactions as desk
from inbox.services import linking
from inbox.services.labels import set_reason
from inbox.services.newcomers import link_new_patient
from inbox.services.outbox import cancel_message, retry_message
from inbox.services.replies import reply
from inbox.views.answers import close_dialog, render_form
from inbox.views.compose import channel_of, send_key
from inbox.views.dialogs import posted
from inbox.views.interactions import act, find, show, show_refusal
from inbox.working_forms import WrapUpForm
from patients.models import Patient
from patients.policies import can_create_patient
from patients.selectors.people import get_patient_for
from patients.services.newcomers import Alike, alike_context
from patients.services.records import search_records

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def _done(request: HttpRequest, pk: int, said: str) -> HttpResponse:
    response = show(request, pk)
    return say(request, close_dialog(response) if is_partial(request) else response, said)


@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Become the owner."""
    return act(request, pk, desk.take)


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it back to its queue."""
    return act(request, pk, desk.return_to_queue, _("Returned to the queue."))


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a closed interaction again."""
    return act(request, pk, desk.reopen)


@form_methods
def wrap_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Reason, outcome, next step; then closed. What the patient wrote meanwhile is shown before it may be closed."""
    interaction = find(request, pk)
    user = person_of(request)
    latest = latest_message_ids(user, interaction)[0]
    initial = {"reason": interaction.reason_id, "next_step_owner": user.pk, "seen_message_id": latest}
    form = WrapUpForm(posted(request), user=user, initial=initial)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _close(user, interaction, form.cleaned_data)
                return _done(request, pk, _("Closed."))
            except Refused as error:
                form.add_error(None, str(error))
                status = status_of(error)
    context = {
        "interaction": interaction,
        "form": form,
        "dispositions": Disposition.objects.filter(is_active=True),
        "blocking": list(tasks_of(interaction).filter(is_blocking=True, done_at=None)),
        "newer": _newer(interaction, form) if status == 409 else [],
        "seen_message_id": latest,
    }
    return render_form(request, "wrap_up", context, status=status)


def _close(user: User, interaction: Interaction, data: dict[str, Any]) -> None:
    """The reason first and for itself: it stays, with its checklists, also when something still keeps it open."""
    if not data["next_step"]:
        data["next_step_owner"] = None
    if not interaction.is_done and data["reason"].pk != interaction.reason_id:
        set_reason(actor=user, interaction_id=interaction.pk, reason=data["reason"])
    desk.close(actor=user, interaction_id=interaction.pk, **data)


def _newer(interaction: Interaction, form: WrapUpForm) -> list[Message]:
    seen = form.cleaned_data.get("seen_message_id")
    if seen is None:
        return []
    return list(interaction.messages.filter(direction=Direction.INBOUND, pk__gt=seen).order_by("occurred_at")[:20])


@form_methods
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who the person is: among those with this address, or found by a search.

    A search is posted too, so that no name or number stands in an address.
    """
    interaction = find(request, pk)
    if request.method == "POST" and "q" not in request.POST:
        try:
            patient, seen = _chosen(request, interaction), _seen_linked(request)
            linking.link_patient(actor=person_of(request), interaction_id=pk, patient=patient, instead_of=seen)
        except Refused as error:
            return show_refusal(request, pk, error)
        return _done(request, pk, _("Linked."))
    return _link_form(request, interaction)


def _seen_linked(request: HttpRequest) -> int | None:
    """Who was linked when the form was drawn."""
    seen = request.POST.get("linked")
    return linking.ANYBODY if seen is None else number_of(seen)


def _chosen(request: HttpRequest, interaction: Interaction) -> Patient:
    number = number_of(request.POST.get("patient", ""))
    if number is None:
        raise Refused(_("Choose a patient from the list."))
    user = person_of(request)
    among = {patient.pk: patient for patient in candidates_for(user, interaction)[0]}
    if number in among and not policies.can_search_patients(user):
        return among[number]
    try:
        return get_patient_for(user, number)
    except Patient.DoesNotExist:
        raise Refused(_("Choose a patient from the list.")) from None


def _link_form(
    request: HttpRequest,
    interaction: Interaction,
    form: NewPatientForm | None = None,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    user = person_of(request)
    query = request.POST.get("q", "").strip()[:100]
    may_search = policies.can_search_patients(user)
    is_search = len(query) > 1 and may_search
    results, has_more = (
        (search_records(user, query, limit=12), False) if is_search else candidates_for(user, interaction)
    )
    given, _space, family = interaction.contact_name.partition(" ")
    initial = {"given_name": given, "family_name": family, "language": interaction.language or "en"}
    context = {
        "interaction": interaction,
        "query": query,
        "results": results,
        "has_more": has_more,
        "may_search": may_search,
        "can_create": can_create_patient(user),
        "form": form or NewPatientForm(initial=initial),
    }
    return render_form(request, "link", context | more, status=status)


@require_POST
def create_and_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A new patient with the address of this conversation, linked to it; first those who are much like them."""
    interaction, user = find(request, pk), person_of(request)
    form, status = NewPatientForm(request.POST), 422
    more: dict[str, Any] = {}
    if form.is_valid():
        at: dict[str, Any] = {"actor": user, "interaction_id": pk, "instead_of": _seen_linked(request)}
        seen = numbers_in(request.POST, "seen")
        try:
            sent_once(request, lambda: link_new_patient(**at, seen=seen, **form.cleaned_data))
            return _done(request, pk, _("Created and linked."))
        except ValidationError as error:
            tell_errors(form, error)
        except Alike as error:
            status, more = status_of(error), alike_context(actor=user, error=error)
        except Refused as error:
            form.add_error(None, str(error))
            status = status_of(error)
    return _link_form(request, interaction, form, status=status, **more)


@form_methods
def send_template(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose an approved template, fill in its variables, send it."""
    interaction = find(request, pk)
    do = request.POST.get("do", "")
    query = request.POST.get("q", "").strip()[:100] if do == "find" else ""
    templates = templates_for(interaction, query)
    wanted = request.GET.get("template", "")
    chosen = next((one for one in templates if str(one.pk) == wanted), templates[0] if templates else None)
    user = person_of(request)
    form, status = None, 200
    if chosen is not None:
        form = TemplateForm(None if do == "find" else request.POST or None, template=chosen)
        if request.method == "POST" and do not in ("preview", "find"):
            status = 422
            form.is_bound = True
            if form.is_valid():
                key = send_key(request.POST.get("form_key", "")[:64], str(chosen.pk), repr(form.variables()))
                try:
                    reply(
                        actor=user,
                        interaction_id=pk,
                        channel_id=channel_of(interaction, ChannelKind.WHATSAPP),
                        text="",
                        template=chosen,
                        template_variables=form.variables(),
                        idempotency_key=key,
                    )
                    return _done(request, pk, _("Template sent."))
                except Refused as error:
                    form.add_error(None, str(error))
                    status = status_of(error)
    context = {
        "interaction": interaction,
        "templates": templates,
        "query": query,
        "chosen": chosen,
        "form": form,
        "preview": form.preview() if form is not None else "",
        "form_key": f"{pk}-{user.pk}-{latest_message_ids(user, interaction)[1]}",
    }
    return render_form(request, "templates", context, status=status)


def _message(request: HttpRequest, pk: int) -> Message:
    user = person_of(request)
    try:
        message = get_message_for(user, pk)
    except Message.DoesNotExist:
        raise Http404 from None
    if not policies.can_handle_message(user, message.interaction):
        raise PermissionDenied
    return message


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a message that has not left."""
    message = _message(request, pk)
    try:
        cancel_message(actor=person_of(request), message_id=pk)
    except Refused as error:
        return say(request, redirect("inbox:outbox"), str(error), is_error=True)
    tab = message.status if message.status in ("failed", "suppressed") else "waiting"
    return say(request, redirect(f"{reverse('inbox:outbox')}?show={tab}"), _("Taken back."))


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a failed or held-back message again, through the gate."""
    message = _message(request, pk)
    is_from_outbox = request.POST.get("next") == "outbox"
    try:
        retry_message(actor=person_of(request), message_id=pk)
    except Refused as error:
        if is_from_outbox:
            return say(request, redirect("inbox:outbox"), str(error), is_error=True)
        return show_refusal(request, message.interaction_id, error)
    if is_from_outbox:
        return say(request, redirect("inbox:outbox"), _("It will be sent again."))
    return show(request, message.interaction_id, _("It will be sent again."))
