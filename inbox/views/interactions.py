"""The inbox list and the conversation."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contact_center.accounts.enums import Action
from contact_center.accounts.middleware import BACKGROUND_HEADER
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.errors import Refused
from inbox import policies, realtime
from inbox.models import Interaction
from inbox.selectors import conversation, lists
from inbox.selectors.drafts import drafted_by, writing_context
from inbox.selectors.interactions import get_interaction_for, get_readable_for
from inbox.selectors.thread import Place
from inbox.services import interactions as desk
from inbox.services.notifications import see
from inbox.views import traces
from inbox.views.answers import is_partial, person_of, say, status_of
from patients.models import Patient
from patients.selectors import search_patients
from patients.services import search_records

OTHERS_SHOWN = 8


def _live(topics: list[str]) -> str:
    return " ".join(f"{topic}:{seq}" for topic, seq in realtime.sequences_of(topics).items())


def _views_context(request: HttpRequest) -> dict[str, Any]:
    user = person_of(request)
    # Sequences are read before the rows, so that a change in between is fetched again rather than missed.
    live = _live(lists.all_topics(user))
    groups = lists.view_groups_of(user)
    view = lists.chosen_view(groups, request.GET.get("view", ""))
    return {"view_groups": groups, "view": view, "views_live": live}


def _rows_context(request: HttpRequest, view: lists.View) -> dict[str, Any]:
    user = person_of(request)
    search_key, query = traces.kept_search(request)
    number = request.GET.get("page", "")
    live = _live(lists.topics_of(user, view))
    found = lists.view_rows(user, view)
    if query:
        # A list that refreshes itself repeats the search that is on record already.
        look = search_patients if BACKGROUND_HEADER in request.headers else search_records
        patients = look(user, query, limit=50)
        found = lists.matching(found, query, [patient.pk for patient in patients])
    page = lists.page_of(found, int(number) if number.isdecimal() else 1)
    return {
        "page": page,
        "row_groups": _grouped(page.object_list, view),
        "query": query,
        "search_key": search_key,
        "list_live": live,
        "draft_ids": drafted_by(user, [row.pk for row in page.object_list]),
        "unassigned_url": f"{reverse('inbox:list')}?view=unassigned",
    }


def _grouped(rows: list[Interaction], view: lists.View) -> list[dict[str, Any]]:
    if view.key == "closed":
        groups = [(_("Closed"), "circle-check", rows)]
    else:
        waiting = [row for row in rows if row.waiting_since_at]
        resting = [row for row in rows if not row.waiting_since_at]
        groups = [(_("Waiting for us"), "timer", waiting), (_("Waiting for the patient"), "hourglass", resting)]
    return [{"title": title, "icon": icon, "rows": found} for title, icon, found in groups if found]


def _list_context(request: HttpRequest) -> dict[str, Any]:
    context = _views_context(request)
    return context | _rows_context(request, context["view"])


def _require_desk(request: HttpRequest) -> None:
    if not can(person_of(request), Action.WORK_INBOX):
        raise PermissionDenied


@require_safe
def interaction_list(request: HttpRequest) -> HttpResponse:
    """The inbox without an open conversation."""
    _require_desk(request)
    return render(request, "inbox/interaction_list.html", _list_context(request))


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Search in a view. What was typed stays in the session; the address of the list carries only a key."""
    _require_desk(request)
    text = request.POST.get("q", "").strip()[:100]
    named = {"view": request.POST.get("view", "mine")[:40]}
    if text:
        named["s"] = traces.keep_search(request, text)
    return redirect(f"{reverse('inbox:list')}?{urlencode(named)}")


@require_safe
def views_pane(request: HttpRequest) -> HttpResponse:
    """Views and their counts."""
    _require_desk(request)
    return render(request, "inbox/_views.html", _views_context(request))


