"""Twilio's error codes in words that staff can act on, and in the reasons that code may branch on."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext_noop as _

from inbox.adapters.events import FailureReason


class Explanation(NamedTuple):
    """Why a message failed: a reason for code, a sentence for staff, and whether trying again may help."""

    reason: FailureReason
    sentence: str
    is_retryable: bool = False


ERRORS: dict[str, Explanation] = {
    "20003": Explanation("not_authorised", _("Twilio refused our credentials. Check account SID and token."), True),
    "20005": Explanation("not_authorised", _("The Twilio account is not active."), True),
    "20404": Explanation("unknown", _("Twilio does not know this address of its interface or this record.")),
    "20429": Explanation("rate_limited", _("Twilio asked us to slow down. The message was not sent yet."), True),
    "20500": Explanation("provider_down", _("Twilio had an internal error. The message may have been sent."), True),
    "20503": Explanation("provider_down", _("Twilio is not available for the moment."), True),
    "21211": Explanation("bad_address", _("The recipient's number is not a valid phone number.")),
    "21212": Explanation("not_authorised", _("The sending number is not valid.")),
    "21217": Explanation("bad_address", _("The recipient's phone number does not look right.")),
    "21219": Explanation("not_authorised", _("The trial account may only send to verified numbers.")),
    "21265": Explanation("bad_address", _("The recipient's number is a short code, which cannot be written to.")),
    "21266": Explanation("bad_address", _("Sender and recipient are the same number.")),
    "21408": Explanation("not_authorised", _("Sending to the recipient's country is not enabled for this account.")),
    "21602": Explanation("content_refused", _("The message has no text.")),
    "21603": Explanation("not_authorised", _("No sending number was given.")),
    "21604": Explanation("bad_address", _("No recipient was given.")),
    "21606": Explanation("not_authorised", _("The sending number does not belong to this account or cannot send.")),
    "21608": Explanation("not_authorised", _("The recipient's number is not verified for this trial account.")),
    "21609": Explanation("unknown", _("The status callback address is not valid.")),
    "21610": Explanation("opted_out", _("The recipient has opted out by replying STOP to this number.")),
    "21611": Explanation("rate_limited", _("The sending number's queue is full."), True),
    "21612": Explanation("unreachable", _("This number cannot be reached from the sending number.")),
    "21614": Explanation("not_mobile", _("The recipient's number is not a mobile number that can get texts.")),
    "21617": Explanation("content_refused", _("The text is longer than 1,600 characters.")),
    "21619": Explanation("content_refused", _("The message has neither text, attachment nor template.")),
    "21620": Explanation("content_refused", _("The address of an attachment is not valid.")),
    "21623": Explanation("content_refused", _("The message has more than ten attachments.")),
    "21635": Explanation("not_mobile", _("The recipient's number is a landline.")),
    "21654": Explanation("bad_template", _("No template was named.")),
    "21655": Explanation("bad_template", _("The template does not exist.")),
    "21656": Explanation("bad_template", _("The template's variables are not valid.")),
    "21660": Explanation("not_authorised", _("The sending number belongs to another account.")),
    "21703": Explanation("not_authorised", _("The messaging service has no sending number.")),
    "21705": Explanation("not_authorised", _("The messaging service does not exist.")),
    "21910": Explanation("bad_address", _("Sender and recipient are not on the same channel.")),
    "30001": Explanation("rate_limited", _("The sending queue overflowed."), True),
    "30002": Explanation("not_authorised", _("The Twilio account was suspended.")),
    "30003": Explanation("unreachable", _("The phone is switched off, out of coverage or cannot get texts."), True),
    "30004": Explanation("blocked", _("The recipient or the network has blocked this message.")),
    "30005": Explanation("bad_address", _("The number is unknown or no longer in service.")),
    "30006": Explanation("not_mobile", _("The number is a landline or its network cannot deliver texts.")),
    "30007": Explanation("content_refused", _("The network's filter held the message back as unwanted.")),
    "30008": Explanation("unknown", _("The network gave no reason for the failure."), True),
    "30009": Explanation("unknown", _("Part of the message was lost on the way."), True),
    "30010": Explanation("not_authorised", _("The message costs more than the price limit allows.")),
    "30011": Explanation("content_refused", _("The recipient's network does not support attachments.")),
    "30017": Explanation("rate_limited", _("The recipient's network is congested."), True),
    "30018": Explanation("not_authorised", _("The recipient's network needs a registered sender.")),
    "30019": Explanation("content_refused", _("The attachment is larger than the network allows.")),
    "30022": Explanation("rate_limited", _("The sending rate of this number's registration was exceeded."), True),
    "30023": Explanation("rate_limited", _("The daily limit of this number's registration was reached."), True),
    "30032": Explanation("not_authorised", _("The toll-free sending number is not verified.")),
    "30034": Explanation("not_authorised", _("The sending number is not registered for business texts.")),
    "30036": Explanation("expired", _("The message was not delivered within its validity.")),
    "30410": Explanation("provider_down", _("The recipient's network did not answer in time."), True),
    "63001": Explanation("not_authorised", _("WhatsApp refused our credentials."), True),
    "63003": Explanation("unreachable", _("This number is not reachable on WhatsApp.")),
    "63005": Explanation("content_refused", _("WhatsApp did not accept the content.")),
    "63007": Explanation("not_authorised", _("The sending number is not set up for WhatsApp.")),
    "63010": Explanation("provider_down", _("WhatsApp had an internal error."), True),
    "63012": Explanation("provider_down", _("WhatsApp is not available for the moment."), True),
    "63013": Explanation("blocked", _("WhatsApp held the message back because of its policies.")),
    "63014": Explanation("blocked", _("The recipient has blocked this sender on WhatsApp.")),
    "63015": Explanation("not_authorised", _("The recipient has not joined the WhatsApp sandbox.")),
    "63016": Explanation("window_closed", _("More than 24 hours since the last WhatsApp message: use a template.")),
    "63017": Explanation("rate_limited", _("WhatsApp's sending rate was exceeded."), True),
    "63018": Explanation("rate_limited", _("WhatsApp's sending rate for this number was exceeded."), True),
    "63019": Explanation("content_refused", _("WhatsApp could not fetch the attachment.")),
    "63021": Explanation("content_refused", _("WhatsApp did not accept the content.")),
    "63024": Explanation("bad_address", _("The recipient is not a valid WhatsApp user.")),
    "63027": Explanation("bad_template", _("The template does not exist in this language.")),
    "63028": Explanation("bad_template", _("The number of variables does not match the template.")),
    "63032": Explanation("blocked", _("WhatsApp limits how many messages this person gets; this one was held back.")),
    "63033": Explanation("blocked", _("The recipient has blocked this sender on WhatsApp.")),
    "63036": Explanation("unreachable", _("The recipient does not use WhatsApp with this number.")),
    "63038": Explanation("rate_limited", _("The account's daily message limit was reached."), True),
    "63049": Explanation("blocked", _("WhatsApp chose not to deliver this message to keep its users' trust.")),
}


def explain(code: str | int | None, fallback: str | None = None) -> Explanation:
    """What this Twilio code means. An unknown code keeps Twilio's own words, or says its number."""
    key = "" if code is None else str(code)
    if key in ERRORS:
        return ERRORS[key]
    return Explanation("unknown", fallback or (f"Twilio reported error {key}." if key else _("Twilio gave no reason.")))
