"""Facts of the desk that somebody should hear of: work that came, answers, due steps."""

from datetime import timedelta

from django.db.models import Min, Q
from django.utils import timezone

from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import User
from contact_center.common.prepared import ask_planned
from inbox.enums import CaseStatus, InteractionStatus, NotificationKind
from inbox.models import Case, Interaction, Message, Notification, Queue, Task
from inbox.services.notifications import notify

K = NotificationKind
TOLD = "SELECT 1 FROM inbox_notification WHERE user_id = %(user)s AND dedupe_key = %(key)s AND dedupe_key <> ''"
NEW_WORK_TASK, NEW_WORK_QUEUE = "inbox.tell_of_new_work", "default"
LOOK_BACK = timedelta(minutes=5)
BURST = timedelta(minutes=10)
"""Within a burst, new work in one queue is told once."""
SHIFT = timedelta(hours=8)
"""What was told and not looked at yet is not told again within a shift."""


def tell_of_answer(interaction: Interaction, message: Message) -> None:
    """The owner hears that the patient wrote: once per turn, however many messages it has."""
    if interaction.owner_id is None:
        return
    turn = interaction.waiting_since_at or message.occurred_at
    key = f"reply:{interaction.pk}:{turn.timestamp():.6f}"
    # Most messages end here, so it is asked before all else.
    if ask_planned(TOLD, {"user": interaction.owner_id, "key": key}):
        return
    notify(user=interaction.owner, kind=K.PATIENT_REPLIED, interaction=interaction, dedupe_key=key)


def tell_of_setback(message: Message, interaction: Interaction) -> None:
    """Whoever wrote it hears that a message failed or was held back; once per attempt."""
    notify(
        user=message.author,
        kind=K.SEND_FAILED,
        interaction=interaction,
        dedupe_key=f"failed:{message.pk}:{message.attempts}",
    )


def tell_of_new_work() -> int:
    """People who are available hear once per burst that their queues have new work nobody owns; returns how many.

    Whoever has not looked at the last one yet is not told again for eight hours.
    """
    since = timezone.now() - LOOK_BACK
    fresh = Interaction.objects.filter(status=InteractionStatus.QUEUED, owner=None, opened_at__gte=since)
    firsts = dict(fresh.order_by().values_list("queue_id").annotate(first=Min("pk")))
    told = 0
    for queue in Queue.objects.filter(pk__in=firsts):
        interaction = Interaction.objects.get(pk=firsts[queue.pk])
        told += sum(_tell_burst(user, queue, interaction) for user in _available_in(queue))
    return told


def _available_in(queue: Queue) -> list[User]:
    people = User.objects.filter(is_active=True, presence__state=PresenceState.ONLINE)
    return list(people.filter(memberships__team__queues=queue).distinct().order_by("pk"))


def _tell_burst(user: User, queue: Queue, interaction: Interaction) -> bool:
    earlier = Notification.objects.filter(user=user, kind=K.NEW_WORK, interaction__queue=queue)
    now = timezone.now()
    if earlier.filter(Q(created_at__gt=now - BURST) | Q(created_at__gt=now - SHIFT, read_at=None)).exists():
        return False
    key = f"new_work:{queue.pk}:{interaction.pk}"
    return notify(user=user, kind=K.NEW_WORK, interaction=interaction, dedupe_key=key) is not None


def tell_of_due_steps() -> int:
    """Owners hear on the day that a task or the next step of a case is due, once each; returns how many were told."""
    today, told = timezone.localdate(), 0
    tasks = Task.objects.filter(due_date=today, done_at=None, owner__isnull=False)
    for task in tasks.select_related("owner", "interaction").order_by("pk"):
        key = f"task:{task.pk}:{today}"
        told += notify(user=task.owner, kind=K.TASK_DUE, interaction=task.interaction, dedupe_key=key) is not None
    steps = Case.objects.filter(next_step_date=today, status__in=[CaseStatus.OPEN, CaseStatus.WAITING])
    for case in steps.filter(owner__isnull=False).select_related("owner").order_by("pk"):
        last = case.interactions.order_by("-last_message_at").first()
        key = f"step:{case.pk}:{today}"
        told += notify(user=case.owner, kind=K.TASK_DUE, interaction=last, dedupe_key=key) is not None
    return told
