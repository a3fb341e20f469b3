"""The inbox list and the conversation."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, say, status_of
from contact_center.common.errors import Refused
from inbox import policies, realtime
from inbox.models import Interaction
from inbox.selectors import conversation
from inbox.selectors.drafts import newest_ids, writing_context
from inbox.selectors.interactions import get_interaction_for, get_readable_for
from inbox.selectors.story import story_of
from inbox.selectors.tasks import tasks_beside
from inbox.selectors.thread import Place
from inbox.selectors.uploads import waiting_uploads
from inbox.services import interactions as desk
from inbox.services.notifications import see
from inbox.views import traces
from inbox.views.lists import list_context
from patients.models import Patient
from patients.panels import panels_for
from patients.policies import can_break_glass as may_break
from patients.policies import can_edit_patient
from patients.selectors.care import alerts_of

OTHERS_SHOWN = 8


def find(request: HttpRequest, pk: int, *, is_for_guests: bool = False) -> Interaction:
    """The interaction if this person may see it; 404 for all others alike.

    Whoever is only mentioned there may read; a POST finds it for them only with `is_for_guests`.
    """
    look = get_readable_for if is_for_guests or request.method in ("GET", "HEAD") else get_interaction_for
    try:
        return look(person_of(request), pk)
    except Interaction.DoesNotExist:
        raise Http404 from None


def _may(user: User, interaction: Interaction) -> dict[str, bool]:
    is_guest = getattr(interaction, "is_guest", False)
    is_open = not interaction.is_done and not is_guest
    is_mine = interaction.owner_id == user.pk
    works = policies.can_work(user, interaction)
    is_free = is_open and works and policies.can_take(user, interaction)
    return {
        "reply": is_open and works and (is_mine or interaction.owner_id is None),
        "take": is_open and not is_mine and policies.can_take(user, interaction),
        "assign": is_open and policies.can_assign(user, interaction),
        "release": is_open and interaction.owner_id is not None and policies.can_assign(user, interaction),
        "wrap_up": is_open and interaction.owner_id is not None and policies.can_assign(user, interaction),
        "reopen": interaction.status == "closed" and works and not is_guest,
        "link": works and not is_guest,
        "note": is_guest and works,
        "label": works and not is_guest,
        "snooze": is_free and interaction.status != "wrap_up",
        "transfer": is_free,
    }


def talk_context(request: HttpRequest, interaction: Interaction, **extra: Any) -> dict[str, Any]:
    """What head, thread and reply box show. `extra` carries what was typed and why it was refused."""
    user = person_of(request)
    sequence = extra.pop("sequence", None)
    if sequence is None:
        sequence = _sequence(interaction)
    may = _may(user, interaction)
    seen, sent, noted = newest_ids(user, interaction)
    options = conversation.reply_options(interaction) if may["reply"] else []
    return {
        "interaction": interaction,
        "view": extra.pop("view", None) or {"key": request.GET.get("view", "mine")[:40]},
        "sequence": sequence,
        "can": may,
        "story": story_of(user, interaction),
        "reply_options": options,
        "mode": conversation.mode_for(interaction, options),
        "seen_message_id": seen,
        "form_key": f"{interaction.pk}-{user.pk}-{sent}",
        "newest_message_id": seen,
        "uploads": waiting_uploads(user, interaction) if may["reply"] else [],
        "composer_cc": ", ".join(conversation.copied_before(interaction)) if may["reply"] else "",
        **writing_context(user, interaction, newest=seen, draft_round=f"{sent}-{noted}", modes=_modes(options)),
        **(
            extra.pop("thread", None)
            or conversation.conversation_page(user, interaction, since=_place(request, "from"))
        ),
    } | extra


def _sequence(interaction: Interaction) -> int:
    """How often it changed; read before what is drawn, so that a change in between is fetched again."""
    topic = realtime.interaction_topic(interaction.pk)
    return realtime.sequences_of([topic])[topic]


def _modes(options: list[conversation.ReplyOption]) -> set[str]:
    return {option.kind for option in options if option.is_available or option.needs_template} | {"note"}


def _place(request: HttpRequest, name: str) -> Place | None:
    return Place.read(request.GET.get(name, ""))


def side_context(request: HttpRequest, interaction: Interaction, patient: Patient | None) -> dict[str, Any]:
    """What the panel beside the conversation shows of the patient."""
    user = person_of(request)
    context: dict[str, Any] = {
        "interaction": interaction,
        "patient": patient,
        "can": _may(user, interaction),
        "sequence": _sequence(interaction),
        **_tasks_context(interaction),
    }
    if patient is None:
        linked = interaction.patient
        context["can_break_glass"] = linked is not None and linked.is_sensitive and may_break(user)
        candidates, has_more = conversation.candidates_for(user, interaction)
        return context | {"candidates": candidates, "has_more_candidates": has_more}
    others = conversation.other_interactions(user, interaction, limit=OTHERS_SHOWN + 1)
    return context | {
        "contact_points": list(patient.contact_points.all()),
        "alerts": alerts_of(patient),
        "may_edit": can_edit_patient(user, patient),
        "panels": panels_for(user, patient),
        "related": conversation.relatives_of(user, patient),
        "others": others[:OTHERS_SHOWN],
        "has_more_others": len(others) > OTHERS_SHOWN,
        "cases": conversation.open_cases(user, interaction),
    }


def _tasks_context(interaction: Interaction) -> dict[str, Any]:
    tasks = tasks_beside(interaction)
    return {
        "tasks": tasks,
        "tasks_done": sum(task.done_at is not None for task in tasks),
        "today": timezone.localdate(),
    }


def workspace(
    request: HttpRequest, interaction_id: int, *, status: int = 200, known: Interaction | None = None, **extra: Any
) -> HttpResponse:
    """The conversation with its side panel; `known` is the interaction as it was found and has not changed since."""
    interaction = known or find(request, interaction_id, is_for_guests=True)
    patient = traces.opened(request, interaction)
    if patient is not None:
        interaction.patient = patient  # read whole by now, so that nothing of it is asked for again
    side = side_context(request, interaction, patient)
    context = side | talk_context(request, interaction, sequence=side["sequence"], **extra)
    if is_partial(request):
        return render(request, "inbox/_workspace.html", context, status=status)
    frame = list_context(request)
    return render(
        request, "inbox/interaction_list.html", context | frame | {"selected_id": interaction.pk}, status=status
    )


@require_safe
def interaction_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a conversation: everything that passed with this person, the patient beside it, the way to answer."""
    interaction = find(request, pk)
    is_unread = bool(interaction.unread_count) and interaction.owner_id == person_of(request).pk
    if is_unread:
        desk.mark_read(actor=person_of(request), interaction_id=pk)
    see(actor=person_of(request), interaction_id=pk)
    return workspace(request, pk, known=None if is_unread else interaction)


