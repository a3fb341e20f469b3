"""What one running simulator is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_DELAYS: dict[str, float] = {"queued": 0.02, "sent": 0.3, "delivered": 0.9, "read": 4.0}


@dataclass(frozen=True)
class Config:
    """Addresses, credentials and the pace of deliveries.

    `public_base_url` is the product's address, where webhooks go. `own_url` is what stands in the addresses
    of attachments; without it the port really bound is used. `delays` are seconds after acceptance.
    Port 0 takes any free port; None for a mail port switches that part off.
    """

    data_dir: Path
    public_base_url: str
    account_sid: str
    auth_token: str
    host: str = "127.0.0.1"
    port: int = 0
    own_url: str | None = None
    smtp_port: int | None = None
    smtp_intake_port: int | None = None
    sms_number: str = "+15005550100"
    whatsapp_number: str = "+15005550199"
    voice_number: str = "+15005550111"
    api_key_sid: str = ""
    api_key_secret: str = ""
    mailbox: str = "care@aurora.example"
    delays: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_DELAYS))

    @property
    def inbound_url(self) -> str:
        """Where an inbound message is announced."""
        return f"{self.public_base_url.rstrip('/')}/webhooks/twilio/messaging"
