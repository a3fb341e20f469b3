"""Relatives and proxies."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from patients.enums import Relation
from patients.models.people import Patient


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
