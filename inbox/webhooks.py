"""Where providers call us: verify, store, answer. Nothing is understood here."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import cast

import structlog
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailWebhookValidationFailure
from anymail.utils import get_anymail_setting
from anymail.webhooks.base import AnymailBaseWebhookView
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from inbox.adapters.base import SignatureError
from inbox.adapters.events import CallEvent
from inbox.enums import EventKind
from inbox.selectors.voice import fallback_script, script_for
from inbox.services.call_provider import voice
from inbox.services.gaps import inbound_key
from inbox.services.ledger import accept_event, keep_unreadable
from inbox.services.providers import adapter_for

log = structlog.get_logger(__name__)
TWIML = "text/xml"
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
MAX_BODY = 1_048_576


def _twilio_event(request: HttpRequest, kind: EventKind) -> HttpResponse | dict[str, str]:
    """The verified parameters, or the response that refuses the request."""
    try:
        body = request.body
        params = request.POST.dict()
    except RequestDataTooBig:
        return HttpResponse("Too large.", status=413, content_type="text/plain")
    except (MultiPartParserError, UnicodeDecodeError, LookupError):
        return HttpResponse("The body cannot be read.", status=400, content_type="text/plain")
    if len(body) > MAX_BODY:
        return HttpResponse("Too large.", status=413, content_type="text/plain")
    try:
        adapter_for("twilio_messaging").verify(request.get_full_path(), request.headers, body, params)
    except SignatureError:
        count_refused(kind)
        return HttpResponse("The signature does not match.", status=403, content_type="text/plain")
    return request.GET.dict() | {str(name): str(value) for name, value in params.items()}  # type: ignore[operator]


def count_refused(kind: str) -> None:
    """Count a request that does not come from the provider; the figure is kept in the cache as `refused:<kind>`."""
    log.warning("webhook_refused", kind=str(kind))
    try:
        cache.incr(f"refused:{kind}")
    except ValueError:
        cache.add(f"refused:{kind}", 1, timeout=None)
    except Exception:
        log.warning("refused_count_lost", kind=str(kind))


@dataclass(frozen=True, slots=True)
class Accepted:
    """What becomes of a verified request: its key in the ledger ("": by its content), the provider's id, the answer."""

    key: str
    external_id: str
    twiml: str = ""
    provider: str = "twilio_messaging"


def twilio_webhook(kind: EventKind) -> Callable[[Callable[[dict[str, str]], Accepted]], Callable[..., HttpResponse]]:
    """A view that verifies what Twilio posts, stores it once under the key that the function gives, and answers."""

    def decorate(judge: Callable[[dict[str, str]], Accepted]) -> Callable[..., HttpResponse]:
        @wraps(judge)
        def view(request: HttpRequest) -> HttpResponse:
            params = _twilio_event(request, kind)
            if isinstance(params, HttpResponse):
                return params
            accepted = judge(params)
            token = request.headers.get("I-Twilio-Idempotency-Token", "")[:100]
            try:
                accept_event(
                    provider=accepted.provider,
                    kind=kind,
                    dedupe_key=accepted.key or f"content:{hashlib.sha256(request.body).hexdigest()}",
                    external_id=accepted.external_id,
                    content_type=request.content_type or "",
                    query=request.META.get("QUERY_STRING", ""),
                    headers=json.dumps({"idempotency_token": token}) if token else "{}",
                    body=request.body,
                )
            except DatabaseError:
                if kind != EventKind.VOICE:
                    raise
                log.error("call_step_not_recorded")  # whoever waits on the line hears words all the same
            return HttpResponse(accepted.twiml, content_type=TWIML) if accepted.twiml else HttpResponse(status=204)

        return login_not_required(csrf_exempt(require_POST(view)))

    return decorate


@twilio_webhook(EventKind.MESSAGING)
def twilio_messaging(params: dict[str, str]) -> Accepted:
    """Inbound SMS and WhatsApp."""
    sid = params.get("MessageSid") or params.get("SmsSid") or ""
    return Accepted(inbound_key(sid) if sid else "", sid, EMPTY_TWIML)


@twilio_webhook(EventKind.MESSAGE_STATUS)
def twilio_message_status(params: dict[str, str]) -> Accepted:
    """Delivery reports. The same status of the same message is one event, however often it is told."""
    sid = params.get("MessageSid") or params.get("SmsSid") or ""
    status = params.get("MessageStatus") or params.get("SmsStatus") or ""
    return Accepted(f"status:{sid}:{status}:{params.get('ErrorCode', '')}" if sid else "", sid)


@twilio_webhook(EventKind.VOICE)
def twilio_voice(params: dict[str, str]) -> Accepted:
    """A caller waits for words: the step is recorded in the ledger and answered with what comes next.

    Twilio repeats a request under the same idempotency token; the same choice made twice in one round is one event.
    """
    sid = params.get("CallSid", "")
    said = hashlib.sha256(params.get("SpeechResult", "").encode()).hexdigest()[:8] if "SpeechResult" in params else ""
    facts = [params.get(name, "") for name in ("step", "n", "Digits", "RecordingSid")]
    key = ":".join(["call", sid, *facts, said]).rstrip(":") if sid else ""
    return Accepted(key, sid, words_for(params), "twilio_voice")


