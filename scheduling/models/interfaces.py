"""What other systems call our rows, and who reads an agenda in a calendar of their own."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from scheduling.models.appointments import Appointment
from scheduling.models.catalogue import HealthcareService, Location, Practitioner, Room

TARGETS = ("practitioner", "service", "location", "room")


class ExternalCode(TimeStampedModel):
    """What another system calls a practitioner, a service, a site or a room. `source` is that system."""

    source = models.CharField(_("system"), max_length=120)
    value = models.CharField(_("code"), max_length=120)
    practitioner = models.ForeignKey(
        Practitioner, on_delete=models.CASCADE, null=True, blank=True, related_name="codes"
    )
    service = models.ForeignKey(
        HealthcareService, on_delete=models.CASCADE, null=True, blank=True, related_name="codes"
    )
    location = models.ForeignKey(Location, on_delete=models.CASCADE, null=True, blank=True, related_name="codes")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, null=True, blank=True, related_name="codes")

    class Meta:
        ordering = ["source", "value"]
        constraints = [
            *(
                models.UniqueConstraint(
                    fields=["source", "value"],
                    condition=Q(**{f"{name}__isnull": False}),
                    name=f"external_code_once_per_{name}",
                )
                for name in TARGETS
            ),
            models.CheckConstraint(
                condition=Q(practitioner__isnull=False, service=None, location=None, room=None)
                | Q(practitioner=None, service__isnull=False, location=None, room=None)
                | Q(practitioner=None, service=None, location__isnull=False, room=None)
                | Q(practitioner=None, service=None, location=None, room__isnull=False),
                name="external_code_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.value}"


class ExternalVisit(TimeStampedModel):
    """What another system calls a visit; it follows the visit when that is moved."""

    source = models.CharField(max_length=120)
    value = models.CharField(max_length=120)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="external_ids")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "value"], name="external_visit_once")]

    def __str__(self) -> str:
        return f"external visit {self.pk}"


class CalendarFeed(TimeStampedModel):
    """The address at which a practitioner's own calendar reads the agenda. A new `nonce` ends the old one."""

    practitioner = models.OneToOneField(Practitioner, on_delete=models.CASCADE, related_name="calendar_feed")
    nonce = models.UUIDField(default=uuid4)
    shows_patients = models.BooleanField(
        _("names of patients"), default=False, help_text=_("Names then leave for whoever keeps that calendar.")
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    read_at = models.DateTimeField(null=True, blank=True, help_text="To the minute")

    def __str__(self) -> str:
        return f"calendar feed {self.pk}"
