"""Who carries messages for us, and what they may carry."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel


class Processor(TimeStampedModel):
    """A company that carries messages of one or more channels on our behalf."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    region = models.CharField(_("where the data lies"), max_length=80)
    agreement_date = models.DateField(_("date of the agreement"), null=True, blank=True)
    may_carry_patient_data = models.BooleanField(_("may carry health information"), default=False)
    note = models.CharField(max_length=240, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(may_carry_patient_data=False) | models.Q(agreement_date__isnull=False),
                name="processor_carries_under_agreement",
            )
        ]

    def __str__(self) -> str:
        return self.name
