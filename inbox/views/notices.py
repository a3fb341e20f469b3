"""The bell, its panel, the page of notifications and how one wants to be told."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of
from contact_center.common.addresses import place_of
from contact_center.common.answers import is_partial, say
from contact_center.common.request_memory import remembered
from contact_center.common.shell import badge_id, entries_for, menu_for
from inbox import realtime
from inbox.enums import NotificationKind
from inbox.models import Notification
from inbox.selectors import notifications as told
from inbox.selectors.distribution import Own, own_state
from inbox.selectors.mentions import suggestions
from inbox.selectors.pages import page_of
from inbox.services.notifications import mark_read, save_wishes
from inbox.views.interactions import find

IN_PANEL = 12
FRESH_SECONDS = 90
WAYS = ("in_app", "sound", "desktop", "email")


def bell_context(request: HttpRequest) -> dict[str, Any] | None:
    """Count, live topic and what came just now; None for people who do not work in the inbox or outbox."""
    user = request.user
    if not isinstance(user, User):
        return None
    topic, own = own_topic(user)
    count = told.unread_count_of(user)
    fresh = told.notices(user, told.fresh_of(user, seconds=FRESH_SECONDS)) if count else []
    return {"bell_live": f"{topic}:{own.sequence}", "unread_count": count, "fresh_notices": fresh}


def own_topic(user: User) -> tuple[str, Own]:
    """The topic of what concerns the person, and what is so now; looked up once per request."""
    topic = realtime.agent_topic(user.pk)
    return topic, remembered(("own", topic), lambda: own_state(user.pk, topic))


def unread_work(request: HttpRequest) -> int:
    """How many open conversations of the person hold something they have not read."""
    return own_topic(person_of(request))[1].unread


def palette_context(request: HttpRequest) -> dict[str, Any]:
    """Places to go to, for the palette; whether it can also search."""
    can_work = can(person_of(request), Action.WORK_INBOX)
    places = [{"title": entry["title"], "icon": entry["icon"], "url": entry["url"]} for entry in entries_for(request)]
    places += [
        {"title": entry.title, "icon": entry.icon, "url": place_of(entry.url_name)} for entry in menu_for(request)
    ]
    return {"places": places, "can_work": can_work}


@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """The bell, drawn again after a change, and the number at the inbox in the rail with it."""
    context = bell_context(request) or {}
    if can(person_of(request), Action.WORK_INBOX):
        context |= {"badge": badge_id("inbox:list"), "waiting": unread_work(request)}
    return render(request, "inbox/_bell_mark.html", context)


@require_safe
def notification_list(request: HttpRequest) -> HttpResponse:
    """Everything the person was told; for htmx the newest as the bell's panel."""
    user = person_of(request)
    if is_partial(request):
        rows = told.notices(user, told.notifications_of(user)[:IN_PANEL])
        return render(request, "inbox/_notices.html", {"notices": rows, "is_panel": True})
    page = page_of(told.notifications_of(user), request.GET.get("page", ""))
    context = {"notices": told.notices(user, page.object_list), "page": page}
    return render(request, "inbox/notification_list.html", context)


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything as read."""
    mark_read(actor=person_of(request))
    return redirect("inbox:notifications")


@require_POST
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one as read and go to what it is about."""
    user = person_of(request)
    try:
        row = told.notifications_of(user).get(pk=pk)
    except Notification.DoesNotExist:
        raise Http404 from None
    mark_read(actor=user, ids=[pk])
    url = told.notices(user, [row])[0].url
    if not url:
        return say(request, redirect("inbox:notifications"), _("You may no longer see that conversation."))
    return redirect(url)


@require_http_methods(["GET", "HEAD", "POST"])
def notification_preferences(request: HttpRequest) -> HttpResponse:
    """Per kind of event: in the panel, with a sound, on the desktop, by e-mail."""
    user = person_of(request)
    if request.method == "POST":
        wanted = {
            kind: told.Wish(**{way: f"{kind}-{way}" in request.POST for way in WAYS}) for kind in NotificationKind
        }
        save_wishes(actor=user, wishes=wanted)
        return say(request, redirect("inbox:notification-preferences"), _("Saved."))
    wishes = told.wishes_of(user)
    kinds = [{"kind": kind, "ways": [(way, getattr(wishes[kind], way)) for way in WAYS]} for kind in NotificationKind]
    return render(request, "inbox/notification_preferences.html", {"kinds": kinds})


@require_safe
def mentionable(request: HttpRequest, pk: int) -> HttpResponse:
    """Colleagues whom a note in this conversation can name; `name` is how it begins."""
    interaction = find(request, pk)
    text = request.GET.get("name", "")[:60]
    found = suggestions(person_of(request), interaction, text)
    return render(request, "inbox/_mentionable.html", {"people": found, "interaction": interaction})