@twilio_webhook(EventKind.VOICE_STATUS)
def twilio_voice_status(params: dict[str, str]) -> Accepted:
    """Steps in the life of a call."""
    sid = params.get("CallSid") or params.get("ConferenceSid", "")
    names = ("CallStatus", "SequenceNumber", "StatusCallbackEvent", "ConferenceSid", "TranscriptionSid")
    more = ("TranscriptionEvent", "SequenceId", "RecordingSid", "RecordingStatus")
    facts = ":".join([*(params.get(name, "") for name in names), *(params[name] for name in more if name in params)])
    return Accepted(f"status:{sid}:{facts}" if sid else "", sid, provider="twilio_voice")


def words_for(params: Mapping[str, str]) -> str:
    """TwiML of what the caller hears next; words and another try when that cannot be found out, never silence."""
    adapter = voice()
    try:
        (event,) = adapter.parse(params)
        return adapter.render(script_for(cast(CallEvent, event)))
    except Exception as error:
        log.error("voice_script_failed", error=type(error).__name__)
        return adapter.render(fallback_script())


EMAIL_PROVIDERS = {
    "amazon_ses": "AmazonSES",
    "brevo": "Brevo",
    "mailersend": "MailerSend",
    "mailgun": "Mailgun",
    "mailjet": "Mailjet",
    "mailtrap": "Mailtrap",
    "mandrill": "Mandrill",
    "postal": "Postal",
    "postmark": "Postmark",
    "resend": "Resend",
    "sendgrid": "SendGrid",
    "sparkpost": "SparkPost",
}


@login_not_required
@csrf_exempt
def email_provider(request: HttpRequest, provider: str, what: str = "inbound") -> HttpResponse:
    """Inbound mail and tracking of a mail provider, verified and read by anymail; `receivers` stores what it says.

    404 for a provider anymail does not know or that is not configured here: one that could prove nothing, because it
    signs nothing and has no secret, would let anybody write mail to us.
    """
    view_class = _mail_view(provider, what)
    if view_class is None:
        return HttpResponse("There is no such mail provider.", status=404, content_type="text/plain")
    if view_class.warn_if_no_basic_auth and not get_anymail_setting("webhook_secret", default=None):
        return HttpResponse("This mail provider is not set up here.", status=404, content_type="text/plain")
    try:
        body = request.body
        view = view_class()
        view.setup(request)
        if request.method != "POST":
            return cast(HttpResponse, view.dispatch(request))
        view.run_validators(request)
    except RequestDataTooBig:
        log.error("mail_webhook_too_large", provider=provider)
        return HttpResponse("Too large.", status=413, content_type="text/plain")
    except AnymailWebhookValidationFailure:
        count_refused(EventKind.EMAIL)
        return HttpResponse("The signature does not match.", status=403, content_type="text/plain")
    except ImproperlyConfigured:
        return HttpResponse("This mail provider is not set up here.", status=404, content_type="text/plain")
    except (AnymailError, ValueError, LookupError, TypeError, MultiPartParserError):
        log.warning("mail_webhook_unproven", provider=provider)
        return HttpResponse("The body cannot be read.", status=400, content_type="text/plain")
    view.validators = []  # done, and some of them cost a request
    return _read_mail(view, request, provider, body)


def _mail_view(provider: str, what: str) -> type[AnymailBaseWebhookView] | None:
    name = EMAIL_PROVIDERS.get(provider)
    if name is None:
        return None
    kind = "Combined" if provider == "mandrill" else what.capitalize()
    view_class: type[AnymailBaseWebhookView] = getattr(
        import_module(f"anymail.webhooks.{provider}"), f"{name}{kind}WebhookView"
    )
    return view_class


def _read_mail(view: AnymailBaseWebhookView, request: HttpRequest, provider: str, body: bytes) -> HttpResponse:
    """What the proven provider tells goes to the ledger; what cannot be read goes there too, for people to see.

    A database or a provider that does not answer is an error, so that the provider tells it again.
    """
    try:
        return cast(HttpResponse, view.post(request))
    except AnymailWebhookValidationFailure:
        count_refused(EventKind.EMAIL)
        return HttpResponse("The signature does not match.", status=403, content_type="text/plain")
    except AnymailAPIError:
        log.warning("mail_provider_silent", provider=provider)
        return HttpResponse("Try again later.", status=503, content_type="text/plain")
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.error("mail_webhook_unreadable", provider=provider, error=type(error).__name__)
        keep_unreadable(
            provider="email",
            kind=EventKind.EMAIL,
            body=body,
            content_type=request.headers.get("Content-Type", ""),
            why=f"{type(error).__name__} while reading what {provider} sent.",
        )
        return HttpResponse("Kept.", content_type="text/plain")
