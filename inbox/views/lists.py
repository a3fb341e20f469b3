"""The inbox list: views with their counts, rows under filters, orders and a search."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contact_center.accounts.enums import Action
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial
from contact_center.common.budget import OutOfTime, within
from inbox import realtime
from inbox.enums import ChannelKind, InteractionStatus
from inbox.models import Interaction
from inbox.selectors import choices, lists, pane, search
from inbox.selectors.conditions import FIELDS, Conditions
from inbox.selectors.drafts import drafted_by
from inbox.selectors.keyset import Page, page_after, read_place
from inbox.selectors.list_rows import ListRow, as_rows
from inbox.views import traces

LIST_BUDGET = 2_000  # milliseconds for each statement


def require_desk(request: HttpRequest) -> None:
    """Raises PermissionDenied for people who do not work the inbox."""
    if not can(person_of(request), Action.WORK_INBOX):
        raise PermissionDenied


def _live(topics: list[str]) -> str:
    return " ".join(f"{topic}:{seq}" for topic, seq in realtime.sequences_of(topics).items())


def _views_context(request: HttpRequest) -> dict[str, Any]:
    user = person_of(request)
    # Sequences are read before the rows, so that a change in between is fetched again rather than missed.
    live = _live(lists.all_topics(user))
    groups = pane.view_groups_of(user)
    view = pane.chosen_view(groups, request.GET.get("view", ""))
    return {
        "view_groups": groups,
        "view": view,
        "views_live": live,
        "deleted_view": request.session.get("deleted_view") if request.GET.get("undo") == "view" else None,
    }


def _rows_context(request: HttpRequest, view: lists.View) -> dict[str, Any]:
    user = person_of(request)
    look = lists.Look.read(view, request.GET)
    search_key, query = traces.kept_search(request)
    live = _live(lists.topics_of(user, view))
    page, is_late = rows_of(request, look, query, request.GET.get("after", ""))
    base = look.query() + (f"&{urlencode({'s': search_key})}" if search_key else "")
    return {
        "page": page,
        "after": request.GET.get("after", "") if not page.is_first else "",
        "row_groups": grouped(page.object_list, view),
        "look": look,
        "look_counts": lists.look_counts(user, look),
        "look_query": base,
        "segments": _segments(look),
        "orders": [(key, label, look.query(order=key)) for key, label in lists.ORDERS.items()],
        "chips": _chips(request, look),
        "troubles": _troubles(request, view),
        "query": query,
        "is_late": is_late,
        "search_key": search_key,
        "list_live": live,
        "draft_ids": drafted_by(user, [row.pk for row in page.object_list]),
        "unassigned_url": f"{reverse('inbox:list')}?view=unassigned",
    }


def rows_of(request: HttpRequest, look: lists.Look, query: str, after: str) -> tuple[Page, bool]:
    """A page of the rows that are asked for, the first one or the one behind a place, and whether the time for looking
    ran out: then without the words of messages, and in the end without rows."""
    user = person_of(request)
    page = None if query or after else lists.first_rows(user, look)
    if page is not None:
        return page, False
    found, order = lists.view_rows(user, look), lists.order_of(look)
    ways: list[Callable[[], QuerySet[Interaction]]] = [lambda: found]
    if query:
        patients = traces.searched_patients(request, query)
        ways = [
            lambda: search.matching(found, query, patients, is_past=look.view.is_past),
            lambda: found.filter(patient_id__in=patients),
        ]
    for is_second, way in enumerate(ways):
        try:
            with within(LIST_BUDGET):
                page = page_after(way(), order, read_place(after, order), read=as_rows)
                if query and not is_second:
                    search.mark(page.object_list, query)
                return page, bool(is_second)
        except OutOfTime:
            continue
    return Page([]), True


def _segments(look: lists.Look) -> list[tuple[str, str, str]]:
    found = [("all", _("All"), look.query(show="all"))]
    if not look.view.is_past:
        found.append(("unread", _("Unread"), look.query(show="unread")))
    return [*found, ("mine", _("Mine"), look.query(show="mine"))] if look.view.key != "mine" else found


def _chips(request: HttpRequest, look: lists.Look) -> list[dict[str, Any]]:
    return [
        {
            "label": chip.label,
            "trouble": chip.trouble,
            "query": look.query(filters=look.filters.without(chip.field, chip.value)),
        }
        for chip in choices.chips_of(look.filters, person_of(request))
    ]


def _troubles(request: HttpRequest, view: lists.View) -> list[str]:
    """What a saved view asks for and does not exist any more, in words."""
    found = [chip.trouble for chip in choices.chips_of(view.conditions, person_of(request)) if chip.trouble]
    if view.conditions.dropped:
        found.append(_("A condition of this view is not understood any more."))
    return list(dict.fromkeys(found))


def grouped(rows: list[ListRow], view: lists.View) -> list[dict[str, Any]]:
    """Rows under their headings, empty headings left out."""
    if view.is_past or view.key in ("snoozed", "mentions", "drafts"):
        groups = [(view.title, view.icon, rows)]
    else:
        waiting = [row for row in rows if _is_ours(row)]
        resting = [row for row in rows if not _is_ours(row)]
        groups = [(_("Waiting for us"), "timer", waiting), (_("Waiting for the patient"), "hourglass", resting)]
    return [{"title": title, "icon": icon, "rows": found} for title, icon, found in groups if found]


def _is_ours(row: ListRow) -> bool:
    """It is our turn: somebody waits for an answer, is on the line, or the wrap-up is to be written."""
    is_on_line = row.status == InteractionStatus.ACTIVE and row.channel_kind == ChannelKind.VOICE
    return bool(row.waiting_since_at) or row.status == InteractionStatus.WRAP_UP or is_on_line


def list_context(request: HttpRequest) -> dict[str, Any]:
    """Views pane and list, as the address asks for them."""
    context = _views_context(request)
    return context | _rows_context(request, context["view"])


@require_safe
def interaction_list(request: HttpRequest) -> HttpResponse:
    """The inbox without an open conversation."""
    require_desk(request)
    return render(request, "inbox/interaction_list.html", list_context(request))


@require_POST
def search_view(request: HttpRequest) -> HttpResponse:
    """Search in a view. What was typed stays in the session; the address of the list carries only a key."""
    require_desk(request)
    text = search.clean(request.POST.get("q", ""))
    named = [("view", request.POST.get("view", "mine")[:40])]
    if text:
        named.append(("s", traces.keep_search(request, text)))
    return redirect(f"{reverse('inbox:list')}?{urlencode(named)}")


@require_safe
def views_pane(request: HttpRequest) -> HttpResponse:
    """Views and their counts."""
    require_desk(request)
    return render(request, "inbox/_views.html", _views_context(request))


@require_safe
def rows_pane(request: HttpRequest) -> HttpResponse:
    """The rows of one view."""
    require_desk(request)
    view = pane.view_of(person_of(request), request.GET.get("view", ""))
    return render(request, "inbox/_list.html", {"view": view, **_rows_context(request, view)})


@require_safe
def filter_form(request: HttpRequest) -> HttpResponse:
    """What the list can be filtered by: a dialog, or a page of its own."""
    require_desk(request)
    user = person_of(request)
    view = pane.view_of(user, request.GET.get("view", ""))
    look = lists.Look.read(view, request.GET)
    context: dict[str, Any] = {"look": look, "fields": filter_fields(choices.choices_for(user), look.filters)}
    if is_partial(request):
        return render(request, "inbox/_dialog_filter.html", context | {"is_dialog": True})
    return render(request, "inbox/filter_form.html", context | {"is_dialog": False})


def filter_fields(known: dict[str, list[choices.Choice]], chosen: Conditions) -> list[dict[str, Any]]:
    """The fields of a filter or saved view with their choices, each marked when it is chosen."""
    rules = {rule.field: rule for rule in chosen.rules}
    return [
        {
            "key": key,
            "label": one.label,
            "kind": one.kind,
            "is_negated": key in rules and rules[key].is_negated,
            "count": len(rules[key].values) if key in rules else 0,
            "choices": [(choice, key in rules and choice.value in rules[key].values) for choice in known[key]],
        }
        for key, one in FIELDS.items()
    ]
