"""The live board: the wall, the rows behind its figures, and what supervisors do about people's state and work."""

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from analytics.forms import PersonForm
from analytics.selectors.board import board_of, day_began
from analytics.selectors.days import occupancy_of
from analytics.selectors.rows import contacts_of, rows_of, work_of
from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import Presence, Team, User
from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, say, status_of
from contact_center.common.errors import Refused
from inbox import realtime
from inbox.models import Interaction, Queue
from inbox.selectors.team import may_see_team
from inbox.services import supervising

PER_PAGE, MOST_PAGES = 50, 200


def _supervisor(request: HttpRequest) -> User:
    user = person_of(request)
    if not may_see_team(user):
        raise PermissionDenied
    return user


def _number(request: HttpRequest, name: str) -> int | None:
    """An id in the address; None without one, 404 for what is none."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Http404
    return int(text)


def _board(request: HttpRequest, user: User) -> dict[str, Any]:
    team_id = _number(request, "team")
    team = Team.objects.filter(pk=team_id).first() if team_id else None
    if team_id and team is None:
        raise Http404
    board = board_of(user, team)
    topics = [realtime.TEAM_TOPIC, *(realtime.queue_topic(row.queue.pk) for row in board.rows)]
    return {
        "board": board,
        "team": team,
        "board_live": " ".join(f"{topic}:{seq}" for topic, seq in realtime.sequences_of(topics).items()),
    }


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """The wall, of all queues or of those of one `team`; drawn again when something changes. Dark unless the person
    chose light: it hangs in a room."""
    user = _supervisor(request)
    context = _board(request, user)
    if is_partial(request):
        return render(request, "analytics/_board.html", context)
    theme = request.COOKIES.get("theme")
    context |= {"theme": theme if theme in ("light", "dark") else "dark", "teams": list(Team.objects.order_by("name"))}
    return render(request, "analytics/board_page.html", context)


@require_safe
def rows(request: HttpRequest) -> HttpResponse:
    """What a `figure` counted today, of all queues or of one `queue`; with `person` when they were on contact."""
    user = _supervisor(request)
    person_id = _number(request, "person")
    if person_id is not None:
        person = User.objects.filter(pk=person_id, is_service_account=False).first()
        if person is None:
            raise Http404
        return render(request, "analytics/board_rows.html", {"person": person, "lines": contacts_of(user, person)})
    number = min(_number(request, "page") or 1, MOST_PAGES)
    try:
        page = rows_of(
            user,
            request.GET.get("figure", "waiting"),
            queue_id=_number(request, "queue"),
            start=(number - 1) * PER_PAGE,
        )
    except (KeyError, Queue.DoesNotExist):
        raise Http404 from None
    more = {"newer": number - 1, "older": number + 1 if page.total > number * PER_PAGE and number < MOST_PAGES else 0}
    return render(request, "analytics/board_rows.html", {"page": page, "lines": page.lines, **more})


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """What one person does and has open; a POST changes their state, hands work over, or ends what is stuck."""
    user = _supervisor(request)
    found = User.objects.filter(pk=pk, is_active=True, is_service_account=False).select_related("presence").first()
    if found is None:
        raise Http404
    presence = getattr(found, "presence", None) or Presence(user=found, state=PresenceState.OFFLINE)
    work = work_of(user, found)
    form = PersonForm(
        request.POST if request.method == "POST" else None, person_id=pk, work=work,
        initial={"state": presence.state},
    )  # fmt: skip
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                said, refused = _change(user, found, form.cleaned_data)
                return _done(request, user, said, refused)
            except Refused as error:
                form.add_error(None, str(error))
                status = status_of(error)
    now = timezone.now()
    context = {
        "form": form, "person": found, "presence": presence, "work": work, "chosen": request.POST.getlist("items"),
        "is_dialog": is_partial(request), "occupancy": occupancy_of({pk}, day_began(now), now)[pk],
    }  # fmt: skip
    name = "_person_dialog" if is_partial(request) else "person_page"
    return render(request, f"analytics/{name}.html", context, status=status)


def _change(actor: User, person: User, data: dict[str, Any]) -> tuple[str, list[str]]:
    """What was done in words, and the sentences of what was not. Raises Refused when nothing was."""
    why = data["why"]
    if data["do"] == "state":
        supervising.change_state(actor=actor, user_id=person.pk, state=data["state"], reason=why)
        return _("State changed. They are told why."), []
    if data["do"] == "hand_over":
        result = supervising.hand_over(actor=actor, user_id=person.pk, ids=data["items"], to=data["to"], reason=why)
    else:
        result = supervising.Done()
        for one in data["items"]:
            _complete(actor, person, one, data, result)
    if not result.done:
        raise Refused(" ".join(dict.fromkeys(sentence for _pk, sentence in result.refused)))
    n = len(result.done)
    said = ngettext("%(n)s conversation changed hands or ended.", "%(n)s conversations changed hands or ended.", n)
    return said % {"n": n}, [sentence for _pk, sentence in result.refused]


def _complete(actor: User, person: User, pk: int, data: dict[str, Any], result: supervising.Done) -> None:
    try:
        supervising.complete_stuck(
            actor=actor, user_id=person.pk, interaction_id=pk, disposition=data["disposition"], reason=data["why"],
            about=data["about"],
        )  # fmt: skip
        result.done.append(pk)
    except Refused as error:
        result.refused.append((pk, str(error)))
    except Interaction.DoesNotExist:
        result.refused.append((pk, _("It is no longer there.")))


def _done(request: HttpRequest, user: User, said: str, refused: list[str]) -> HttpResponse:
    """The board as it is now, the dialog closed."""
    if not is_partial(request):
        answer: HttpResponse = redirect("analytics:board")
    else:
        answer = render(request, "analytics/_board.html", _board(request, user))
        answer["HX-Retarget"], answer["HX-Reswap"] = "#board", "outerMorph"
        answer["HX-Trigger"] = json.dumps({"dialog-done": {}})
    answer = say(request, answer, said)
    for sentence in refused[:3]:
        answer = say(request, answer, _("One was not: %(why)s") % {"why": sentence}, is_error=True)
    return answer
