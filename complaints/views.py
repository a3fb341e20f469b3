"""Pages of complaints: the list, one complaint with its moves, the form that registers one, the way to a sealed one."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_fsm import can_proceed

from complaints.enums import ComplaintVerb
from complaints.forms import (
    AssignForm,
    GlassForm,
    LinkForm,
    LookForm,
    NoteForm,
    ProtectForm,
    RegisterForm,
    ResponseForm,
    StepForm,
    TriageForm,
)
from complaints.models import Complaint
from complaints.policies import can_approve, can_handle, can_register, can_work
from complaints.selectors import complaints_visible_to, condition_of, figures, get_complaint_for, rows
from complaints.services import moves
from complaints.services.concluding import TOPIC
from complaints.services.following import link_complaint
from complaints.services.reading import break_glass_by_reference, open_complaint
from complaints.services.registering import register_complaint
from complaints.shown import tone_of
from contact_center.accounts.middleware import BACKGROUND_HEADER
from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import is_partial, say, status_of, tell_errors
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from contact_center.common.ratelimit import is_over
from inbox import realtime
from inbox.models import Interaction
from inbox.selectors.interactions import get_interaction_for
from inbox.selectors.pages import page_of
from patients.models import Patient
from patients.services import glass
from patients.services.records import open_patient_record
from patients.services.traces import note_shown

V = ComplaintVerb
MOST_TRIES, TRIES_SECONDS = 10, 3600
form_methods = require_http_methods(["GET", "HEAD", "POST"])


class Move(NamedTuple):
    """One move as the page offers it."""

    do: Callable[..., Complaint]
    form: type[NoteForm]
    words: Any
    icon: str


MOVES: dict[str, Move] = {
    V.ACKNOWLEDGE: Move(moves.acknowledge, StepForm, gettext_lazy("Acknowledge"), "check"),
    V.TRIAGE: Move(moves.triage, TriageForm, gettext_lazy("Triage"), "list-filter"),
    V.START_INVESTIGATION: Move(moves.start_investigation, StepForm, gettext_lazy("Start the investigation"), "search"),
    V.PROPOSE_RESPONSE: Move(moves.propose_response, ResponseForm, gettext_lazy("Propose a response"), "pencil"),
    V.APPROVE_RESPONSE: Move(moves.approve_response, StepForm, gettext_lazy("Approve the response"), "file-check"),
    V.SEND_BACK: Move(moves.send_back, StepForm, gettext_lazy("Send the response back"), "undo-2"),
    V.ANSWER: Move(moves.answer, StepForm, gettext_lazy("Mark as answered"), "send"),
    V.FOLLOW_UP: Move(moves.follow_up, StepForm, gettext_lazy("Follow up"), "heart-handshake"),
    V.CLOSE: Move(moves.close, NoteForm, gettext_lazy("Close"), "circle-check"),
    V.REOPEN: Move(moves.reopen, StepForm, gettext_lazy("Open again"), "repeat"),
    V.ESCALATE: Move(moves.escalate, StepForm, gettext_lazy("Escalate"), "triangle-alert"),
    V.REFER_EXTERNALLY: Move(
        moves.refer_externally, StepForm, gettext_lazy("Refer to an outside body"), "external-link"
    ),
    V.WITHDRAW: Move(moves.withdraw, NoteForm, gettext_lazy("Withdraw"), "x"),
    V.ASSIGN: Move(moves.assign_complaint, AssignForm, gettext_lazy("Give to somebody"), "user-plus"),
    V.LINK: Move(link_complaint, LinkForm, gettext_lazy("Say whom it concerns"), "user"),
    V.PROTECT: Move(moves.protect, ProtectForm, gettext_lazy("Change the protection"), "lock"),
}


@require_safe
def complaint_list(request: HttpRequest) -> HttpResponse:
    """Visible complaints by the day of their next step, narrowed by state, severity, owner, day, or a figure: for those
    who do not handle complaints their own unless they ask for more."""
    user = person_of(request)
    if not can_register(user):
        raise PermissionDenied
    look = LookForm(request.GET)
    figure = request.GET.get("show", "open" if can_handle(user) else "mine")
    topic = TOPIC if can_handle(user) else realtime.agent_topic(user.pk)
    page = page_of(rows(_narrowed(user, look, figure)), request.GET.get("page", ""))
    if BACKGROUND_HEADER not in request.headers:
        note_shown(actor=user, patient_ids=[row.patient_id for row in page.object_list if row.patient_id], what=TOPIC)
    counts = figures(user)
    titles = {
        "mine": _("Mine"), "open": _("Still open"), "overdue": _("Overdue"), "unacknowledged": _("Not acknowledged"),
        "unowned": _("Without an owner"), "protected": _("Protected"),
    }  # fmt: skip
    context = {
        "page": page,
        "shown": [(row, tone_of(row)) for row in page.object_list],
        "look": look,
        "figure": figure,
        "figures": [(name, title, counts[name]) for name, title in titles.items()],
        "live": f"{topic}:{realtime.sequences_of([topic])[topic]}",
    }
    template = "complaints/_list.html" if is_partial(request) else "complaints/list.html"
    return render(request, template, context)


def _narrowed(user: User, look: LookForm, figure: str) -> QuerySet[Complaint]:
    """An answer of the form that cannot be understood narrows nothing; neither does a figure that does not exist."""
    given = look.cleaned_data if look.is_valid() else {}
    asked = {
        "status": given.get("status"), "severity": given.get("severity"), "owner": given.get("owner"),
        "next_step_date__lte": given.get("due_by"),
    }  # fmt: skip
    found = complaints_visible_to(user).filter(**{name: value for name, value in asked.items() if value})
    if given.get("status"):
        return found
    try:
        return found.filter(condition_of(figure, user))
    except KeyError:
        return found


@require_safe
def complaint(request: HttpRequest, pk: int) -> HttpResponse:
    """One complaint with its history and what can be done with it; opening it is on record."""
    return _show(request, _opened(request, pk))


def _opened(request: HttpRequest, pk: int) -> Complaint:
    """The complaint for this person's eyes, with its entry. Raises Http404, also when it is hidden."""
    try:
        return open_complaint(actor=person_of(request), complaint_id=pk)
    except Complaint.DoesNotExist:
        raise Http404 from None


