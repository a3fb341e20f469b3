"""Views that people save for themselves or for a team."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from contact_center.accounts.models import Team
from contact_center.common.models import TimeStampedModel


class SavedView(TimeStampedModel):
    """A named set of conditions on interactions; personal, of a team, or (with neither) everybody's.

    It narrows what a person may see and never widens it.
    """

    name = models.CharField(max_length=60)
    conditions = models.JSONField(
        default=dict, help_text='{"match": "all", "rules": [{"field": "language", "is": ["pt"]}]}'
    )
    order = models.CharField(max_length=20, default="due")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="saved_views"
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="saved_views")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "owner", "team"], nulls_distinct=False, name="saved_view_name_once"
            ),
            models.CheckConstraint(
                condition=Q(team__isnull=True) | Q(owner__isnull=True), name="saved_view_team_or_person"
            ),
        ]

    def __str__(self) -> str:
        return self.name
