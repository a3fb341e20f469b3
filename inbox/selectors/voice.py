"""What callers hear: fast reads that answer a provider who waits on the line. They need no row of the call itself."""

import time
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from inbox.adapters.events import CallEvent
from inbox.adapters.twilio_words import VOICE_PATH, VOICE_STATUS_PATH
from inbox.adapters.voice_script import Ask, GoOn, HangUp, Join, Music, Record, Say, Script
from inbox.enums import TALKING, CallMomentKind, RecordingMode
from inbox.models import Call
from inbox.models.calls import WRITTEN_DOWN
from inbox.selectors import voice_consent
from inbox.selectors.dialling import why_not_dialled
from inbox.selectors.hours import message_in, moment_words, standing_of_queue
from inbox.selectors.queue_rules import rule_for
from inbox.selectors.voice_figures import estimated_minutes, place_in_line, serving
from inbox.selectors.voice_lines import Line, Option, line_of
from patients.selectors.people import match_patients

Facts = dict[str, object]
MUSIC_SECONDS = 25
ASKED_TWICE = 2
OFFER_EVERY = 3
"""Other ways than waiting are named the first time and every third time after."""
DEVICE_TURNS = 30
"""So many seconds a device waits for its own earlier connection to be gone."""
PRESS = {"en": "For English, press %d.", "es": "Para español, oprima %d.", "pt": "Para português, tecle %d."}


def address_of(step: str, **facts: object) -> str:
    """Where the next script of a call is fetched."""
    path = VOICE_STATUS_PATH if step == "transcript" else VOICE_PATH
    return f"{path}?{urlencode({'step': step} | {name: value for name, value in facts.items() if value != ''})}"


# ---- scripts ----
def script_for(event: CallEvent) -> Script:
    """What this caller hears next. Names the emergency number first; never leaves anybody in silence."""
    if event.payload.get("step") == "device":
        return _device(event)
    if event.payload.get("step") == "announcement":  # whose words these are is not known: they are for one party
        return voice_consent.announcement(event.payload.get("language", ""))
    line = line_of(event.recipient.value)
    if line is None:
        return _unknown_number()
    language = event.payload.get("language", "")
    language = language if language in line.languages else ""
    step = event.payload.get("step", "")
    if not step:
        return _start(event, line)
    language = language or line.languages[0]
    with translation.override(language):
        return _next(step, event, line, language)


def _next(step: str, event: CallEvent, line: Line, language: str) -> Script:
    if step == "language":
        key = event.payload.get("key", "")
        index = int(key) - 1 if key.isdigit() else 0
        chosen = line.languages[index] if 0 <= index < len(line.languages) else line.languages[0]
        with translation.override(chosen):
            return _greeting(line, chosen) + _menu(event, line, chosen, 1)
    if step == "menu":
        return _after_menu(event, line, language)
    queue_id = _number(event.payload.get("queue")) or line.queue_id
    facts: Facts = {"lang": language, "queue": queue_id, "rule": event.payload.get("rule", "")}
    if step == "wait":
        return _waiting(event.external_id, language, facts, _number(event.payload.get("round")) or 1)
    if step == "choice":
        return _choice(event, language, facts)
    if step in ("notice", "consent"):
        to_queue = partial(address_of, "wait", **facts, n=1)
        if step == "consent":
            return voice_consent.answered(event.payload.get("key", ""), to_queue)
        asking = address_of("consent", **facts)
        return voice_consent.notice(line.mode_for(event.sender.value, queue_id), language, to_queue, asking)
    if step == "voicemail":
        return _voicemail(language, facts)
    if step == "join":
        after = address_of("after", lang=language, queue=queue_id, n=event.payload.get("round", ""))
        return (Join(f"call-{_number(event.payload.get('call'))}", after),)
    if step in ("after", "lost"):
        return _after(event, language, facts, is_given_up=step == "lost")
    return (Say(_("Thank you. Goodbye."), language), HangUp())


def _unknown_number() -> Script:
    words = _("If this is an emergency, hang up and call %(number)s.") % {"number": "9 1 1"}
    return (Say(words, "en"), Say(_("This number is not in use. Goodbye."), "en"), HangUp())


def fallback_script() -> Script:
    """For the moment when nothing of ours works: the emergency number, and another try in a while."""
    emergency = "If this is an emergency, hang up and call 9 1 1."
    sorry = "We are sorry, something does not work at the moment. Please stay on the line, we try again."
    return (Say(emergency, "en"), Say(sorry, "en"), Music(20), GoOn(address_of("menu", n=ASKED_TWICE)))