@require_POST
def move(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """One move of one complaint; what is refused shows it again, which is a look at it like any other."""
    user = person_of(request)
    try:
        found = get_complaint_for(user, pk)
    except Complaint.DoesNotExist:
        raise Http404 from None
    if verb not in MOVES:
        raise Http404
    if not can_work(user, found):
        raise PermissionDenied
    form = MOVES[verb].form(request.POST, complaint=found, verb=verb)
    if not form.is_valid():
        return _show(request, _opened(request, pk), form, status=422)
    try:
        sent_once(request, lambda: MOVES[verb].do(actor=user, complaint_id=pk, **form.arguments()))
    except Refused as error:
        form.add_error(None, str(error))
        return _show(request, _opened(request, pk), form, status=status_of(error))
    is_seen = complaints_visible_to(user).filter(pk=pk).exists()
    target = redirect("complaints:complaint", pk) if is_seen else redirect("home")
    return say(request, target, _("It is noted."))


def _offered(request: HttpRequest, found: Complaint) -> list[str]:
    """The moves this person may make now, in the order of work."""
    user = person_of(request)
    if not can_work(user, found):
        return []
    offered = [verb for verb in MOVES if verb not in (V.ASSIGN, V.LINK, V.PROTECT) and _may_go(found, verb)]
    if V.APPROVE_RESPONSE in offered and (found.approved_at or not can_approve(user, found)):
        offered.remove(V.APPROVE_RESPONSE)
    offered += [] if found.is_over else [V.ASSIGN]
    if not can_handle(user):
        return offered
    return [*offered, *([] if found.interaction_id else [V.LINK]), V.PROTECT]


def _may_go(found: Complaint, verb: str) -> bool:
    if verb == V.ACKNOWLEDGE:
        return can_proceed(found.acknowledge) or can_proceed(found.acknowledge_late)
    if verb == V.CLOSE:
        return can_proceed(found.close) or can_proceed(found.settle)
    return can_proceed(getattr(found, verb))


def _show(request: HttpRequest, found: Complaint, form: NoteForm | None = None, *, status: int = 200) -> HttpResponse:
    offered = _offered(request, found)
    if form is not None and form.verb not in offered and can_work(person_of(request), found):
        offered.insert(0, form.verb)
    forms = [
        (verb, MOVES[verb], form if form and form.verb == verb else MOVES[verb].form(complaint=found, verb=verb))
        for verb in offered
    ]
    context = {
        "complaint": found,
        "tone": tone_of(found),
        "forms": forms,
        "sent": form.verb if form else "",
        "events": found.events.select_related("actor", "to_user", "to_team"),
    }
    return render(request, "complaints/complaint.html", context, status=status)


@form_methods
def register(request: HttpRequest) -> HttpResponse:
    """Write a complaint down: of a patient (`patient`), from a conversation (`conversation`), or of nobody known."""
    user = person_of(request)
    if not can_register(user):
        raise PermissionDenied
    interaction, patient = _about(request)
    form = RegisterForm(
        request.POST if request.method == "POST" else None,
        user=user,
        patient=patient,
        is_from_channel=interaction is not None,
    )
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            made = sent_once(
                request,
                lambda: register_complaint(
                    actor=user, told=form.told(), patient=patient, owner=form.cleaned_data["owner"],
                    interaction_id=interaction.pk if interaction else None,
                ),
            )  # fmt: skip
            return _registered(request, made, _behind(interaction, patient))
        except Refused as error:
            form.add_error(None, str(error))
            status = status_of(error)
    name, *args = _behind(interaction, patient)
    context = {
        "form": form,
        "patient": patient,
        "is_sealed": patient is None and interaction is not None and interaction.patient_id is not None,
        "back_url": reverse(name, args=args),
    }
    return render(request, "complaints/register.html", context, status=status)


def _about(request: HttpRequest) -> tuple[Interaction | None, Patient | None]:
    """The conversation and the patient that the address names; a record is opened with its entry, and stays closed
    where it is protected and the conversation is not. Raises Http404 for those this person may not see."""
    user, given = person_of(request), request.GET
    try:
        if "conversation" in given:
            interaction = get_interaction_for(user, number_of(given["conversation"]) or 0)
            return interaction, _record_of(user, interaction.patient_id)
        if "patient" in given:
            return None, open_patient_record(user, number_of(given["patient"]) or 0, "complaint")
    except (Interaction.DoesNotExist, Patient.DoesNotExist):
        raise Http404 from None
    return None, None


def _record_of(user: User, patient_id: int | None) -> Patient | None:
    try:
        return open_patient_record(user, patient_id, "complaint") if patient_id else None
    except Patient.DoesNotExist:
        return None


def _behind(interaction: Interaction | None, patient: Patient | None) -> tuple[str, int] | tuple[str]:
    if interaction is not None:
        return ("inbox:interaction", interaction.pk)
    return ("patients:record", patient.pk) if patient else ("home",)


def _registered(request: HttpRequest, made: int | None, back: tuple[Any, ...]) -> HttpResponse:
    """To the complaint; back to where one came from when it is sealed from now on."""
    row = Complaint.objects.get(pk=made or 0)
    said = _("Registered as %(reference)s.") % {"reference": row.reference}
    if complaints_visible_to(person_of(request)).filter(pk=row.pk).exists():
        return say(request, redirect("complaints:complaint", row.pk), said)
    return say(request, redirect(*back), said + " " + _("Only those who handle it see it from now on."))


@form_methods
def find_protected(request: HttpRequest) -> HttpResponse:
    """Open a protected complaint, which no list shows, by its number and with a reason."""
    user = person_of(request)
    if not can_register(user):
        raise PermissionDenied
    form = GlassForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            if is_over("complaint-glass", str(user.pk), limit=MOST_TRIES, seconds=TRIES_SECONDS):
                raise Refused(_("Too many attempts. Ask the privacy officer."))
            _grant, found = break_glass_by_reference(actor=user, **form.cleaned_data)
            said = _("Opened for an hour. The privacy officer was told.")
            return say(request, redirect("complaints:complaint", found.pk), said)
        except ValidationError as error:
            tell_errors(form, error)
        except Refused as error:
            glass.note_missed_glass(actor=user)
            form.add_error(None, str(error))
    return render(request, "complaints/protected.html", {"form": form}, status=422 if form.is_bound else 200)
