"""Visits that come again."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from contact_center.common.models import TimeStampedModel
from inbox.enums import Weekday
from patients.models import Patient
from scheduling.enums import Every


class AppointmentSeries(TimeStampedModel):
    """The pattern by which visits of one patient were booked together. Each visit is moved and cancelled by itself, or
    with those that follow it."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="visit_series")
    first_date = models.DateField()
    starts = models.TimeField(help_text="By the clock of the site")
    every = models.PositiveSmallIntegerField(default=1)
    unit = models.CharField(max_length=4, choices=Every.choices, default=Every.WEEK)
    weekdays = ArrayField(models.PositiveSmallIntegerField(choices=Weekday.choices), default=list, blank=True)
    count = models.PositiveSmallIntegerField(null=True, blank=True)
    until_date = models.DateField(null=True, blank=True, help_text="The last day")
    booking_key = models.UUIDField(unique=True, help_text="The request that booked it")
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name_plural = "appointment series"
        constraints = [
            models.CheckConstraint(condition=Q(every__gte=1), name="series_goes_forward"),
            models.CheckConstraint(
                condition=Q(count__isnull=False) | Q(until_date__isnull=False), name="series_has_an_end"
            ),
        ]

    def __str__(self) -> str:
        return f"appointment series {self.pk}"
