"""The telephone service as the calls need it: steered after commit only, its breaker shared by all workers."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from inbox.adapters.base import AdapterError
from inbox.adapters.twilio_voice import TwilioVoiceAdapter
from inbox.services.providers import adapter_for, note_failure, note_success

log = structlog.get_logger(__name__)
KEY = "twilio_voice"
Answer = TypeVar("Answer")


def voice() -> TwilioVoiceAdapter:
    """The adapter on the present settings."""
    adapter = adapter_for(KEY)
    assert isinstance(adapter, TwilioVoiceAdapter)
    return adapter


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


def steer(question: Callable[[TwilioVoiceAdapter], object]) -> bool:
    """As `ask`, for what may fail: False and a line in the log instead of an exception."""
    try:
        ask(question)
    except AdapterError as error:
        log.warning("call_not_steered", reason=error.reason, code=error.code)
        return False
    return True
