"""The telephone service as the calls need it: steered after commit only, its breaker shared by all workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

import structlog
from django.utils.translation import gettext as _

from contact_center.common.errors import Refused
from inbox.adapters.base import AdapterError
from inbox.services.providers import adapter_for, note_failure, note_success

if TYPE_CHECKING:  # it loads the provider's library, which only a call needs
    from inbox.adapters.twilio_voice import TwilioVoiceAdapter

log = structlog.get_logger(__name__)
KEY = "twilio_voice"
Answer = TypeVar("Answer")


def voice() -> TwilioVoiceAdapter:
    """The adapter on the present settings."""
    return cast("TwilioVoiceAdapter", adapter_for(KEY))


def ask(question: Callable[[TwilioVoiceAdapter], Answer]) -> Answer:
    """One call to the provider, outside of any transaction. Raises AdapterError."""
    try:
        answer = question(voice())
    except AdapterError as error:
        if not error.permanent:
            note_failure(KEY, f"{error.reason} {error.code or ''}".strip())
        raise
    note_success(KEY)
    return answer


def do(question: Callable[[TwilioVoiceAdapter], Answer]) -> Answer:
    """As `ask`, for what a person wants now. Raises Refused with a sentence for them."""
    try:
        return ask(question)
    except AdapterError as error:
        raise Refused(_("The telephone service does not answer. Try again in a moment.")) from error


def steer(question: Callable[[TwilioVoiceAdapter], object]) -> bool:
    """As `ask`, for what may fail: False and a line in the log instead of an exception."""
    try:
        ask(question)
    except AdapterError as error:
        log.warning("call_not_steered", reason=error.reason, code=error.code)
        return False
    return True
