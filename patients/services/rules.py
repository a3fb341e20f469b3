"""The ages and warnings that sites set for themselves."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from patients.models import CareRule


@transaction.atomic
def save_care_rule(*, actor: User | None, site_name: str, adult_age: int, warning_days: int) -> CareRule:
    """Set the rule of a site, of everywhere else for "". Raises ValidationError (by field), PermissionDenied."""
    if actor is not None and not can(actor, Action.CONFIGURE):
        raise PermissionDenied
    rule = CareRule.objects.select_for_update().filter(site_name=site_name.strip()).first() or CareRule()
    rule.site_name, rule.adult_age, rule.warning_days = site_name.strip(), adult_age, warning_days
    rule.full_clean(validate_unique=False)
    rule.save()
    record(actor=actor, action=AuditAction.CHANGED, object_type="carerule", object_id=rule.pk)
    return rule


@transaction.atomic
def remove_care_rule(*, actor: User, rule_id: int) -> None:
    """Let a site follow the rule of everywhere again. Raises PermissionDenied, CareRule.DoesNotExist."""
    if not can(actor, Action.CONFIGURE):
        raise PermissionDenied
    rule = CareRule.objects.select_for_update().get(pk=rule_id)
    record(actor=actor, action=AuditAction.DELETED, object_type="carerule", object_id=rule.pk)
    rule.delete()
