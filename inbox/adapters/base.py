"""The contract every channel adapter keeps, and the few ways in which it may fail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, ClassVar, Literal

from inbox.adapters.events import (
    Event,
    FailureReason,
    MediaRef,
    OutboundMessage,
    ProviderRecord,
    SendResult,
    TemplateRecord,
)

Capability = Literal["receive", "send", "media", "templates", "delivery_reports", "list_messages"]


class SignatureError(Exception):
    """The request does not come from the provider, or was changed on its way. Store nothing, answer 403."""


class UnparseablePayload(Exception):
    """The payload came from the provider but cannot be read. Keep it in quarantine; nothing is dropped."""


class MediaRefused(Exception):
    """The attachment must not be fetched or kept: forbidden address, too large, or a bad redirect."""


class AdapterError(Exception):
    """A call to the provider failed.

    `permanent` trying again cannot help. `doubtful` the provider may have accepted the message although we
    have no answer: look for it with `Adapter.find_sent` before anything is sent again. `retry_after` is
    the provider's wish in seconds. `reason` is what went wrong in our words, and all that code may branch on;
    `code` is the provider's own, kept for support; `message` is a sentence for staff.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        reason: FailureReason = "unknown",
        code: str | None = None,
        doubtful: bool = False,
        retry_after: float | None = None,
    ) -> None:
        if permanent and doubtful:
            raise ValueError("A refusal is not doubtful: permanent and doubtful exclude each other.")
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.reason = reason
        self.code = code
        self.doubtful = doubtful
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class FetchedMedia:
    """A downloaded attachment. `content` stands at its start; the caller closes it. `size` in bytes."""

    content: IO[bytes]
    content_type: str
    size: int


class Adapter(ABC):
    """One provider's channel. Built from its own config object; safe to share between threads.

    `key` names the adapter in the registry and in `provider` of every event it makes.
    """

    key: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]

    @abstractmethod
    def verify(self, request_url: str, headers: Mapping[str, str], body: bytes, params: Mapping[str, Any]) -> None:
        """Prove that the provider made this request, or raise SignatureError.

        `request_url` is the path with its query, or the whole address: only path and query are used, since
        the host a proxy saw is not the host the provider signed. `params` are all form parameters, as a
        mapping of str or a QueryDict.
        """

    @abstractmethod
    def parse(self, payload: Mapping[str, Any]) -> list[Event]:
        """Read one webhook payload into events. Raises UnparseablePayload, never anything else.

        The same payload always gives equal events, so a quarantined one can be tried again.
        """

    def send(self, outbound: OutboundMessage) -> SendResult:
        """Hand the message to the provider once, with no retry of its own. Raises AdapterError."""
        raise NotImplementedError(f"{self.key} cannot send")

    def list_messages(self, since: datetime, until: datetime) -> Iterator[ProviderRecord]:
        """Every message the provider knows between two aware datetimes, newest first. Raises AdapterError."""
        raise NotImplementedError(f"{self.key} keeps no list")

    def find_sent(
        self, outbound: OutboundMessage, since: datetime, exclude_ids: Collection[str] = ()
    ) -> SendResult | None:
        """Find a message whose sending is in doubt in the provider's list, or None if it was never accepted.

        `since` is when the first attempt began. `exclude_ids` are external ids already bound to other
        messages of ours, so that two equal texts to one person are told apart. Raises AdapterError.
        """
        raise NotImplementedError(f"{self.key} keeps no list")

    def list_templates(self) -> Iterator[TemplateRecord]:
        """Every message template the provider holds for us, with its approval. Raises AdapterError."""
        raise NotImplementedError(f"{self.key} has no templates")

    def fetch_media(self, ref: MediaRef, max_bytes: int) -> FetchedMedia:
        """Download an attachment. Raises MediaRefused for good, AdapterError when it may work later."""
        raise NotImplementedError(f"{self.key} has no media")
