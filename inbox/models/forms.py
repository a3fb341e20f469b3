"""Web forms that admins define and patients fill in."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from inbox.enums import FieldRole, FieldType, Priority
from inbox.models.desk import Channel, Reason
from inbox.models.interactions import Interaction


class WebForm(TimeStampedModel):
    """A hosted, embeddable form. Its channel says which queue a submission goes to."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=120)
    introduction = models.TextField(blank=True)
    language = models.CharField(max_length=8, default="en")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="forms")
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    receipt_text = models.TextField(blank=True, help_text=_("What happens next, in plain words"))
    allowed_origins = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text=_("Websites that may show this form, such as https://www.example.org; several with commas"),
    )
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.title


class FormField(models.Model):
    """One question of a form."""

    form = models.ForeignKey(WebForm, on_delete=models.CASCADE, related_name="fields")
    key = models.SlugField(max_length=40)
    label = models.CharField(max_length=200)
    help_text = models.CharField(max_length=240, blank=True)
    type = models.CharField(max_length=10, choices=FieldType.choices, default=FieldType.TEXT)
    role = models.CharField(max_length=12, choices=FieldRole.choices, default=FieldRole.NONE, blank=True)
    choices = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    is_required = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    consent_text = models.TextField(blank=True)
    consent_version = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["form", "key"], name="form_field_key_once")]

    def __str__(self) -> str:
        return self.label


class FormSubmission(models.Model):
    """What a person sent through a form, with the labels and consent texts as they stood."""

    form = models.ForeignKey(WebForm, on_delete=models.PROTECT, related_name="submissions")
    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="form_submissions")
    reference = models.CharField(max_length=16, unique=True)
    answers = models.JSONField(default=list, help_text='[{"key", "label", "value", "type"}]')
    consents = models.JSONField(default=list, help_text='[{"key", "text", "version", "given"}]')
    submitted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"submission {self.reference}"