@require_safe
def talk_pane(request: HttpRequest, pk: int) -> HttpResponse:
    """Head, thread and reply box, drawn again after a change."""
    interaction = find(request, pk)
    traces.leave_trace(request, interaction)
    return render(request, "inbox/_talk.html", talk_context(request, interaction))


@require_safe
def earlier(request: HttpRequest, pk: int) -> HttpResponse:
    """What passed before the place `before`, one page of it: put above the thread, or a page of its own."""
    interaction = find(request, pk)
    before = _place(request, "before")
    if before is None:
        return redirect("inbox:interaction", pk)
    traces.leave_trace(request, interaction)
    thread = conversation.conversation_page(person_of(request), interaction, before=before)
    if is_partial(request):
        return render(request, "inbox/_earlier_page.html", {"interaction": interaction, "before": before, **thread})
    return workspace(request, pk, thread=thread, is_past=True)


@require_safe
def side_pane(request: HttpRequest, pk: int) -> HttpResponse:
    """The patient's panel, drawn again after a change."""
    interaction = find(request, pk)
    patient = traces.opened(request, interaction)
    return render(request, "inbox/_side.html", side_context(request, interaction, patient))


def show(request: HttpRequest, pk: int, said: str = "") -> HttpResponse:
    """After a change: the workspace for htmx, else back to the page; the list for whoever may not see it any more."""
    try:
        found = find(request, pk, is_for_guests=True)
    except Http404:
        away = redirect("inbox:list")
        if is_partial(request):
            return HttpResponse(headers={"HX-Redirect": away.url})
        return say(request, away, said) if said else away
    response = workspace(request, pk, known=found) if is_partial(request) else redirect("inbox:interaction", pk)
    return say(request, response, said) if said else response


def act(request: HttpRequest, pk: int, verb: Callable[..., object], said: str = "") -> HttpResponse:
    """One verb of this person on a conversation they may find, then the workspace; a refusal is told beside it."""
    find(request, pk)
    try:
        verb(actor=person_of(request), interaction_id=pk)
    except Refused as error:
        return show_refusal(request, pk, error)
    return show(request, pk, said)


def show_refusal(request: HttpRequest, pk: int, error: Refused) -> HttpResponse:
    """Why it was not done, with the conversation as it is now."""
    if is_partial(request):
        return say(request, workspace(request, pk, status=status_of(error)), str(error), is_error=True)
    return say(request, redirect("inbox:interaction", pk), str(error), is_error=True)
