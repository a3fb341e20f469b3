"""Patients and the ways to reach them."""

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from patients.enums import (
    AccessNeed,
    CommunicationStyle,
    ContactChannel,
    ContactScheme,
    ContactUse,
    Gender,
    Sensitivity,
)


class PatientQuerySet(models.QuerySet["Patient"]):
    def current(self) -> "PatientQuerySet":
        """Records that were not merged into another one."""
        return self.filter(merged_into=None)


class Patient(TimeStampedModel):
    """A person who receives care here, or whom somebody asks about."""

    mrn = models.CharField(_("record number"), max_length=32, unique=True)
    given_name = models.CharField(_("given name"), max_length=120)
    family_name = models.CharField(_("family name"), max_length=120)
    preferred_name = models.CharField(_("preferred name"), max_length=120, blank=True)
    search_name = models.GeneratedField(
        expression=models.Func(
            models.F("given_name"),
            models.F("family_name"),
            function="continuo_search_name",
            output_field=models.TextField(),
        ),
        output_field=models.TextField(),
        db_persist=True,
    )
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    gender = models.CharField(max_length=10, choices=Gender.choices, default=Gender.UNKNOWN)
    language = models.CharField(_("language"), max_length=8, default="en")
    time_zone = models.CharField(max_length=40, blank=True)
    site_name = models.CharField(_("site"), max_length=80, blank=True)
    preferred_channel = models.CharField(max_length=12, choices=ContactChannel.choices, blank=True)
    contact_from = models.TimeField(null=True, blank=True, help_text="Local; automatic messages from then on.")
    contact_until = models.TimeField(null=True, blank=True, help_text="Local; and before this time.")
    interpreter_language = models.CharField(max_length=8, blank=True)
    access_needs = ArrayField(models.CharField(max_length=12, choices=AccessNeed.choices), default=list, blank=True)
    access_note = models.CharField(max_length=240, blank=True)
    communication_style = models.CharField(max_length=10, choices=CommunicationStyle.choices, blank=True)
    sensitivity = models.CharField(max_length=10, choices=Sensitivity.choices, default=Sensitivity.NONE)
    is_do_not_contact = models.BooleanField(default=False)
    deceased_date = models.DateField(null=True, blank=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged_from")

    objects = PatientQuerySet.as_manager()

    class Meta:
        indexes = [
            GinIndex(fields=["search_name"], name="patient_name_trigram", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["birth_date"], name="patient_birth_date"),
            models.Index(Upper("mrn"), name="patient_mrn_upper"),
            models.Index(fields=["id"], condition=~models.Q(sensitivity=Sensitivity.NONE), name="patient_protected"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | ~models.Q(merged_into=models.F("id")),
                name="patient_not_merged_into_itself",
            ),
            models.CheckConstraint(
                condition=models.Q(sensitivity__in=Sensitivity.values), name="patient_sensitivity_known"
            ),
            models.CheckConstraint(
                condition=models.Q(contact_from=None, contact_until=None)
                | models.Q(contact_from__isnull=False, contact_until__isnull=False),
                name="patient_contact_hours_both_or_none",
            ),
        ]

    def __str__(self) -> str:
        return f"patient {self.pk}"

    @property
    def is_sensitive(self) -> bool:
        """Whether the record opens only to those who break the glass."""
        return self.sensitivity != Sensitivity.NONE

    @property
    def full_name(self) -> str:
        """Name as shown to staff."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def contact_hours(self) -> tuple[time, time] | None:
        """Local times from and before which automatic messages are welcome; None where the patient named none."""
        return (self.contact_from, self.contact_until) if self.contact_from and self.contact_until else None

    @property
    def initials(self) -> str:
        """Two letters for the avatar."""
        return (self.given_name[:1] + self.family_name[:1]).upper() or "?"


class ContactPoint(TimeStampedModel):
    """One address of one patient. `value` is normalised (E.164, lower-case e-mail); `raw` is what was given."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="contact_points")
    scheme = models.CharField(max_length=20, choices=ContactScheme.choices)
    value = models.CharField(max_length=254)
    raw = models.CharField(max_length=254, blank=True)
    use = models.CharField(max_length=10, choices=ContactUse.choices, default=ContactUse.MOBILE)
    rank = models.PositiveSmallIntegerField(default=1, help_text=_("1 is tried first"))
    verified_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    bounce_reason = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["rank", "id"]
        constraints = [
            models.UniqueConstraint(fields=["patient", "scheme", "value"], name="contact_point_once_per_patient"),
            models.CheckConstraint(condition=~models.Q(value=""), name="contact_point_not_empty"),
        ]
        indexes = [
            models.Index(fields=["scheme", "value"], name="contact_point_address"),
            GinIndex(fields=["value"], name="contact_point_trigram", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return f"contact point {self.pk}"
