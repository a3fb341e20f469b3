"""Patients and the ways to reach them."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from patients.enums import ConsentPurpose, ConsentStatus, ContactScheme, ContactUse, Gender, Relation


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
    is_sensitive = models.BooleanField(default=False)
    is_do_not_contact = models.BooleanField(default=False)
    deceased_date = models.DateField(null=True, blank=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged_from")

    objects = PatientQuerySet.as_manager()

    class Meta:
        indexes = [
            GinIndex(fields=["search_name"], name="patient_name_trigram", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["birth_date"], name="patient_birth_date"),
            models.Index(Upper("mrn"), name="patient_mrn_upper"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | ~models.Q(merged_into=models.F("id")),
                name="patient_not_merged_into_itself",
            )
        ]

    def __str__(self) -> str:
        return f"patient {self.pk}"

    @property
    def full_name(self) -> str:
        """Name as shown to staff."""
        return f"{self.given_name} {self.family_name}".strip()

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


class RelatedPerson(TimeStampedModel):
    """Somebody who may speak or is contacted for a patient; may be a patient too."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="related_persons")
    relative = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="relative_of")
    name = models.CharField(max_length=240)
    relation = models.CharField(max_length=12, choices=Relation.choices)
    is_proxy = models.BooleanField(default=False, help_text=_("May act for the patient"))
    valid_until_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(relative=None) | ~models.Q(relative=models.F("patient")),
                name="related_person_is_another",
            )
        ]

    def __str__(self) -> str:
        return f"related person {self.pk}"


class Consent(TimeStampedModel):
    """The latest word of a patient on one purpose and channel kind; a withdrawal is a new row."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=12, choices=ConsentPurpose.choices)
    channel_kind = models.CharField(max_length=12)
    status = models.CharField(max_length=10, choices=ConsentStatus.choices)
    source = models.CharField(max_length=60)
    text_version = models.CharField(max_length=40, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-recorded_at"]
        indexes = [
            models.Index(fields=["patient", "purpose", "channel_kind", "-recorded_at"], name="consent_latest"),
        ]

    def __str__(self) -> str:
        return f"consent {self.pk}"