def _start(event: CallEvent, line: Line) -> Script:
    known = _language_of(event, line)
    if known or len(line.languages) == 1:
        language = known or line.languages[0]
        with translation.override(language):
            return (_emergency(line, language), *_greeting(line, language), *_menu(event, line, language, 1))
    notices: list[Say] = []
    for language in line.languages:
        with translation.override(language):
            notices.append(_emergency(line, language))
    choices = tuple(
        Say(PRESS.get(language, f"{language}: %d") % number, language)
        for number, language in enumerate(line.languages, start=1)
    )
    first = line.languages[0]
    return (*notices, Ask(choices, address_of("language"), first), GoOn(address_of("language")))


def _language_of(event: CallEvent, line: Line) -> str:
    if event.sender.scheme != "phone":
        return ""
    spoken = {patient.language[:2] for patient in match_patients("phone", event.sender.value) if patient.language}
    return spoken.pop() if len(spoken) == 1 and spoken <= set(line.languages) else ""


def _emergency(line: Line, language: str) -> Say:
    digits = " ".join(line.emergency_number)
    return Say(_("If this is an emergency, hang up and call %(number)s.") % {"number": digits}, language)


def _greeting(line: Line, language: str) -> Script:
    words = message_in(line.greetings or {}, language)
    words = words or _("Welcome to %(name)s.") % {"name": settings.ORGANISATION_NAME}
    return (Say(words, language),)


def _menu(event: CallEvent, line: Line, language: str, turn: int) -> Script:
    if not line.options:
        return _to_queue(event, line, language, None)
    parts = tuple(
        Say(
            _("For %(matter)s, press %(key)s.") % {"matter": message_in(one.labels, language), "key": one.key}, language
        )
        for one in line.options
    )
    hints = tuple(word for one in line.options for word in (message_in(one.labels, language), *one.words) if word)
    aloud = Say(_("You may also say what you need."), language)
    return (
        Ask((*parts, aloud), address_of("menu", lang=language, n=turn), language, hints, seconds=5),
        GoOn(address_of("menu", lang=language, n=turn + 1)),
    )


def _after_menu(event: CallEvent, line: Line, language: str) -> Script:
    option = line.chosen(event)
    turn = _number(event.payload.get("round")) or 1
    is_wrong = bool(event.payload.get("key") or event.payload.get("speech"))
    if option is None and (is_wrong or turn <= ASKED_TWICE) and turn < ASKED_TWICE + 1 and line.options:
        sorry = (Say(_("Sorry, I did not understand that."), language),) if is_wrong else ()
        return (*sorry, *_menu(event, line, language, turn + 1 if is_wrong else turn))
    return _to_queue(event, line, language, option)


def _to_queue(event: CallEvent, line: Line, language: str, option: Option | None) -> Script:
    """By the first routing rule that fits, else where the menu says. The address says what was decided, so that the
    record needs no second opinion.
    """
    rule = rule_for(event, line.channel_id, line.queue_id, language, option.reason_id if option else None)
    queue_id = rule.queue_id if rule else option.queue_id if option else line.queue_id
    facts: Facts = {"lang": language, "queue": queue_id, "rule": rule.rule_id if rule else ""}
    is_told = queue_id not in line.unrecorded and (line.regions or line.recording != RecordingMode.OFF)
    first = address_of("notice", **facts) if is_told else address_of("wait", **facts, n=1)
    return _closed(language, facts) or (GoOn(first),)


def _closed(language: str, facts: Facts) -> Script:
    """Empty while the queue is served."""
    standing = standing_of_queue(int(str(facts["queue"])))
    if standing.is_open:
        return ()
    told = message_in(standing.messages, language)
    if standing.opens_at is not None:
        when = moment_words(standing.opens_at, ZoneInfo(settings.TIME_ZONE), language)
        told = f"{told} {_('We are closed now and open again on %(when)s.') % {'when': when}}".strip()
    told = told or _("We are closed at the moment.")
    return (Say(told, language), *_voicemail(language, facts))


