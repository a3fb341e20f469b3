"""Carrying webhooks to the product as Twilio does: signed, impatient, and with hardly a second try."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass

import aiohttp
from twilio.request_validator import RequestValidator

from contact_center.simulator.store import Store

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
MAX_CONNECTIONS = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """How one webhook went. `status` is None when no answer came."""

    status: int | None
    seconds: float
    error: str = ""
    body: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the product took it."""
        return self.status is not None and self.status < 400


class Courier:
    """Posts webhooks; counts what became of them under `webhook.<kind>.<outcome>`."""

    def __init__(self, store: Store, auth_token: str) -> None:
        self.store = store
        self.validator = RequestValidator(auth_token)
        # Waiting for a free connection must not count as the product's slowness.
        self._free = asyncio.Semaphore(MAX_CONNECTIONS)
        self.session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the connection pool; call it on the running loop."""
        timeout = aiohttp.ClientTimeout(
            total=CONNECT_SECONDS + READ_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS
        )
        self.session = aiohttp.ClientSession(
            timeout=timeout,
            connector=aiohttp.TCPConnector(limit=0),
            headers={"User-Agent": "TwilioProxy/1.1"},
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close the connection pool."""
        if self.session:
            await self.session.close()

    async def post(self, kind: str, url: str, params: dict[str, str], *, is_signed: bool = True) -> Delivery:
        """Post one webhook. One second try, and only when no connection could be made."""
        token = secrets.token_hex(16)
        async with self._free:
            delivery = await self._once(url, params, token, is_signed)
            if delivery.error == "connect":
                self.store.count(f"webhook.{kind}.retried")
                delivery = await self._once(url, params, token, is_signed)
        outcome = f"http_{delivery.status}" if delivery.status else delivery.error
        self.store.count(f"webhook.{kind}.{outcome}")
        return delivery

    async def _once(self, url: str, params: dict[str, str], token: str, is_signed: bool) -> Delivery:
        assert self.session is not None
        signature = self.validator.compute_signature(url, params) if is_signed else "bm90IGEgc2lnbmF0dXJl"
        headers = {"X-Twilio-Signature": signature, "I-Twilio-Idempotency-Token": token}
        started = time.monotonic()
        try:
            async with self.session.post(url, data=params, headers=headers, allow_redirects=False) as response:
                body = await response.text(errors="replace")
                return Delivery(response.status, time.monotonic() - started, body=body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Delivery(None, time.monotonic() - started, "connect")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            _log.info("webhook not taken", extra={"error": type(error).__name__})
            return Delivery(None, time.monotonic() - started, "timeout_or_cut")
