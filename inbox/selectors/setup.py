"""Cases and the desk's set-up, as far as the person may see them."""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from contact_center.accounts.enums import Action, Role
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.prepared import Given
from inbox.models import Case, Channel, Disposition, Reason, ServiceCalendar, SlaPolicy, Tag
from inbox.selectors.interactions import interactions_visible_to, not_protected_from, queues_of


def cases_visible_to(user: User, *, among: Collection[int] | Given | None = None) -> QuerySet[Case]:
    """Cases the person owns, those of their queues and of interactions they may see; sensitive ones as everywhere.

    Whoever knows which ids matter says them in `among`: then not every interaction of the house is looked at.
    """
    if not can(user, Action.WORK_INBOX):
        return Case.objects.none()
    found = Case.objects.all()
    if not can(user, Action.VIEW_ALL_QUEUES):
        tied = interactions_visible_to(user).filter(case__isnull=False)
        seen = (tied if among is None else tied.filter(case__any_of=among)).values("case_id")
        found = found.filter(Q(owner=user) | Q(queue__in=queues_of(user).values("pk")) | Q(pk__in=seen))
    if not can(user, Action.VIEW_SENSITIVE):
        found = found.exclude(reason__is_sensitive=True)
    return found if can(user, Action.SERVE_PROTECTED) else found.filter(not_protected_from(user))


def channels_visible_to(user: User) -> QuerySet[Channel]:
    """Our addresses; partner teams see only those that lead to their queues."""
    if not can(user, Action.WORK_INBOX):
        return Channel.objects.none()
    if user.role == Role.PARTNER_AGENT:
        return Channel.objects.filter(queue__in=queues_of(user).values("pk"))
    return Channel.objects.all()


def reasons_visible_to(user: User) -> QuerySet[Reason]:
    """Reasons in use, without sensitive ones for those who may not see such matters."""
    if not can(user, Action.WORK_INBOX):
        return Reason.objects.none()
    found = Reason.objects.filter(is_active=True)
    return found if can(user, Action.VIEW_SENSITIVE) else found.filter(is_sensitive=False)


def dispositions_for(user: User) -> QuerySet[Disposition]:
    """Wrap-up codes in use."""
    return Disposition.objects.filter(is_active=True) if can(user, Action.WORK_INBOX) else Disposition.objects.none()


def tags_for(user: User) -> QuerySet[Tag]:
    """Tags in use."""
    return Tag.objects.filter(is_active=True) if can(user, Action.WORK_INBOX) else Tag.objects.none()


def calendars_visible_to(user: User) -> QuerySet[ServiceCalendar]:
    """Hours of the house with what they are made of; partner teams see those of their own queues."""
    if not can(user, Action.WORK_INBOX):
        return ServiceCalendar.objects.none()
    found = ServiceCalendar.objects.prefetch_related("ranges", "days__ranges", "closures", "queues")
    if user.role == Role.PARTNER_AGENT:
        found = found.filter(queues__in=queues_of(user).values("pk")).distinct()
    return found


def policies_visible_to(user: User) -> QuerySet[SlaPolicy]:
    """What is promised; partner teams see what concerns every queue or one of theirs."""
    if not can(user, Action.WORK_INBOX):
        return SlaPolicy.objects.none()
    found = SlaPolicy.objects.prefetch_related("queues", "reasons")
    if user.role == Role.PARTNER_AGENT:
        found = found.filter(Q(queues=None) | Q(queues__in=queues_of(user).values("pk"))).distinct()
    return found
