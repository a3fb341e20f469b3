"""Twilio's HTTP interface: messages and attachments."""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from aiohttp import web

from contact_center.simulator.config import Config
from contact_center.simulator.content_api import ContentApi, is_approved, rendered
from contact_center.simulator.deliveries import Deliveries
from contact_center.simulator.store import Store, new_sid
from contact_center.simulator.twilio_words import (
    API,
    REFUSED_NUMBERS,
    Refusal,
    is_recipient,
    is_sender,
    media_json,
    message_json,
)

CREATE_PARAMETERS = frozenset(
    {"To", "From", "MessagingServiceSid", "Body", "MediaUrl", "ContentSid", "ContentVariables", "StatusCallback"}
    | {"ValidityPeriod", "ApplicationSid", "MaxPrice", "ProvideFeedback", "Attempt", "ForceDelivery"}
    | {"ContentRetention", "AddressRetention", "SmartEncoded", "PersistentAction", "TrafficType", "ShortenUrls"}
    | {"ScheduleType", "SendAt", "SendAsMms", "RiskCheck", "FallbackFrom"}
)
LIST_PARAMETERS = frozenset({"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"})
OUR_ID_PARAMETER = "message"
MAX_BODY = 1600
MAX_MEDIA = 10
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TwilioApi:
    """The routes of Twilio that the product uses; anything else is answered as unknown."""

    def __init__(self, config: Config, store: Store, deliveries: Deliveries) -> None:
        self.config = config
        self.store = store
        self.deliveries = deliveries
        self.contents = ContentApi(config, store)

    def routes(self) -> list[web.RouteDef]:
        """The routes, each with the name of its fault point."""
        root = f"{API}/{{account}}/Messages"
        guard = self.guarded
        return [
            web.post(f"{root}.json", guard("create", self.create)),
            web.get(f"{root}.json", guard("list", self.list)),
            web.get(f"{root}/{{sid:[A-Za-z0-9]+}}.json", guard("fetch", self.fetch)),
            web.get(f"{root}/{{sid}}/Media.json", guard("list", self.list_media)),
            web.get(f"{root}/{{sid}}/Media/{{media:[A-Za-z0-9]+}}.json", guard("media", self.describe_media)),
            web.get(f"{root}/{{sid}}/Media/{{media:[A-Za-z0-9]+}}", guard("media", self.fetch_media)),
            web.get("/v1/Content", guard("content", self.contents.list_contents)),
            web.post("/v1/Content", guard("content", self.contents.create_content)),
            web.get("/v1/ContentAndApprovals", guard("content", self.contents.list_contents)),
            web.get("/v1/Content/{sid}", guard("content", self.contents.fetch_content)),
            web.get("/v1/Content/{sid}/ApprovalRequests", guard("content", self.contents.fetch_approval)),
        ]

    # ---- the gate ----
    def guarded(self, point: str, handler: Handler) -> Handler:
        """The handler behind the account's password and the rules that make trouble at this point."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            self.store.count(f"request.{point}")
            try:
                self._authenticate(request)
                form = (
                    await request.post()
                    if request.method == "POST" and request.content_type != "application/json"
                    else {}
                )
                effect = self.deliveries.faults.at(
                    point, to=str(form.get("To", "")), **{"from": str(form.get("From", ""))}
                )
                return await self._with_effect(request, handler, effect or {"type": ""})
            except Refusal as refusal:
                self.store.count(f"refused.{refusal.code}")
                return web.json_response(refusal.as_dict(), status=refusal.status)

        return guarded

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            decoded = base64.b64decode(given).decode("utf-8")
        except ValueError:
            decoded = ""
        own = self.config
        pairs = [(own.account_sid, own.auth_token), (own.api_key_sid, own.api_key_secret)]
        is_known = any(all(pair) and hmac.compare_digest(decoded.encode(), ":".join(pair).encode()) for pair in pairs)
        if scheme.lower() != "basic" or not is_known:
            raise Refusal(20003)
        if request.match_info.get("account", self.config.account_sid) != self.config.account_sid:
            raise Refusal(20404, request.path)

    async def _with_effect(self, request: web.Request, handler: Handler, effect: dict[str, Any]) -> web.StreamResponse:
        kind = effect["type"]
        if kind.startswith("accept_then_"):
            await handler(request)
            kind = kind.removeprefix("accept_then_")
        if kind == "http":
            return _http_failure(effect)
        if kind == "error":
            raise Refusal(effect["code"])
        if kind == "hang":
            await asyncio.sleep(effect.get("seconds", 60.0))
            return _http_failure({"status": 503})
        if kind == "cut":
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if kind == "malformed":
            return web.Response(text="<html>upstream</html>", status=200, content_type="text/html")
        return await handler(request)

    # ---- messages ----
    async def create(self, request: web.Request) -> web.Response:
        """Accept a message, or refuse it as Twilio does."""
        form = await request.post()
        _refuse_unknown(set(form), CREATE_PARAMETERS)
        given = {name: str(form[name]) for name in form if name != "MediaUrl"}
        media_urls = [str(url) for url in form.getall("MediaUrl", [])]
        sender = self._sender(given)
        recipient = given.get("To", "")
        self._check_pair(sender, recipient)
        content, body, buttons = self._text(given, media_urls)
        callback = given.get("StatusCallback") or None
        if callback and urlsplit(callback).scheme not in ("http", "https"):
            raise Refusal(21609)
        row = self.store.add_message(
            sid=new_sid("MM" if media_urls else "SM"),
            direction="outbound-api",
            sender=sender,
            recipient=recipient,
            body=body,
            status="accepted" if given.get("MessagingServiceSid") else "queued",
            service_sid=given.get("MessagingServiceSid"),
            callback_url=callback,
            our_id=_our_id(callback),
            content_sid=content["sid"] if content else None,
            extras={"buttons": buttons} if buttons else {},
        )
        answer = message_json(row, self.config.account_sid, len(media_urls))
        failure = self.deliveries.failure_of(row, is_approved_template=is_approved(content))
        if media_urls:
            self.deliveries.spawn(self._fetch_then_plan(row, media_urls, failure))
        else:
            self.deliveries.plan(row, failure)
        return web.json_response(answer, status=201)

    async def _fetch_then_plan(self, row: sqlite3.Row, urls: list[str], failure: int | None) -> None:
        is_fetched = await self.deliveries.fetch_media(row["sid"], urls)
        self.deliveries.plan(row, failure if is_fetched else failure or 63019)

    def _sender(self, given: dict[str, str]) -> str:
        service = given.get("MessagingServiceSid")
        if service and not re.fullmatch(r"MG[0-9a-fA-F]{32}", service):
            raise Refusal(21705)
        if service and not given.get("From"):
            is_whatsapp = given.get("To", "").startswith("whatsapp:")
            return f"whatsapp:{self.config.whatsapp_number}" if is_whatsapp else self.config.sms_number
        sender = given.get("From", "")
        if not sender:
            raise Refusal(21603)
        if not is_sender(sender):
            raise Refusal(21212, sender)
        return sender

    def _check_pair(self, sender: str, recipient: str) -> None:
        if not recipient:
            raise Refusal(21604)
        if not is_recipient(recipient):
            raise Refusal(21211, recipient)
        if sender.startswith("whatsapp:") != recipient.startswith("whatsapp:"):
            raise Refusal(21910)
        if recipient in REFUSED_NUMBERS:
            raise Refusal(REFUSED_NUMBERS[recipient], recipient)
        if self.store.is_opted_out(sender, recipient):
            raise Refusal(21610)

    def _text(
        self, given: dict[str, str], media_urls: list[str]
    ) -> tuple[dict[str, Any] | None, str, list[dict[str, str]]]:
        if len(media_urls) > MAX_MEDIA:
            raise Refusal(21623)
        if given.get("ContentSid"):
            content = self.store.content(given["ContentSid"])
            if content is None:
                raise Refusal(21655)
            return content, *rendered(content, given.get("ContentVariables"))
        body = given.get("Body", "")
        if not body and not media_urls:
            raise Refusal(21619)
        if len(body) > MAX_BODY:
            raise Refusal(21617)
        return None, body, []

    async def fetch(self, request: web.Request) -> web.Response:
        """One message."""
        return web.json_response(self._described(self._message(request)))

    def _message(self, request: web.Request) -> sqlite3.Row:
        row = self.store.message(request.match_info["sid"])
        if row is None:
            raise Refusal(20404, request.path)
        return row

    def _described(self, row: sqlite3.Row) -> dict[str, Any]:
        return message_json(row, self.config.account_sid, len(self.store.media_of(row["sid"])))

    async def list(self, request: web.Request) -> web.Response:
        """Messages, newest first, by recipient, sender and time of sending. Pages hang on the last id seen."""
        asked = dict(parse_qsl(request.query_string, keep_blank_values=True))
        _refuse_unknown(set(asked), LIST_PARAMETERS)
        size = max(1, min(int(asked.get("PageSize", "50") or 50), 1000))
        where, values = _filters(asked)
        if token := asked.get("PageToken"):
            where.append("id < ?")
            values.append(int(token.removeprefix("PASM"), 16))
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        rows = self.store.rows(
            f"SELECT * FROM message {condition} ORDER BY id DESC LIMIT ?",  # noqa: S608 - conditions are ours
            *values,
            size + 1,
        )
        number = int(asked.get("Page", "0") or 0)
        shown, has_more = rows[:size], len(rows) > size
        next_uri = _page_uri(request, asked, size, number + 1, shown[-1]["id"]) if has_more else None
        page = _page(request, asked, size, number, len(shown), next_uri)
        return web.json_response(page | {"messages": [self._described(row) for row in shown]})

    # ---- attachments ----
    async def list_media(self, request: web.Request) -> web.Response:
        """The attachments of one message."""
        row = self._message(request)
        found = [media_json(item, self.config.account_sid) for item in self.store.media_of(row["sid"])]
        return web.json_response(_page(request, {}, 50, 0, len(found), None) | {"media_list": found})

    def _media(self, request: web.Request) -> sqlite3.Row:
        row = self.store.row(
            "SELECT * FROM media WHERE sid = ? AND message_sid = ?",
            request.match_info["media"],
            request.match_info["sid"],
        )
        if row is None:
            raise Refusal(20404, request.path)
        return row

    async def describe_media(self, request: web.Request) -> web.Response:
        """One attachment's description."""
        return web.json_response(media_json(self._media(request), self.config.account_sid))

    async def fetch_media(self, request: web.Request) -> web.Response:
        """One attachment's content."""
        row = self._media(request)
        return web.Response(body=row["content"], headers={"Content-Type": row["content_type"]})


