"""Tags and checklists of the demo clinic, and what of them is on the conversations that are open now."""

from datetime import timedelta

from django.utils import timezone

from contact_center.aurora.setup import Desk
from inbox.enums import DONE
from inbox.models import Checklist, Interaction, Tag, Task

TAGS = ("Transport", "Interpreter", "Billing question", "Portal access", "Call before 10", "Family helps")
CHECKLISTS = (
    (
        "MRI preparation",
        ("preparation",),
        [
            {"title": "Ask about metal and pacemaker", "is_blocking": True},
            {"title": "Explain fasting and medicines, and let them repeat it", "is_blocking": True},
            {"title": "Offer the calm-room visit"},
        ],
    ),
    (
        "Authorisation",
        ("authorisation",),
        [{"title": "Send the order to the insurer", "is_blocking": True}, {"title": "Tell the patient by when"}],
    ),
    (
        "New patient",
        (),
        [{"title": "Check name and birth date", "is_blocking": True}, {"title": "Ask how to reach them"}],
    ),
)


def set_up_labels(made: Desk) -> None:
    """Create tags and checklists; a reason that the clinic does not have is left out."""
    for name in TAGS:
        Tag.objects.create(name=name, slug=name.lower().replace(" ", "-"))
    for name, reasons, items in CHECKLISTS:
        checklist = Checklist.objects.create(name=name, items=items)
        checklist.reasons.set([made.reasons[code] for code in reasons if code in made.reasons])


def label_open_work() -> None:
    """Put tags and checklists on open conversations, the same ones each time."""
    tags, lists = list(Tag.objects.order_by("pk")), list(Checklist.objects.prefetch_related("reasons"))
    open_ones = Interaction.objects.exclude(status__in=DONE).order_by("pk")[:60]
    for number, interaction in enumerate(open_ones):
        if number % 3 == 0:
            interaction.tags.add(tags[number % len(tags)])
        for checklist in lists:
            if interaction.reason_id in {reason.pk for reason in checklist.reasons.all()}:
                _put_in(interaction, checklist)


def _put_in(interaction: Interaction, checklist: Checklist) -> None:
    due = timezone.localdate() + timedelta(days=1)
    Task.objects.bulk_create(
        Task(
            interaction=interaction,
            checklist=checklist,
            title=item["title"],
            is_blocking=bool(item.get("is_blocking")),
            owner_id=interaction.owner_id,
            due_date=due,
            position=position,
        )
        for position, item in enumerate(checklist.items)
    )
