"""Before the right of a proxy ends, somebody is told and gets a dated next step; when it is over, it is ended."""

from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import roles_that_may
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from inbox import realtime
from inbox.enums import NotificationKind
from inbox.models import Case, Interaction, Queue, Task
from inbox.services.interactions import new_reference
from inbox.services.notifications import notify
from patients.models import RelatedPerson
from patients.policies import last_day_of
from patients.selectors.family import proxies_in_force, rule_for, rules
from patients.services.family import end_related_person, note_warning


def watch_proxies() -> int:
    """End what is over and warn of what ends soon, each once; returns how many proxies that concerned.

    A warning is a case with the last day as its date (a task too, where a conversation of the patient is open) and a
    notification, in one transaction. Safe to run at any time, by any number of workers.
    """
    known, today, concerned = rules(), timezone.localdate(), 0
    for link in proxies_in_force().iterator(chunk_size=500):
        rule = rule_for(link.patient, known)
        last = last_day_of(link, rule.adult_age)
        if last is None:
            continue
        if last < today:
            end_related_person(actor=None, related_person_id=link.pk)
            concerned += 1
        elif link.warned_date is None and last - today <= timedelta(days=rule.warning_days):
            concerned += _warn(link, last)
    return concerned


def _warn(link: RelatedPerson, last: date) -> bool:
    with realtime.atomic():
        claimed = note_warning(related_person_id=link.pk)
        if claimed is None:
            return False
        latest = Interaction.objects.filter(patient=claimed.patient).select_related("owner", "queue")
        interaction = latest.order_by("-last_message_at", "-pk").first()
        queue = interaction.queue if interaction else Queue.objects.filter(is_active=True).order_by("position").first()
        owner = interaction.owner if interaction and not interaction.is_done else None
        with translation.override(settings.LANGUAGE_CODE):
            title = _("The right of a proxy ends")
            step = _("Ask who may act for the patient from then on, and write it down")
        if queue is not None:
            case = Case.objects.create(
                reference=new_reference("K"), patient=claimed.patient, title=title, owner=owner, queue=queue,
                next_step=step, next_step_date=last,
            )  # fmt: skip
            record(
                actor=None, action=AuditAction.CREATED, object_type="case", object_id=case.pk,
                patient_id=claimed.patient_id, proxy=link.pk,
            )  # fmt: skip
        if interaction is not None and not interaction.is_done:
            position = interaction.tasks.count()
            Task.objects.create(interaction=interaction, title=step, owner=owner, due_date=last, position=position)
            realtime.touch(realtime.interaction_topic(interaction.pk))
        for person in [owner] if owner else _leads():
            key = f"proxy:{link.pk}:{last}"
            notify(user=person, kind=NotificationKind.PROXY_ENDS, interaction=interaction, dedupe_key=key)
        return True


def _leads() -> list[User]:
    """Who is told where nobody owns the patient's work."""
    return list(User.objects.filter(is_active=True, role__in=roles_that_may(Action.ASSIGN_OTHERS)).order_by("pk"))