def _our_id(callback: str | None) -> str | None:
    if not callback:
        return None
    return next(iter(parse_qs(urlsplit(callback).query).get(OUR_ID_PARAMETER, [])), None)


def _refuse_unknown(given: set[str], known: frozenset[str]) -> None:
    if unknown := given - known:
        raise Refusal(20001, min(unknown))


def _filters(asked: dict[str, str]) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    for name, column in (("To", "recipient"), ("From", "sender")):
        if asked.get(name):
            where.append(f"{column} = ?")
            values.append(asked[name])
    if asked.get("DateSent"):
        start, end = _span(asked["DateSent"])
        where.append("sent >= ? AND sent < ?")
        values += [start, end]
    if asked.get("DateSent>"):
        where.append("sent >= ?")
        values.append(_span(asked["DateSent>"])[0])
    if asked.get("DateSent<"):
        where.append("sent < ?")
        values.append(_span(asked["DateSent<"])[1])
    return where, values


def _span(written: str) -> tuple[float, float]:
    """The day or the second that a date filter names."""
    try:
        moment = datetime.fromisoformat(written.replace("Z", "+00:00"))
    except ValueError:
        raise Refusal(20001, "DateSent") from None
    start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return start, start + (86_400 if len(written) == 10 else 1)


def _page_uri(request: web.Request, asked: dict[str, str], size: int, number: int, last_id: int) -> str:
    kept = {name: value for name, value in asked.items() if name not in ("Page", "PageToken", "PageSize")}
    return f"{request.path}?{urlencode(kept | {'PageSize': size, 'Page': number, 'PageToken': f'PASM{last_id:032x}'})}"


def _page(
    request: web.Request, asked: dict[str, str], size: int, number: int, shown: int, next_uri: str | None
) -> dict[str, Any]:
    kept = {name: value for name, value in asked.items() if name not in ("Page", "PageToken", "PageSize")}
    first = f"{request.path}?{urlencode(kept | {'PageSize': size, 'Page': 0})}"
    start = number * size
    return {
        "first_page_uri": first,
        "end": start + max(shown - 1, 0),
        "previous_page_uri": first if number else None,
        "uri": request.path_qs,
        "page_size": size,
        "start": start,
        "next_page_uri": next_uri,
        "page": number,
    }


def _http_failure(effect: dict[str, Any]) -> web.Response:
    status = effect.get("status", 500)
    code = {429: 20429, 503: 20503}.get(status, 20500)
    refusal = Refusal(code)
    headers = {"Retry-After": str(effect["retry_after"])} if "retry_after" in effect else {}
    return web.json_response(refusal.as_dict() | {"status": status}, status=status, headers=headers)
