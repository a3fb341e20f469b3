"""What every adapter must keep. A new adapter's test class inherits these and names its payload folder."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from inbox.adapters.base import Adapter, UnparseablePayload
from inbox.adapters.events import Address, CallEvent, DeliveryReport, InboundMessage, MediaRef
from inbox.adapters.registry import adapter_class

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
GARBAGE: list[dict[str, Any]] = [
    {},
    {"": ""},
    {"\x00": "\x00"},
    {"Body": None},
    {"Body": 7},
    {"Body": ["a", "b"]},
    {"Body": {"x": 1}},
    {"Body": "\ud800"},
    {"Body": "x" * 1_000_000},
]


def captured(folder: str) -> list[Any]:
    """Every payload of a folder as a pytest parameter: `{"payload": {...}, "expect": [...] | "unparseable"}`."""
    paths = sorted((FIXTURES / folder).glob("*.json"))
    assert paths, f"no payloads in {folder}"
    return [pytest.param(json.loads(path.read_text()), id=path.stem) for path in paths]


def plain(value: Any) -> Any:
    """An event's field as the payload files write it."""
    if isinstance(value, Address):
        return {"scheme": value.scheme, "value": value.value}
    if isinstance(value, MediaRef):
        return value.content_type
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


class AdapterContract:
    """Inherit, give an `adapter` fixture, and name the registry key and the folder of captured payloads."""

    key: str
    payloads: str

    def test_the_registry_knows_the_adapter(self, adapter: Adapter) -> None:
        assert adapter_class(self.key) is type(adapter)
        assert adapter.key == self.key

    def test_a_captured_payload_becomes_the_expected_events(self, adapter: Adapter, case: Any) -> None:
        if case["expect"] == "unparseable":
            with pytest.raises(UnparseablePayload):
                adapter.parse(case["payload"])
            return
        found = adapter.parse(case["payload"])
        shown = [
            {name: plain(getattr(event, name)) for name in wanted}
            for event, wanted in zip(found, case["expect"], strict=True)
        ]
        assert shown == case["expect"]

    def test_the_same_payload_gives_equal_frozen_events(self, adapter: Adapter, case: Any) -> None:
        if case["expect"] == "unparseable":
            return
        found = adapter.parse(case["payload"])
        assert found == adapter.parse(case["payload"])
        for event in found:
            assert isinstance(event, InboundMessage | DeliveryReport | CallEvent)
            assert event.provider == self.key
            with pytest.raises(FrozenInstanceError):
                event.provider = "x"  # type: ignore[misc]

    def test_no_event_carries_what_a_database_refuses(self, adapter: Adapter, case: Any) -> None:
        if case["expect"] == "unparseable":
            return
        for event in adapter.parse(case["payload"]):
            assert is_dataclass(event)
            for item in fields(event):
                written = repr(getattr(event, item.name)).encode("utf-8")
                assert b"\\x00" not in written, item.name
                assert b"\\ud8" not in written, item.name

    @pytest.mark.parametrize("payload", GARBAGE, ids=range(len(GARBAGE)))
    def test_garbage_is_unparseable_and_never_an_error(self, adapter: Adapter, payload: dict[str, Any]) -> None:
        with pytest.raises(UnparseablePayload):
            adapter.parse(payload)
