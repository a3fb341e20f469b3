"""What the desk keeps of its own figures."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from inbox.models import Queue


class LimitCrossing(models.Model):
    """A queue was beyond a limit of the live board, from `began_at` until it was well below all of them again."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="+")
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            models.UniqueConstraint(fields=["queue"], condition=Q(ended_at=None), name="limit_crossing_open_once")
        ]

    def __str__(self) -> str:
        return f"limit crossing {self.pk}"
