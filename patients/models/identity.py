"""Numbers that registers gave a patient, and where the patient lives."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from patients.enums import AddressUse
from patients.models.people import Patient


class Identifier(TimeStampedModel):
    """A number of one register, such as a national id. `value` is normalised: capitals and digits only."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="identifiers")
    system = models.CharField(max_length=120, help_text=_("Which register gave it: a word of ours, or its address."))
    value = models.CharField(max_length=64)
    raw = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["system", "id"]
        constraints = [
            # A merge takes numbers along, so one that is taken belongs to a current record.
            models.UniqueConstraint(fields=["system", "value"], name="identifier_once_per_system"),
            models.CheckConstraint(condition=~Q(value="") & ~Q(system=""), name="identifier_not_empty"),
        ]

    def __str__(self) -> str:
        return f"identifier {self.pk}"


class PostalAddress(TimeStampedModel):
    """Where letters reach a patient, as it was written."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="postal_addresses")
    use = models.CharField(max_length=10, choices=AddressUse.choices, default=AddressUse.HOME)
    line = models.CharField(max_length=200, blank=True)
    extra_line = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=120, blank=True)
    region = models.CharField(max_length=120, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "postal addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "line", "extra_line", "city", "postal_code"], name="postal_address_once"
            ),
            models.CheckConstraint(
                condition=~Q(line="", extra_line="", city="", postal_code=""), name="postal_address_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"postal address {self.pk}"