def _waiting(external_id: str, language: str, facts: Facts, turn: int) -> Script:
    queue_id = int(str(facts["queue"]))
    queue_id, ahead, hours_of = place_in_line(external_id) or (queue_id, None, queue_id)
    facts = facts | {"queue": queue_id}
    closed = _closed(language, facts | {"queue": hours_of})
    if closed and not serving(queue_id).exists():  # all have gone home since this caller came into the line
        return closed
    if ahead is None:  # what the caller chose is still being noted
        words = _("Thank you. We connect you with somebody who can help.")
    elif ahead == 0:
        words = _("You are next.")
    else:
        words = _("You are number %(place)d in the line.") % {"place": ahead + 1}
    parts: list[Say | Music] = [Say(words, language)]
    wait = estimated_minutes(queue_id, ahead) if ahead is not None else None
    if wait is not None:
        facts["quoted"] = f"{wait.least}-{wait.most}at{int(time.time())}"
        told = _("The wait is about %(least)d to %(most)d minutes.") % {"least": wait.least, "most": wait.most}
        parts.append(Say(told, language))
    if turn % OFFER_EVERY == 1:
        parts.append(
            Say(
                _(
                    "To be called back without losing your place, press 1. To go on by text message, press 2."
                    " To leave a voice message, press 3."
                ),
                language,
            )
        )
    parts.append(Music(MUSIC_SECONDS))
    return (
        Ask(tuple(parts), address_of("choice", **facts, n=turn), language, seconds=1),
        GoOn(address_of("wait", **facts, n=turn + 1)),
    )


def _choice(event: CallEvent, language: str, facts: Facts) -> Script:
    key = event.payload.get("key", "")
    sorry = ""
    if key in ("1", "2") and event.sender.scheme != "phone":
        sorry = _("We cannot see your number, so please stay on the line or leave a message.")
    elif key == "1" and why_not_dialled(event.sender.value):
        sorry = _("We cannot call your number back, so please stay on the line or leave a message.")
    if sorry:
        return (Say(sorry, language), GoOn(address_of("wait", **facts, n=2)))
    if key == "1":
        words = _("We call you back on this number when it is your turn. You may hang up now. Goodbye.")
        return (Say(words, language), HangUp())
    if key == "2":
        return (Say(_("We send you a text message. A person answers you there. Goodbye."), language), HangUp())
    if key == "3":
        return _voicemail(language, facts)
    turn = (_number(event.payload.get("round")) or 1) + 1
    return _waiting(event.external_id, language, facts, turn)


def _voicemail(language: str, facts: Facts) -> Script:
    ask = _("Please leave your name, your date of birth and your message after the tone. A person will listen to it.")
    return (
        Say(ask, language),
        Record(address_of("recorded", **facts), address_of("transcript") if language == WRITTEN_DOWN else ""),
        GoOn(address_of("recorded", **facts)),
    )


def _after(event: CallEvent, language: str, facts: Facts, *, is_given_up: bool) -> Script:
    """The room is empty: the agent may be back in a moment, when their page was only loaded anew; else wait again."""
    call = Call.objects.filter(external_id=event.external_id).only("pk", "status", "ended_by").first()
    if call is None or call.is_over or call.ended_by:
        return (Say(_("Thank you for calling. Goodbye."), language), HangUp())
    if is_given_up and call.status in TALKING and not has_lost_agent(call):
        turn = call.moments.filter(kind=CallMomentKind.ANSWERED).count()
        if turn > (_number(event.payload.get("round")) or 1):  # they are back, and the word to the caller was lost
            return (Join(call.room, address_of("after", **facts, n=turn)),)
    if is_given_up or call.status not in TALKING:
        return _waiting(event.external_id, language, facts, 1)
    given_up = address_of("lost", **facts, n=event.payload.get("round", ""))
    sorry = Say(_("We lost the person you were talking to. Please stay on the line."), language)
    still = Say(_("Please stay on the line. We try to bring them back."), language)
    return (Ask((sorry,), given_up, language), Ask((still,), given_up, language), GoOn(given_up))


def _device(event: CallEvent) -> Script:
    """An agent's device asks to be in a call again: only in their own, and when nobody speaks there for them."""
    call = (
        Call.objects.filter(pk=_number(event.payload.get("call")) or 0, status__in=TALKING, ended_by="")
        .filter(agent=event.payload.get("user"), agent__is_active=True)
        .first()
    )
    turn = _number(event.payload.get("round")) or 1
    if call is None or turn > DEVICE_TURNS:
        return (HangUp(),)
    if has_lost_agent(call) or call.legs.filter(external_id=event.external_id, left_at=None).exists():
        return (Join(call.room, is_last=True),)
    again = address_of("device", call=call.pk, n=turn + 1)
    return (Ask((), again, "en", seconds=1), GoOn(again))


def has_lost_agent(call: Call) -> bool:
    """Whether the connection of whoever answered broke, and nobody has come back since."""
    of_agents = call.moments.filter(kind__in=[CallMomentKind.ANSWERED, CallMomentKind.LOST_AGENT])
    return of_agents.order_by("pk").values_list("kind", flat=True).last() == CallMomentKind.LOST_AGENT


def _number(text: object) -> int | None:
    written = str(text or "")
    return int(written) if written.isdecimal() and len(written) < 10 else None
