"""Relatives and proxies."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from patients.enums import ProofKind, ProxyScope, Relation
from patients.models.people import Patient


class RelatedPerson(TimeStampedModel):
    """Somebody who may speak or is contacted for a patient; may be a patient too.

    What a proxy may do is asked of `selectors.family.may_act_for`, never read from these fields alone.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="related_persons")
    relative = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="relative_of")
    name = models.CharField(max_length=240)
    relation = models.CharField(max_length=12, choices=Relation.choices)
    is_proxy = models.BooleanField(default=False, help_text=_("May act for the patient"))
    scopes = ArrayField(models.CharField(max_length=12, choices=ProxyScope.choices), default=list, blank=True)
    is_for_minor = models.BooleanField(default=False, help_text=_("Ends when the patient comes of age"))
    valid_from_date = models.DateField(null=True, blank=True)
    valid_until_date = models.DateField(null=True, blank=True, help_text=_("The last day on which it holds"))
    proof = models.CharField(max_length=20, choices=ProofKind.choices, blank=True)
    proof_note = models.CharField(max_length=120, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Taken back, or over; history from then on.")
    warned_date = models.DateField(null=True, blank=True, help_text="When the desk was told that it ends.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(relative=None) | ~Q(relative=models.F("patient")),
                name="related_person_is_another",
            ),
            models.CheckConstraint(condition=Q(is_proxy=True) | Q(scopes=[]), name="related_person_scopes_of_proxy"),
            models.CheckConstraint(
                condition=Q(valid_from_date=None)
                | Q(valid_until_date=None)
                | Q(valid_from_date__lte=models.F("valid_until_date")),
                name="related_person_valid_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["patient"], condition=Q(is_proxy=True, ended_at=None), name="related_proxy_in_force")
        ]

    def __str__(self) -> str:
        return f"related person {self.pk}"


class CareRule(TimeStampedModel):
    """When patients come of age at one site, and how early the desk is told that a proxy ends. The row without a site
    holds everywhere else; without any row it is 18 years and 30 days."""

    site_name = models.CharField(_("site"), max_length=80, unique=True, blank=True)
    adult_age = models.PositiveSmallIntegerField(_("Age at which patients decide for themselves"), default=18)
    warning_days = models.PositiveSmallIntegerField(_("Days of warning before a proxy ends"), default=30)

    class Meta:
        ordering = ["site_name"]
        constraints = [
            models.CheckConstraint(condition=Q(adult_age__range=(12, 25)), name="care_rule_age_is_sensible"),
            models.CheckConstraint(condition=Q(warning_days__range=(1, 365)), name="care_rule_days_are_sensible"),
        ]

    def __str__(self) -> str:
        return self.site_name or "everywhere"
