"""Work that lies too long is offered to nobody, so that it does not bury what is new; supervisors hear of it."""

from django.db.models import Min
from django.utils import timezone

from inbox.enums import NotificationKind
from inbox.models import Interaction
from inbox.selectors.backlog import lying
from inbox.selectors.team import leads_of
from inbox.services.notifications import notify


def tell_of_lying_work() -> int:
    """Leads of each queue hear once a day that work lies in it; returns how many were told."""
    today, told = timezone.localdate(), 0
    oldest = dict(lying().order_by().values_list("queue_id").annotate(Min("pk")))
    for queue_id, pk in oldest.items():
        work = Interaction.objects.get(pk=pk)
        for lead in leads_of(queue_id):
            key = f"lying:{queue_id}:{today}"
            told += notify(user=lead, kind=NotificationKind.LEFT_LYING, interaction=work, dedupe_key=key) is not None
    return told
