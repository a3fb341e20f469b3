"""How we talk to Twilio's HTTP interface: where to, for how long, and what a failure means."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from inbox.adapters.base import AdapterError
from inbox.adapters.twilio_errors import explain

CONNECT_TIMEOUT_SECONDS = 3.05
_log = logging.getLogger(__name__)
_silent = logging.getLogger(f"{__name__}.wire")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


@dataclass(frozen=True, slots=True)
class TwilioConfig:
    """One Twilio account. `timeout_seconds` bounds the wait for each answer.

    `api_base_url` other than a twilio.com address takes the calls of every Twilio host, as a proxy or a
    recording server does. `public_base_url` is the address Twilio reaches us at and therefore signs.
    """

    account_sid: str
    auth_token: str
    public_base_url: str
    api_base_url: str = "https://api.twilio.com"
    timeout_seconds: float = 10.0


class BoundedHttpClient(TwilioHttpClient):
    """Twilio's own HTTP client with a time limit and a configurable base address.

    It logs nothing of a request: bodies carry numbers and texts of patients.
    """

    def __init__(self, config: TwilioConfig) -> None:
        super().__init__(timeout=config.timeout_seconds, logger=_silent)
        self.timeout = (CONNECT_TIMEOUT_SECONDS, config.timeout_seconds)  # type: ignore[assignment]
        base = urlsplit(config.api_base_url)
        is_twilio = (base.hostname or "").endswith("twilio.com")
        self._base = None if is_twilio else base
        self._answers = threading.local()

    @property
    def retry_after(self) -> float | None:
        """Seconds the last answer to this thread asked us to wait, or None."""
        return getattr(self._answers, "retry_after", None)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Make one call and never a second. Raises the exceptions of `requests`."""
        self._answers.retry_after = None
        response = super().request(method, self._located(url), *args, **kwargs)
        self._answers.retry_after = _seconds(response.headers.get("Retry-After"))
        return response

    def _located(self, url: str) -> str:
        if self._base is None:
            return url
        parts = urlsplit(url)
        return urlunsplit(
            (self._base.scheme, self._base.netloc, self._base.path.rstrip("/") + parts.path, parts.query, "")
        )


def build_client(config: TwilioConfig) -> tuple[Client, BoundedHttpClient]:
    """Twilio's client on our HTTP client."""
    http = BoundedHttpClient(config)
    # An empty environment keeps a stray TWILIO_REGION of the host from changing where messages go.
    client = Client(config.account_sid, config.auth_token, http_client=http, environment={"_": ""})
    return client, http


@contextmanager
def failures_explained(http: BoundedHttpClient) -> Iterator[None]:
    """Turn whatever a call raises into an AdapterError that says whether the message may be out."""
    try:
        yield
    except TwilioRestException as error:
        raise _from_status(error.status, error.code or None, error.msg, http.retry_after) from error
    except TwilioServiceException as error:
        raise _from_status(error.status, error.code, error.title, http.retry_after) from error
    except TwilioException as error:
        raise _from_page(error, http.retry_after) from error
    except requests.exceptions.RequestException as error:
        raise _from_network(error) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AdapterError(
            "Twilio's answer could not be read. The message may have been sent.",
            permanent=False,
            reason="provider_down",
            doubtful=True,
        ) from error


def _from_status(status: int, code: int | str | None, message: str, retry_after: float | None) -> AdapterError:
    explanation = explain(code, message or None)
    if status == 429:
        slow_down = explain(code or 20429)
        return AdapterError(
            slow_down.sentence,
            permanent=False,
            reason="rate_limited",
            code=str(code or 20429),
            retry_after=retry_after or 1.0,
        )
    if status >= 500 or status == 408:
        down = explain(20500)
        return AdapterError(
            down.sentence,
            permanent=False,
            reason="provider_down",
            code=str(code or 20500),
            doubtful=True,
            retry_after=retry_after,
        )
    is_refusal = 400 <= status < 500 and code is not None and not explanation.is_retryable
    reason = "not_authorised" if status in (401, 403) and explanation.reason == "unknown" else explanation.reason
    return AdapterError(
        explanation.sentence,
        permanent=is_refusal,
        reason=reason,
        code=None if code is None else str(code),
        retry_after=retry_after,
    )


def _from_page(error: TwilioException, retry_after: float | None) -> AdapterError:
    """Twilio's list pages raise a bare exception whose second argument is the response."""
    response = error.args[1] if len(error.args) > 1 else None
    status = getattr(response, "status_code", 500)
    try:
        content = json.loads(getattr(response, "text", "") or "{}")
        code, message = content.get("code"), content.get("message", "")
    except (ValueError, AttributeError):
        code, message = None, ""
    return _from_status(status, code, message, retry_after)


def _from_network(error: requests.exceptions.RequestException) -> AdapterError:
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    never_connected = isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(
        cause, (NewConnectionError, ConnectTimeoutError)
    )
    if never_connected:
        return AdapterError("Twilio cannot be reached.", permanent=False, reason="provider_down")
    return AdapterError(
        "The connection to Twilio broke before it answered. The message may have been sent.",
        permanent=False,
        reason="provider_down",
        doubtful=True,
    )


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return min(seconds, 3600.0) if seconds >= 0 else None
