"""Signing in and out leaves its entries. The sender's transaction is not known, so each entry has its own."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.http import HttpRequest

from contact_center.accounts.models import User
from contact_center.accounts.throttling import sign_in_name
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.ratelimit import caller_address


def connect() -> None:
    """Listen; called once when the app is ready."""
    user_logged_in.connect(note_sign_in, dispatch_uid="audit_sign_in")
    user_logged_out.connect(note_sign_out, dispatch_uid="audit_sign_out")
    user_login_failed.connect(note_failure, dispatch_uid="audit_sign_in_failed")


def _note(action: AuditAction, user: User | None, user_id: int | None, request: HttpRequest | None) -> None:
    address = caller_address(request) if request is not None else ""
    with transaction.atomic():
        record(actor=user, action=action, object_type="user", object_id=user_id, address=address)


def note_sign_in(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    _note(AuditAction.SIGNED_IN, user, user.pk, request)


def note_sign_out(sender: Any, request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    if user is not None and user.pk:
        _note(AuditAction.SIGNED_OUT, user, user.pk, request)


def note_failure(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Whose account was tried, if there is one; the address that was typed is not kept."""
    tried = sign_in_name(request, credentials)
    user_id = User.objects.filter(email=tried).values_list("pk", flat=True).first()
    _note(AuditAction.SIGN_IN_FAILED, None, user_id, request)
