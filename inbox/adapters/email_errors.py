"""Why a mail did not arrive, in our words: of bounces, and of servers and providers that take none."""

from __future__ import annotations

import smtplib
from email.errors import MessageError
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.utils.translation import gettext_noop as _

from inbox.adapters.base import AdapterError
from inbox.adapters.events import FailureReason
from inbox.mail.bounce import Bounce, bounce_of_response
from inbox.mail.bounce_reasons import BounceReason

_REASONS: dict[BounceReason, FailureReason] = {
    BounceReason.ADDRESS_UNKNOWN: "bad_address",
    BounceReason.ADDRESS_MOVED: "bad_address",
    BounceReason.DOMAIN_UNKNOWN: "bad_address",
    BounceReason.DOMAIN_REFUSES_MAIL: "bad_address",
    BounceReason.MAILBOX_FULL: "unreachable",
    BounceReason.MAILBOX_DISABLED: "unreachable",
    BounceReason.SPAM: "content_refused",
    BounceReason.VIRUS: "content_refused",
    BounceReason.CONTENT: "content_refused",
    BounceReason.TOO_LARGE: "content_refused",
    BounceReason.NOT_COMPLIANT: "content_refused",
    BounceReason.RECIPIENT_REFUSED: "blocked",
    BounceReason.SENDER_REFUSED: "blocked",
    BounceReason.SERVER_BLOCKED: "blocked",
    BounceReason.BAD_REPUTATION: "blocked",
    BounceReason.POLICY: "blocked",
    BounceReason.RELAY_DENIED: "not_authorised",
    BounceReason.AUTHENTICATION_FAILED: "not_authorised",
    BounceReason.SECURITY: "not_authorised",
    BounceReason.RATE_LIMITED: "rate_limited",
    BounceReason.EXPIRED: "expired",
    BounceReason.NETWORK: "provider_down",
    BounceReason.SYSTEM: "provider_down",
    BounceReason.SYSTEM_FULL: "provider_down",
}
_SENTENCES = {
    BounceReason.ADDRESS_UNKNOWN: _("This address does not exist."),
    BounceReason.ADDRESS_MOVED: _("The person has another address now."),
    BounceReason.DOMAIN_UNKNOWN: _("The domain of this address does not exist."),
    BounceReason.DOMAIN_REFUSES_MAIL: _("This domain takes no mail."),
    BounceReason.MAILBOX_FULL: _("The mailbox is full."),
    BounceReason.MAILBOX_DISABLED: _("The mailbox is switched off."),
    BounceReason.RECIPIENT_REFUSED: _("The receiver's filter refused it."),
    BounceReason.SPAM: _("The receiver took it for spam."),
    BounceReason.TOO_LARGE: _("The mail was too large."),
    BounceReason.EXPIRED: _("The receiver's server could not be reached for days."),
    BounceReason.RATE_LIMITED: _("The receiver's server takes no more mail for now."),
}


def failure_reason(bounce: Bounce) -> FailureReason:
    """`bad_address` only when the address is dead for good; a soft failure never condemns an address."""
    reason = _REASONS.get(bounce.reason, "unknown")
    return reason if reason != "bad_address" or bounce.is_hard else "unreachable"


def sentence_of(bounce: Bounce) -> str:
    """The sentence for staff; what we do not know was a refusal."""
    return _SENTENCES.get(bounce.reason, _("The receiver's mail server refused it."))


def send_error(error: Exception) -> AdapterError:
    """What a failed attempt means. Without an answer the server may have the mail, so the outcome is in doubt."""
    match error:
        case AdapterError():
            return error
        case smtplib.SMTPRecipientsRefused():
            code, words = next(iter(error.recipients.values()), (550, b""))
            return smtp_error(code, words)
        case smtplib.SMTPResponseException():
            return smtp_error(error.smtp_code, error.smtp_error)
        case AnymailRecipientsRefused():
            return AdapterError(_("The provider refused the recipient."), permanent=True, code="refused")
        case AnymailAPIError():
            return _api_error(error)
        case OSError() | smtplib.SMTPException():
            return AdapterError(_("The mail server gave no answer."), permanent=False, doubtful=True, code="no_answer")
        case AnymailError() | MessageError() | ValueError():
            return AdapterError(f"The mail cannot be sent: {type(error).__name__}.", permanent=True, code="invalid")
    return AdapterError(f"The mail cannot be sent: {type(error).__name__}.", permanent=False, doubtful=True)


def smtp_error(code: int, words: Any) -> AdapterError:
    """What a mail server's answer means."""
    if code in (530, 534, 535):
        return AdapterError(_("The mail server refused our credentials."), permanent=False, code=str(code))
    if not 500 <= code < 600:
        return AdapterError(_("The mail server asks to wait."), permanent=False, code=str(code))
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    bounce = bounce_of_response("", f"{code} {text}")
    return AdapterError(sentence_of(bounce), permanent=True, code=str(code), reason=failure_reason(bounce))


def _api_error(error: AnymailAPIError) -> AdapterError:
    code = getattr(error, "status_code", None)
    if not isinstance(code, int):
        return AdapterError(_("The mail provider gave no answer."), permanent=False, doubtful=True, code="no_answer")
    is_permanent = 400 <= code < 500 and code not in (401, 403, 408, 429)
    return AdapterError(_("The mail provider refused it."), permanent=is_permanent, code=str(code))
