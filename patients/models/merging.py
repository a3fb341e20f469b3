"""The journal of merges: what moved from one record to another, so that each item finds its way back."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from contact_center.common.models import TimeStampedModel
from patients.enums import MergedItem
from patients.models.people import Patient


class PatientMerge(TimeStampedModel):
    """One record went on in another. `source` is the old one; undone merges stay as history."""

    source = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="merges_away")
    target = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="merges_here")
    merged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    high_water = models.JSONField(default=dict, help_text="Last id per kind of item: what is newer came afterwards.")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source"], condition=Q(undone_at=None), name="patient_merged_once"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="patient_merge_of_two"),
        ]

    def __str__(self) -> str:
        return f"merge {self.pk}"


class PatientMergeItem(models.Model):
    """What became of one row, or of one field of the target. `link` is `app.Model.field`; `before` holds old values."""

    merge = models.ForeignKey(PatientMerge, on_delete=models.CASCADE, related_name="items")
    what = models.CharField(max_length=10, choices=MergedItem.choices)
    link = models.CharField(max_length=120)
    object_id = models.BigIntegerField()
    before = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merge", "link", "object_id"], name="patient_merge_item_once")]
        indexes = [models.Index(fields=["link", "object_id"], name="patient_merge_item_object")]

    def __str__(self) -> str:
        return f"item {self.pk} of merge {self.merge_id}"
