"""The reply box: send, note, send later, and what helps to write."""

import hashlib
import json
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, say, status_of
from contact_center.common.errors import Refused
from contact_center.common.moments import moment_words
from contact_center.common.numbers import number_of, numbers_in
from inbox import realtime
from inbox.enums import ChannelKind
from inbox.forms import MOST_TEXT, ComposeForm
from inbox.later_forms import LaterForm
from inbox.models import CannedReply, Interaction, Message
from inbox.models.writing import SENSITIVE
from inbox.selectors import conversation
from inbox.selectors.canned import canned_for, get_canned_for
from inbox.selectors.uploads import digests_of
from inbox.services import interactions as desk
from inbox.services.drafts import NOTE, drop_draft, keep_draft
from inbox.services.identity import Unverified
from inbox.services.replies import NewerMessage, reply
from inbox.views.answers import close_dialog, render_form
from inbox.views.interactions import find, show, workspace
from inbox.views.uploads import is_about_a_file, keep_files


@require_POST
def compose(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a reply on the chosen channel, or add a note.

    `do` names the button: send (also empty), close (send, then wrap up), later (ask when), schedule (at that moment),
    canned and insert (without JavaScript), and `remove` names a file to take out. Files of the form are kept first, so
    that a refusal loses none.
    """
    interaction = find(request, pk, is_for_guests=request.POST.get("mode") == "note")
    form = ComposeForm(request.POST)
    if not form.is_valid():
        typed = request.POST.get("text", "")
        said = _("Write a message first.")
        if len(typed) > MOST_TEXT:
            said = _("This message is too long: %(limit)s characters at most.") % {"limit": MOST_TEXT}
        return workspace(request, pk, status=422, composer_errors=said, composer_text=typed)
    data = form.cleaned_data
    if data["do"] in ("canned", "insert"):
        return _with_canned(request, interaction, data)
    if is_about_a_file(request):
        return workspace(request, pk, **_kept(data))
    added, problems = keep_files(request, interaction_id=pk)
    data["uploads"] = [*form.upload_ids(), *added]
    if problems:
        return workspace(request, pk, status=422, upload_problems=problems, **_kept(data))
    if data["do"] in ("later", "schedule") and data["mode"] != NOTE:
        return _later(request, interaction, data)
    return _send_now(request, interaction, data)


def _kept(data: dict[str, Any]) -> dict[str, Any]:
    kept = {"composer_text": data["text"], "mode": data["mode"], "composer_cc": data["cc"]}
    return kept | {"composer_sensitive": data["sensitive"]}


def _send_now(request: HttpRequest, interaction: Interaction, data: dict[str, Any]) -> HttpResponse:
    pk = interaction.pk
    try:
        with realtime.atomic():
            message = _send(request, interaction, data)
            drop_draft(actor=person_of(request), interaction_id=pk)
    except Refused as error:
        kept = _keep_refused(request, interaction, data, error)
        return workspace(request, pk, status=status_of(error), composer_errors=str(error), **kept)
    is_closing = data["do"] == "close" and message is not None
    if is_closing and not is_partial(request):
        return redirect("inbox:wrap-up", pk)
    response = show(request, pk)
    if is_closing:
        _trigger(response, "wrap-up-now", {})
    if message is not None and message.next_attempt_at and not message.scheduled_at and is_partial(request):
        _trigger(response, "undo-offer", undo_offer(message))
    return response


def undo_offer(message: Message) -> dict[str, Any]:
    """What the page needs to offer that a message is taken back: address and words, never what it says."""
    return {
        "url": reverse("inbox:take-back", args=[message.pk]),
        "interaction": message.interaction_id,
        "seconds": settings.MAIL_UNDO_SECONDS,
        "text": _("Sending in %s s"),
        "label": _("Undo"),
    }


def _trigger(response: HttpResponse, name: str, detail: dict[str, Any]) -> None:
    events = json.loads(response.headers.get("HX-Trigger", "{}"))
    response["HX-Trigger"] = json.dumps(events | {name: detail})


def _keep_refused(
    request: HttpRequest, interaction: Interaction, data: dict[str, Any], error: Refused
) -> dict[str, Any]:
    """What was refused stays in the reply box and as a draft; a newer message that was told of now counts as seen."""
    user = person_of(request)
    kept: dict[str, Any] = _kept(data) | {"is_unverified": isinstance(error, Unverified)}
    if isinstance(error, NewerMessage):
        kept["seen_message_id"] = conversation.latest_message_ids(user, interaction)[0]
        kept["draft_newer"] = 0
    with suppress(Refused):
        keep_draft(
            actor=user,
            interaction_id=interaction.pk,
            seen_message_id=kept.get("seen_message_id", data["seen_message_id"] or 0),
            mode=data["mode"] + (SENSITIVE if data["sensitive"] else ""),
            text=data["text"],
        )
    return kept


def _with_canned(request: HttpRequest, interaction: Interaction, data: dict[str, Any]) -> HttpResponse:
    """The page again with the canned replies to choose from, or with the chosen one in the text (no JavaScript)."""
    user = person_of(request)
    kept: dict[str, Any] = _kept(data)
    if data["do"] == "canned":
        offers = canned_for(user, interaction, data["mode"])
        said = None if offers else _("No canned reply fits.")
        return workspace(request, interaction.pk, canned_offers=offers, composer_errors=said, **kept)
    try:
        text = get_canned_for(user, interaction, data["canned"] or 0).text
    except CannedReply.DoesNotExist:
        refusal = _("Choose a canned reply from the list.")
        offers = canned_for(user, interaction, data["mode"])
        return workspace(request, interaction.pk, status=422, canned_offers=offers, composer_errors=refusal, **kept)
    kept["composer_text"] = f"{data['text'].rstrip()}\n{text}".strip()
    return workspace(request, interaction.pk, **kept)


def _later(request: HttpRequest, interaction: Interaction, data: dict[str, Any]) -> HttpResponse:
    """Ask when, or send at the chosen moment; what was typed travels with the dialog and stays in the box till then."""
    is_chosen = data["do"] == "schedule"
    form = LaterForm(request.POST if is_chosen else None, interaction=interaction)
    status = 200
    if is_chosen:
        status = 422
        if form.is_valid():
            try:
                with realtime.atomic():
                    message = _send(request, interaction, data, scheduled_at=form.moment())
                    drop_draft(actor=person_of(request), interaction_id=interaction.pk)
            except Refused as error:
                form.add_error(None, str(error))
                status = status_of(error)
            else:
                return _scheduled(request, interaction, message)
    context = {"interaction": interaction, "form": form, "data": data, "form_url": _compose_url(interaction)}
    response = render_form(request, "later", context, status=status)
    if is_partial(request):
        response["HX-Retarget"], response["HX-Reswap"], response["X-Composer"] = "#dialogs", "innerHTML", "keep"
    return response


def _scheduled(request: HttpRequest, interaction: Interaction, message: Message | None) -> HttpResponse:
    assert message is not None
    assert message.scheduled_at is not None
    response = show(request, interaction.pk)
    if is_partial(request):
        response = close_dialog(response)
        _trigger(response, "composer-taken", {"interaction": interaction.pk})
    return say(request, response, _("It will be sent on %(moment)s.") % {"moment": moment_words(message.scheduled_at)})


def _compose_url(interaction: Interaction) -> str:
    return reverse("inbox:compose", args=[interaction.pk])


def _send(
    request: HttpRequest, interaction: Interaction, data: dict[str, Any], *, scheduled_at: datetime | None = None
) -> Message | None:
    user, text, mode = person_of(request), data["text"], data["mode"]
    if mode == NOTE:
        files, before = data["uploads"], data["draft_round"].rpartition("-")[2]
        desk.add_note(
            actor=user,
            interaction_id=interaction.pk,
            body=text,
            mention_ids=numbers_in(request.POST, "mention"),
            upload_ids=files,
            after_note_id=number_of(before),
        )
        return None
    is_mail = mode == ChannelKind.EMAIL
    copies = data["cc"].replace(";", ",").split(",") if is_mail else []
    words = [
        mode,
        text,
        *digests_of(user, interaction, data["uploads"]),
        *copies,
        *(["!"] if data["sensitive"] else []),
    ]
    if scheduled_at is not None:
        words.append(scheduled_at.isoformat())
    return reply(
        actor=user,
        interaction_id=interaction.pk,
        channel_id=channel_of(interaction, mode),
        text=text,
        idempotency_key=send_key(data["form_key"], *words),
        seen_message_id=data["seen_message_id"],
        upload_ids=data["uploads"],
        cc=copies,
        scheduled_at=scheduled_at,
        is_sensitive=data["sensitive"],
        is_unchecked_taken_on=data["unchecked"],
        held_seconds=settings.MAIL_UNDO_SECONDS if is_mail and scheduled_at is None else 0,
    )


def channel_of(interaction: Interaction, kind: str) -> int:
    """Id of our channel of that kind for this conversation. Raises Refused when there is none to answer by."""
    found = [option.channel_id for option in conversation.reply_options(interaction) if option.kind == kind]
    if not found:
        raise Refused(_("Choose a channel that can be answered."))
    return found[0]


def send_key(form_key: str, *words: str) -> str:
    """The same form sent twice has the same key; another text, or the next message, has another one."""
    return hashlib.sha256("\x1f".join([form_key, *words]).encode()).hexdigest() if form_key else ""
