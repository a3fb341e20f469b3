"""How Twilio writes things: records, errors, numbers and times."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

API = "/2010-04-01/Accounts"
ERRORS: dict[int, tuple[int, str]] = {
    20001: (400, "Unknown parameter '{0}'"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource {0} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service Unavailable"),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    21211: (400, "Invalid 'To' Phone Number: {0}"),
    21212: (400, "Invalid From Number: {0}"),
    21408: (403, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {0}"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21609: (400, "Invalid 'StatusCallback' URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21612: (400, "Message cannot be sent with the current combination of 'To' and/or 'From' parameters: {0}"),
    21614: (400, "'To' number is not a valid mobile number: {0}"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit."),
    21619: (400, "A text message body or media urls must be specified."),
    21623: (400, "Number of media files exceeds allowed limit"),
    21655: (400, "The ContentSid is invalid."),
    21656: (400, "The Content Variables parameter is invalid."),
    21705: (400, "The Messaging Service Sid is invalid."),
    21910: (400, "Invalid From and To pair. From and To should be of the same channel"),
}
DELIVERY_ERRORS: dict[int, str] = {
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    63003: "Channel could not find To address",
    63016: "Failed to send freeform message because you are outside the allowed window.",
    63019: "Media failed to download",
    63024: "Invalid message recipient",
}
# Twilio's own test numbers: each is refused in its own way.
REFUSED_NUMBERS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "UNSTOP", "YES"})
_ADDRESS = re.compile(r"(whatsapp:)?\+[1-9][0-9]{6,14}|whatsapp:[A-Z]{2}\.[A-Za-z0-9.]{1,160}")
_SENDER = re.compile(r"(whatsapp:)?\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)


class Refusal(Exception):
    """Twilio refuses a request with one of its error codes."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.status, words = ERRORS.get(code, (400, DELIVERY_ERRORS.get(code, "Error")))
        self.code = code
        self.words = words.format(detail)
        super().__init__(self.words)

    def as_dict(self) -> dict[str, Any]:
        """The error as Twilio's JSON."""
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": self.words, "more_info": more, "status": self.status}


def is_recipient(written: str) -> bool:
    """Whether a message can be sent to this address."""
    return _ADDRESS.fullmatch(written) is not None


def is_sender(written: str) -> bool:
    """Whether a message can come from this address."""
    return _SENDER.fullmatch(written) is not None


def mail_time(moment: float | None) -> str | None:
    """Seconds since the epoch as in mail headers, in UTC."""
    return None if moment is None else format_datetime(datetime.fromtimestamp(moment, UTC))


def segments(text: str) -> int:
    """Into how many text messages this text falls."""
    single, part = (160, 153) if set(text) <= _GSM else (70, 67)
    return 1 if len(text) <= single else -(-len(text) // part)


def message_json(row: sqlite3.Row, account_sid: str, num_media: int) -> dict[str, Any]:
    """A message as Twilio's Message resource."""
    uri = f"{API}/{account_sid}/Messages/{row['sid']}"
    return {
        "body": row["body"],
        "num_segments": str(segments(row["body"])),
        "direction": row["direction"],
        "from": row["sender"] or None,
        "to": row["recipient"],
        "date_created": mail_time(row["created"]),
        "date_updated": mail_time(row["updated"]),
        "date_sent": mail_time(row["sent"]),
        "price": None,
        "price_unit": "USD",
        "error_code": row["error_code"],
        "error_message": row["error_message"],
        "account_sid": account_sid,
        "messaging_service_sid": row["service_sid"],
        "num_media": str(num_media),
        "status": row["status"],
        "sid": row["sid"],
        "api_version": "2010-04-01",
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
    }


def media_json(row: sqlite3.Row, account_sid: str) -> dict[str, Any]:
    """An attachment as Twilio's Media resource."""
    return {
        "sid": row["sid"],
        "account_sid": account_sid,
        "parent_sid": row["message_sid"],
        "content_type": row["content_type"],
        "date_created": mail_time(row["created"]),
        "date_updated": mail_time(row["created"]),
        "uri": f"{API}/{account_sid}/Messages/{row['message_sid']}/Media/{row['sid']}.json",
    }


def callback_params(row: sqlite3.Row, account_sid: str, status: str, now: float) -> dict[str, str]:
    """The parameters of a status callback."""
    params = {
        "ApiVersion": "2010-04-01",
        "AccountSid": account_sid,
        "MessageSid": row["sid"],
        "SmsSid": row["sid"],
        "MessageStatus": status,
        "SmsStatus": status,
        "From": row["sender"],
        "To": row["recipient"],
    }
    if row["service_sid"]:
        params["MessagingServiceSid"] = row["service_sid"]
    if status in ("failed", "undelivered") and row["error_code"]:
        params |= {"ErrorCode": str(row["error_code"]), "ErrorMessage": row["error_message"] or ""}
    if row["recipient"].startswith("whatsapp:"):
        params |= {"ChannelPrefix": "whatsapp", "ChannelToAddress": row["recipient"].removeprefix("whatsapp:")}
        if status in ("delivered", "read"):
            params["EventType"] = status.upper()
    elif status in ("delivered", "undelivered"):
        params["RawDlrDoneDate"] = datetime.fromtimestamp(now, UTC).strftime("%y%m%d%H%M")
    return params


def inbound_params(row: sqlite3.Row, account_sid: str, media: list[tuple[str, str]]) -> dict[str, str]:
    """The parameters of an inbound message's webhook. `media` are (address, content type)."""
    extras: dict[str, str] = json.loads(row["extras"])
    params = {
        "ToCountry": "US",
        "ToState": "FL",
        "ToCity": "MIAMI",
        "ToZip": "33101",
        "FromCountry": "US",
        "FromState": "",
        "FromCity": "",
        "FromZip": "",
        "SmsMessageSid": row["sid"],
        "SmsSid": row["sid"],
        "MessageSid": row["sid"],
        "AccountSid": account_sid,
        "SmsStatus": "received",
        "NumSegments": str(segments(row["body"])),
        "NumMedia": str(len(media)),
        "Body": row["body"],
        "From": row["sender"],
        "To": row["recipient"],
        "ApiVersion": "2010-04-01",
    }
    for index, (url, content_type) in enumerate(media):
        params |= {f"MediaUrl{index}": url, f"MediaContentType{index}": content_type}
    if row["recipient"].startswith("whatsapp:"):
        number = row["sender"].removeprefix("whatsapp:")
        if number.startswith("+"):
            params["WaId"] = number.removeprefix("+")
        else:
            params["ExternalUserId"] = row["sender"]
        context = {"type": "whatsapp", "data": {"context": {"ProfileName": extras.get("ProfileName", "")}}}
        params["ChannelMetadata"] = json.dumps(context)
    return params | extras
