"""Tasks, and the checklists they come from."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from contact_center.common.models import TimeStampedModel
from inbox.models.desk import Reason
from inbox.models.interactions import Interaction


class Checklist(TimeStampedModel):
    """A template of tasks, put into an interaction by hand or with its reason."""

    name = models.CharField(max_length=80, unique=True)
    reasons = models.ManyToManyField(Reason, related_name="checklists", blank=True)
    items = models.JSONField(default=list, help_text='[{"title": "Send the preparation", "is_blocking": true}]')
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Task(TimeStampedModel):
    """Something to do in an interaction. A blocking one must be done before the interaction may be closed."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="tasks")
    checklist = models.ForeignKey(Checklist, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="tasks"
    )
    due_date = models.DateField(null=True, blank=True)
    is_blocking = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="task_done_by_somebody",
            )
        ]
        indexes = [
            models.Index(fields=["owner", "due_date"], condition=Q(done_at=None), name="task_owner_open"),
        ]

    def __str__(self) -> str:
        return f"task {self.pk}"
