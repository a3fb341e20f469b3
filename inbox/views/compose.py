"""The reply box: send, note, and what helps to write."""

import hashlib
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contact_center.common.errors import Refused
from inbox import realtime
from inbox.forms import ComposeForm
from inbox.models import CannedReply, Interaction
from inbox.selectors import conversation
from inbox.selectors.canned import canned_for, get_canned_for
from inbox.services import interactions as desk
from inbox.services.drafts import drop_draft, keep_draft
from inbox.services.replies import NewerMessage, reply
from inbox.views.answers import person_of, status_of
from inbox.views.interactions import find, show, workspace


@require_POST
def compose(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a reply on the chosen channel, or add a note. `do` names the button: canned, insert, else send."""
    interaction = find(request, pk, is_for_guests=request.POST.get("mode") == "note")
    form = ComposeForm(request.POST)
    if not form.is_valid():
        typed = request.POST.get("text", "")[:100_000]
        return workspace(request, pk, status=422, composer_errors=_("Write a message first."), composer_text=typed)
    data = form.cleaned_data
    if data["do"] in ("canned", "insert"):
        return _with_canned(request, interaction, data)
    try:
        with realtime.atomic():
            _send(request, interaction, data)
            drop_draft(actor=person_of(request), interaction_id=pk)
    except Refused as error:
        kept = _keep_refused(request, interaction, data, error)
        return workspace(request, pk, status=status_of(error), composer_errors=str(error), **kept)
    return show(request, pk)


def _keep_refused(
    request: HttpRequest, interaction: Interaction, data: dict[str, Any], error: Refused
) -> dict[str, Any]:
    """What was refused stays in the reply box and as a draft; a newer message that was told of now counts as seen."""
    user = person_of(request)
    kept: dict[str, Any] = {"composer_text": data["text"], "mode": data["mode"]}
    if isinstance(error, NewerMessage):
        kept["seen_message_id"] = conversation.latest_message_ids(user, interaction)[0]
        kept["draft_newer"] = 0
    with suppress(Refused):
        keep_draft(
            actor=user,
            interaction_id=interaction.pk,
            seen_message_id=kept.get("seen_message_id", data["seen_message_id"] or 0),
            mode=data["mode"],
            text=data["text"],
        )
    return kept


def _with_canned(request: HttpRequest, interaction: Interaction, data: dict[str, Any]) -> HttpResponse:
    """The page again with the canned replies to choose from, or with the chosen one in the text (no JavaScript)."""
    user = person_of(request)
    kept: dict[str, Any] = {"composer_text": data["text"], "mode": data["mode"]}
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


def _send(request: HttpRequest, interaction: Interaction, data: dict[str, Any]) -> None:
    user, text = person_of(request), data["text"]
    if data["mode"] == "note":
        named = [int(pk) for pk in request.POST.getlist("mention") if pk.isdecimal() and len(pk) < 19]
        desk.add_note(actor=user, interaction_id=interaction.pk, body=text, mention_ids=named)
        return
    reply(
        actor=user,
        interaction_id=interaction.pk,
        channel_id=channel_of(interaction, data["mode"]),
        text=text,
        idempotency_key=send_key(data["form_key"], data["mode"], text),
        seen_message_id=data["seen_message_id"],
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
