"""Twilio's Content interface: message templates and their approval by WhatsApp."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from contact_center.simulator.config import Config
from contact_center.simulator.store import Store, new_sid
from contact_center.simulator.twilio_words import Refusal

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class ContentApi:
    """Templates: list, read, create, approval."""

    def __init__(self, config: Config, store: Store) -> None:
        self.config = config
        self.store = store

    async def list_contents(self, request: web.Request) -> web.Response:
        """Every template; with approvals where they are asked for."""
        with_approvals = request.path.endswith("AndApprovals")
        shown = [_content_json(value, with_approvals=with_approvals) for value in self.store.contents()]
        url = f"https://content.twilio.com{request.path}?PageSize=50&Page=0"
        meta = {"page": 0, "page_size": 50, "first_page_url": url, "previous_page_url": None, "url": url}
        return web.json_response({"contents": shown, "meta": meta | {"next_page_url": None, "key": "contents"}})

    def _content(self, request: web.Request) -> dict[str, Any]:
        content = self.store.content(request.match_info["sid"])
        if content is None:
            raise Refusal(20404, request.path)
        return content

    async def fetch_content(self, request: web.Request) -> web.Response:
        """One template."""
        return web.json_response(_content_json(self._content(request), with_approvals=False))

    async def fetch_approval(self, request: web.Request) -> web.Response:
        """Whether WhatsApp approved a template."""
        content = self._content(request)
        answer = {"sid": content["sid"], "account_sid": content["account_sid"], "whatsapp": content["approval"]}
        return web.json_response(answer | {"url": f"https://content.twilio.com{request.path}"})

    async def create_content(self, request: web.Request) -> web.Response:
        """Keep a new template; it waits for approval."""
        try:
            given = await request.json()
            content = new_content(
                self.config.account_sid,
                sid=new_sid("HX"),
                name=given.get("friendly_name") or "",
                language=given["language"],
                types=given["types"],
                variables=given.get("variables") or {},
                approval="unsubmitted",
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refusal(20001, "types") from error
        self.store.put_content(content)
        return web.json_response(_content_json(content, with_approvals=False), status=201)


def new_content(account_sid: str, **given: Any) -> dict[str, Any]:
    """A template as it is kept. `given`: sid, name, language, types, variables, approval."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    approval = {
        "name": given["name"],
        "category": "UTILITY",
        "content_type": next(iter(given["types"]), "twilio/text"),
        "status": given["approval"],
        "rejection_reason": "",
        "allow_category_change": True,
    }
    return {
        "sid": given["sid"],
        "account_sid": account_sid,
        "friendly_name": given["name"],
        "language": given["language"],
        "variables": given["variables"],
        "types": given["types"],
        "date_created": now,
        "date_updated": now,
        "approval": approval,
    }


def _content_json(content: dict[str, Any], *, with_approvals: bool) -> dict[str, Any]:
    shown = {name: value for name, value in content.items() if name != "approval"}
    if with_approvals:
        return shown | {"approval_requests": content["approval"]}
    url = f"https://content.twilio.com/v1/Content/{content['sid']}"
    links = {"approval_create": f"{url}/ApprovalRequests/whatsapp", "approval_fetch": f"{url}/ApprovalRequests"}
    return shown | {"url": url, "links": links}


def rendered(content: dict[str, Any], variables: str | None) -> tuple[str, list[dict[str, str]]]:
    """The text of a template and its buttons, with the variables filled in. A button is `text` and what a tap does: a
    quick reply answers with its `payload`, others lead to a `url`. Raises Refusal."""
    try:
        given = json.loads(variables or "{}")
    except ValueError:
        raise Refusal(21656) from None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise Refusal(21656)
    known = content["variables"] | given

    def fill(text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: str(known.get(found.group(1), found.group(0))), text)

    shape: dict[str, Any] = next(iter(content["types"].values()), {})
    buttons = [_button(action, fill) for action in shape.get("actions", [])]
    return fill(str(shape.get("body", ""))), buttons


def _button(action: dict[str, Any], fill: Callable[[str], str]) -> dict[str, str]:
    shown = {"text": str(action.get("title", ""))}
    if action.get("type") == "URL":
        url = fill(str(action.get("url", "")))
        return shown | {"url": url if url.startswith(("https://", "http://")) else ""}
    if action.get("type") == "PHONE_NUMBER":
        return shown | {"url": f"tel:{action.get('phone', '')}"}
    return shown | {"payload": str(action.get("id", ""))}


def is_approved(content: dict[str, Any] | None) -> bool:
    """Whether this template may open a WhatsApp conversation."""
    return content is not None and content["approval"]["status"] == "approved"
