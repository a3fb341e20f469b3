"""What people hear before a call is recorded, and what their answer means. Pure: no row is read."""

from collections.abc import Callable

from django.utils import translation
from django.utils.translation import gettext as _

from inbox.adapters.voice_script import Ask, GoOn, Say, Script
from inbox.enums import RecordingConsent, RecordingMode

LANGUAGES = ("en", "es", "pt")
YES = "1"


def notice(mode: RecordingMode, language: str, to_queue: Callable[..., str], asking: str) -> Script:
    """Before the queue: tell, ask or say nothing. What came of it rides in the address of the queue."""
    if mode == RecordingMode.ANNOUNCE:
        return (Say(_words(), language), GoOn(to_queue(consent=RecordingConsent.ANNOUNCED.value)))
    if mode == RecordingMode.ASK:
        question = _(
            "May we record this call, to serve you well? For yes, press 1. For no, press 2; we help you all the same."
        )
        return (Ask((Say(question, language),), asking, language, seconds=6), GoOn(asking))
    return (GoOn(to_queue()),)


def answered(key: str, to_queue: Callable[..., str]) -> Script:
    """Only a clear yes is one: another key and silence mean no."""
    consent = RecordingConsent.AGREED if key == YES else RecordingConsent.DECLINED
    return (GoOn(to_queue(consent=consent.value)),)


def announcement(language: str) -> Script:
    """For the person whom we called, when they answer."""
    language = language if language in LANGUAGES else "en"
    with translation.override(language):
        return (Say(_words(), language),)


def _words() -> str:
    return _("This call is recorded, and a supervisor may listen, so that we serve you well.")
