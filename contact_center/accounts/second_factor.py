"""How second factors behave here: secrets encrypted, codes good once, guessing paused; all of it in the database."""

from datetime import timedelta
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django import forms
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.dateparse import parse_datetime

from contact_center.common import encrypted
from contact_center.common.rotation import Place

PLACE = "mfa_authenticator.data"
SECRETS = ("secret", "seed")
TRIES, PAUSE = 5, timedelta(minutes=15)


class EncryptedSecrets(DefaultMFAAdapter):
    """Keeps the secrets of authenticator apps and recovery codes encrypted at rest."""

    def encrypt(self, text: str) -> str:
        return encrypted.encrypt(text, PLACE)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises CannotDecrypt."""
        return encrypted.decrypt(encrypted_text, PLACE)

    def get_totp_issuer(self) -> str:
        return str(settings.ORGANISATION_NAME)


class SeveralTries(forms.Form):
    """Checks a code against the person's app and recovery codes. Each is good once, five wrong ones pause for 15 min.

    What was used and how often somebody failed are rows, so an emptied Redis gives no code a second life.
    """

    user: Any
    authenticator: Authenticator

    def clean_code(self) -> str:
        code = self.cleaned_data["code"].replace(" ", "")
        wrong = None
        with transaction.atomic():
            kinds = [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]
            rows = Authenticator.objects.select_for_update().filter(user=self.user, type__in=kinds).order_by("-type")
            found = list(rows)
            if found and _is_paused(found[0]):
                raise get_account_adapter().validation_error("too_many_login_attempts")
            for row in found:
                if _takes(row, code):
                    row.user, self.authenticator = self.user, row
                    _note(found[0], failures=0)
                    return code
            if found:
                wrong = found[0]
                _note(wrong, failures=wrong.data.get("failures", 0) + 1)
        if wrong is not None:
            self._emit_authentication_failed(wrong)
        raise get_account_adapter().validation_error("incorrect_code")

    def _emit_authentication_failed(self, authenticator: Authenticator) -> None:
        signals.authentication_failed.send(
            sender=Authenticator, request=context.request, user=self.user, authenticator=authenticator
        )


class CodeForm(SeveralTries, AuthenticateForm):
    """The second step of signing in."""


class CodeAgainForm(SeveralTries, ReauthenticateForm):
    """Proving once more who one is."""


class FirstCodeForm(ActivateTOTPForm):
    """The first code of an app that is being set up: proves that it has the secret."""

    def clean_code(self) -> str:
        code = self.cleaned_data["code"].replace(" ", "")
        if _step_of(self.secret, code) is None:
            raise get_account_adapter().validation_error("incorrect_code")
        return code


def _takes(row: Authenticator, code: str) -> bool:
    if row.type == Authenticator.Type.RECOVERY_CODES:
        wrapped = row.wrap()
        is_right = wrapped.validate_code(code)
        row.data = wrapped.instance.data
        return bool(is_right)
    step = _step_of(encrypted.decrypt(row.data["secret"], PLACE), code)
    if step is None or step <= row.data.get("last_step", 0):
        return False
    row.data["last_step"] = step
    row.save(update_fields=["data"])
    return True


def _step_of(secret: str, code: str) -> int | None:
    """The 30-second step in which this is the code; None when it is none of those around now."""
    for step in yield_hotp_counters_from_time():
        if constant_time_compare(code, format_hotp_value(hotp_value(secret, step))):
            return int(step)
    return None


def _is_paused(row: Authenticator) -> bool:
    until_at = parse_datetime(row.data.get("paused_until", ""))
    return until_at is not None and until_at > timezone.now()


def _note(row: Authenticator, *, failures: int) -> None:
    if failures == row.data.get("failures", 0) and not failures:
        return
    row.data["failures"] = failures % TRIES
    row.data["paused_until"] = (timezone.now() + PAUSE).isoformat() if failures >= TRIES else ""
    row.save(update_fields=["data"])


# ---- changing keys ----


def _old_secrets() -> Any:
    present = f"{encrypted.PREFIX}:{encrypted.current_key_id()}:"
    apps = Q(type=Authenticator.Type.TOTP) & ~Q(data__secret__startswith=present)
    codes = Q(type=Authenticator.Type.RECOVERY_CODES) & ~Q(data__seed__startswith=present)
    return Authenticator.objects.filter(apps | codes).order_by("pk")


def _rotate(limit: int) -> int:
    with transaction.atomic():
        rows = list(_old_secrets().select_for_update()[:limit])
        for row in rows:
            for name in filter(row.data.__contains__, SECRETS):
                row.data[name] = encrypted.encrypt(encrypted.decrypt(row.data[name], PLACE), PLACE)
            row.save(update_fields=["data"])
        return len(rows)


ROTATION = Place(PLACE, lambda: _old_secrets().count(), _rotate)
