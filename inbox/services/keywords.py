"""STOP, START and HELP: in force at once, answered once."""

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from inbox.enums import MessagePurpose, TimelineKind
from inbox.keywords import Keyword, find_keyword, has_two_meanings
from inbox.models import Interaction, Message, OptOut, TimelineEvent
from inbox.selectors.gate_facts import is_opted_out
from inbox.services.locks import hold_for_transaction
from inbox.services.outbox import enqueue
from inbox.services.shared_phones import is_awaited

SEND_LASTS_SECONDS = 15  # a provider's time-out and a little


def apply(interaction: Interaction, message: Message) -> Keyword | None:
    """Act on a message that is a keyword and nothing else; other messages are left alone.

    A word such as "cancel" is left alone too where an app waits for an answer from this address: it will ask.

    Waits for a send to this address that has already begun, so nothing leaves after the opt-out is stored.
    """
    keyword = find_keyword(message.text)
    if keyword is None and find_keyword(message.text, is_opted_out=True) is None:
        return None
    was_out = is_opted_out(message.channel_kind, message.address)
    keyword = find_keyword(message.text, is_opted_out=was_out)
    if keyword == Keyword.STOP and has_two_meanings(message.text) and not was_out and is_awaited(message):
        return None
    if keyword is None or not message.address:
        return None
    if keyword == Keyword.STOP and not was_out:
        _opt_out(interaction, message)
    elif keyword == Keyword.START and was_out:
        _opt_in(interaction, message)
    elif keyword != Keyword.HELP:
        return keyword
    _confirm(interaction, message, keyword)
    return keyword


def _opt_out(interaction: Interaction, message: Message) -> None:
    hold_for_transaction("send", message.channel_kind, message.address, wait_seconds=SEND_LASTS_SECONDS)
    OptOut.objects.create(
        channel_kind=message.channel_kind,
        address=message.address,
        keyword=message.text.strip()[:40],
        started_at=timezone.now(),
    )
    _note(interaction, TimelineKind.OPTED_OUT, AuditAction.OPTED_OUT)


def _opt_in(interaction: Interaction, message: Message) -> None:
    OptOut.objects.filter(channel_kind=message.channel_kind, address=message.address, ended_at=None).update(
        ended_at=timezone.now()
    )
    _note(interaction, TimelineKind.OPTED_IN, AuditAction.OPTED_IN)


def _note(interaction: Interaction, kind: TimelineKind, action: AuditAction) -> None:
    TimelineEvent.objects.create(interaction=interaction, kind=kind)
    record(
        actor=None,
        action=action,
        object_type="interaction",
        object_id=interaction.pk,
        patient_id=interaction.patient_id,
        channel_kind=interaction.channel_kind,
    )


def _confirm(interaction: Interaction, message: Message, keyword: Keyword) -> None:
    language = interaction.language or _language_of(message.text)
    with translation.override(language):
        texts = {
            Keyword.STOP: _("You will get no more messages from us here. To get them again, reply START."),
            Keyword.START: _("You will get our messages again. To stop them, reply STOP."),
            Keyword.HELP: _("This is your care team. Write to us here and a person will answer. To stop, reply STOP."),
        }
        enqueue(
            interaction=interaction,
            text=texts[keyword],
            purpose=MessagePurpose.OPT_OUT_CONFIRMATION,
            author=None,
            idempotency_key=f"keyword-{message.pk}",
        )


def _language_of(text: str) -> str:
    spanish = {"alto", "baja", "cancelar", "ayuda", "alta", "parar", "empezar", "informacion"}
    portuguese = {"sair", "ajuda", "descadastrar", "comecar", "informacao"}
    word = text.strip().lower()
    return "es" if word in spanish else "pt" if word in portuguese else "en"
