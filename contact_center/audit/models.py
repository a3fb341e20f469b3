"""The append-only, hash-chained trail of who saw and who changed what."""

from django.conf import settings
from django.db import models

from contact_center.audit.enums import AuditAction
from contact_center.common.models import WordedModel


class AuditChain(models.Model):
    """Head of one hash chain. Writers are spread over several chains so that they do not wait for each other."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    head_sequence = models.BigIntegerField(default=0)
    head_hash = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"audit chain {self.number}"


class AuditEntry(WordedModel):
    """One fact of ids and field names, no values. Never updated, never deleted: the database refuses it by trigger."""

    chain = models.ForeignKey(AuditChain, on_delete=models.PROTECT, related_name="entries")
    sequence = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=40, choices=AuditAction.choices)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField(null=True)
    patient_id = models.BigIntegerField(null=True, help_text="The patient concerned; audit lies below patients.")
    detail = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="audit_entry_sequence_once")]
        indexes = [
            models.Index(fields=["patient_id", "-occurred_at"], name="audit_by_patient"),
            models.Index(fields=["actor", "-occurred_at"], name="audit_by_actor"),
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["-occurred_at", "-id"], name="audit_recent"),
            models.Index(
                fields=["-occurred_at", "-id"], condition=models.Q(detail__has_key="glass"), name="audit_under_glass"
            ),
        ]

    def __str__(self) -> str:
        return f"audit entry {self.chain_id}/{self.sequence}"
