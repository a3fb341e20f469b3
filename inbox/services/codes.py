"""One-time codes: six digits, ten minutes, three tries, used once. They are stored nowhere and logged nowhere."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from inbox.enums import ChannelKind, CodeUse
from inbox.models import Channel, Interaction, OneTimeCode
from patients.enums import ContactScheme
from patients.models import Patient

LASTS = timedelta(minutes=10)
MOST_TRIES = 3
MOST_IN_A_WHILE, A_WHILE = 3, timedelta(minutes=15)
MOST_A_DAY = 10
KEPT = timedelta(days=1)
MASK = "••••••"
KIND_OF = {ContactScheme.PHONE: ChannelKind.SMS, ContactScheme.EMAIL: ChannelKind.EMAIL}


def new_code(
    *,
    use: CodeUse,
    scheme: str,
    address: str,
    language: str,
    interaction: Interaction | None = None,
    patient: Patient | None = None,
) -> OneTimeCode | None:
    """A fresh code for an address, in the caller's transaction.

    None when it got three of this use in a quarter of an hour, or ten in a day: a stranger who asks for codes does not
    keep staff from sending one. Whether a message carries it is for the caller to say (`handled_at`).
    """
    now = timezone.now()
    lately = OneTimeCode.objects.filter(use=use, address=address, created_at__gt=now - timedelta(days=1))
    times = list(lately.values_list("created_at", flat=True))
    if len(times) >= MOST_A_DAY or sum(at > now - A_WHILE for at in times) >= MOST_IN_A_WHILE:
        return None
    return OneTimeCode.objects.create(
        use=use,
        scheme=scheme,
        address=address,
        language=language,
        interaction=interaction,
        patient=patient,
        seed=secrets.token_hex(24),
        created_at=now,
        expires_at=now + LASTS,
    )


def digits_of(code: OneTimeCode) -> str:
    """The six digits. Only for the message that is leaving, and for comparing."""
    words = f"{code.public_id}:{code.seed}:{code.use}".encode()
    digest = hmac.new(settings.SECRET_KEY.encode(), b"one-time-code:" + words, hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"


def try_code(code_id: int, given: str) -> bool:
    """Whether these are the digits, counting the try; a code that was used, tried three times or is over never fits.

    The caller's transaction holds the row until it ends, so parallel tries are counted one by one. The trail keeps
    what was tried on whom, never the digits.
    """
    code = OneTimeCode.objects.select_for_update().get(pk=code_id)
    now = timezone.now()
    is_alive = code.used_at is None and code.tries < MOST_TRIES and now < code.expires_at
    fits = hmac.compare_digest("".join(filter(str.isdecimal, given)).encode(), digits_of(code).encode())
    if is_alive:
        code.tries += 1
        code.used_at = now if fits else None
        code.save(update_fields=["tries", "used_at"])
    if not (is_alive and fits):
        record(
            actor=None,
            action=AuditAction.SIGN_IN_FAILED if code.use == CodeUse.PORTAL else AuditAction.ACCESS_DENIED,
            object_type="onetimecode",
            object_id=code.pk,
            patient_id=code.patient_id,
            tries=code.tries,
        )
    return is_alive and fits


def channel_for(scheme: str) -> Channel | None:
    """The channel of ours that carries codes to such an address; None where we have none."""
    kind = KIND_OF.get(ContactScheme(scheme)) if scheme in ContactScheme.values else None
    return Channel.objects.filter(kind=kind, is_active=True).order_by("pk").first() if kind else None


def forget_old_codes() -> int:
    """Delete codes that were over a day ago; returns how many."""
    return OneTimeCode.objects.filter(expires_at__lt=timezone.now() - KEPT).delete()[0]