@require_safe
def rows_pane(request: HttpRequest) -> HttpResponse:
    """The rows of one view."""
    _require_desk(request)
    return render(request, "inbox/_list.html", _list_context(request))


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
    topic = realtime.interaction_topic(interaction.pk)
    sequence = realtime.sequences_of([topic])[topic]
    may = _may(user, interaction)
    seen, sent = conversation.latest_message_ids(user, interaction)
    options = conversation.reply_options(interaction) if may["reply"] else []
    return {
        "interaction": interaction,
        "view": extra.pop("view", None) or {"key": request.GET.get("view", "mine")[:40]},
        "sequence": sequence,
        "can": may,
        "reply_options": options,
        "mode": conversation.mode_for(interaction, options),
        "seen_message_id": seen,
        "form_key": f"{interaction.pk}-{user.pk}-{sent}",
        "newest_message_id": seen,
        **writing_context(user, interaction, newest=seen, sent=sent, modes=_modes(options)),
        **(
            extra.pop("thread", None)
            or conversation.conversation_page(user, interaction, since=_place(request, "from"))
        ),
    } | extra


def _modes(options: list[conversation.ReplyOption]) -> set[str]:
    return {option.kind for option in options if option.is_available or option.needs_template} | {"note"}


def _place(request: HttpRequest, name: str) -> Place | None:
    return Place.read(request.GET.get(name, ""))


def side_context(request: HttpRequest, interaction: Interaction, patient: Patient | None) -> dict[str, Any]:
    """What the panel beside the conversation shows of the patient."""
    user = person_of(request)
    topic = realtime.interaction_topic(interaction.pk)
    context: dict[str, Any] = {
        "interaction": interaction,
        "patient": patient,
        "can": _may(user, interaction),
        "sequence": realtime.sequences_of([topic])[topic],
    }
    if patient is None:
        return context | {"candidates": conversation.candidates_for(user, interaction)}
    others = list(conversation.other_interactions(user, interaction, limit=OTHERS_SHOWN + 1))
    return context | {
        "contact_points": list(patient.contact_points.all()),
        "related": conversation.relatives_of(user, patient),
        "others": others[:OTHERS_SHOWN],
        "has_more_others": len(others) > OTHERS_SHOWN,
        "cases": list(conversation.open_cases(user, interaction)),
    }


def workspace(request: HttpRequest, interaction_id: int, *, status: int = 200, **extra: Any) -> HttpResponse:
    """The conversation with its side panel."""
    interaction = find(request, interaction_id, is_for_guests=True)
    patient = traces.opened(request, interaction)
    context = side_context(request, interaction, patient) | talk_context(request, interaction, **extra)
    if is_partial(request):
        return render(request, "inbox/_workspace.html", context, status=status)
    frame = _list_context(request)
    return render(
        request, "inbox/interaction_list.html", context | frame | {"selected_id": interaction.pk}, status=status
    )


@require_safe
def interaction_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a conversation: everything that passed with this person, the patient beside it, the way to answer."""
    interaction = find(request, pk)
    if interaction.unread_count and interaction.owner_id == person_of(request).pk:
        desk.mark_read(actor=person_of(request), interaction_id=pk)
    see(actor=person_of(request), interaction_id=pk)
    return workspace(request, pk)


@require_safe
def talk_pane(request: HttpRequest, pk: int) -> HttpResponse:
    """Head, thread and reply box, drawn again after a change."""
    interaction = find(request, pk)
    traces.opened(request, interaction)
    return render(request, "inbox/_talk.html", talk_context(request, interaction))


@require_safe
def earlier(request: HttpRequest, pk: int) -> HttpResponse:
    """What passed before the place `before`, one page of it: put above the thread, or a page of its own."""
    interaction = find(request, pk)
    before = _place(request, "before")
    if before is None:
        return redirect("inbox:interaction", pk)
    traces.opened(request, interaction)
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
    """After a change: the workspace for htmx, else back to the page."""
    response = workspace(request, pk) if is_partial(request) else redirect("inbox:interaction", pk)
    return say(request, response, said) if said else response


def show_refusal(request: HttpRequest, pk: int, error: Refused) -> HttpResponse:
    """Why it was not done, with the conversation as it is now."""
    if is_partial(request):
        return say(request, workspace(request, pk, status=status_of(error)), str(error), is_error=True)
    return say(request, redirect("inbox:interaction", pk), str(error), is_error=True)
