"""What is offered, by whom and where."""

from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from scheduling.enums import NeedKind, ReminderKind, VisitMode

MOST_PLACES = 100


def whole_cadence() -> list[str]:
    """Everything a patient may be told of a visit by itself."""
    return [kind.value for kind in ReminderKind if kind != ReminderKind.AGAIN]


def known_zone(name: str) -> None:
    """Raise ValidationError for a name that no clock goes by."""
    if name not in available_timezones():
        raise ValidationError(_("This time zone is not known. Write it like America/New_York."))


class Location(TimeStampedModel):
    """A site. Its time zone says what every clock of its schedules means."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    address = models.CharField(_("address"), max_length=240, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=40, validators=[known_zone])
    directions = models.JSONField(
        default=dict, db_default={}, blank=True, help_text=_("How to find it, by language code")
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def directions_in(self, language: str) -> str:
        """How to find it, in this language or else in English; empty when nothing is written down."""
        return str(self.directions.get(language[:2]) or self.directions.get("en", ""))


class Room(TimeStampedModel):
    """A room or machine that serves one visit at a time."""

    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="rooms")
    name = models.CharField(_("name"), max_length=80)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["location", "name"], name="room_name_once_per_location")]

    def __str__(self) -> str:
        return self.name


class HealthcareService(TimeStampedModel):
    """Something patients are booked for. `names` and `preparation` are texts by language code."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    names = models.JSONField(default=dict, blank=True)
    preparation = models.JSONField(default=dict, blank=True)
    minutes = models.PositiveSmallIntegerField(default=30, validators=[MinValueValidator(5)])
    places = models.PositiveSmallIntegerField(
        _("places"), default=1, db_default=1, help_text=_("Patients who are seen together; more than one: a group")
    )
    buffer_before_minutes = models.PositiveSmallIntegerField(default=0)
    buffer_after_minutes = models.PositiveSmallIntegerField(default=0)
    step_minutes = models.PositiveSmallIntegerField(default=15, help_text=_("Visits begin every so many minutes"))
    notice_minutes = models.PositiveIntegerField(default=0, help_text=_("How long before a patient may still book"))
    horizon_days = models.PositiveSmallIntegerField(default=90, help_text=_("How far ahead visits are offered"))
    modes = ArrayField(models.CharField(max_length=10, choices=VisitMode.choices), default=list)
    cadence = ArrayField(
        models.CharField(max_length=12, choices=ReminderKind.choices),
        default=whole_cadence,
        db_default=whole_cadence(),
        blank=True,
        help_text=_("What patients are told by themselves"),
    )
    needs = ArrayField(
        models.CharField(max_length=14, choices=NeedKind.choices),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("What must be arranged before the visit can be confirmed"),
    )
    is_public = models.BooleanField(
        _("patients book it themselves"), default=False, db_default=False, help_text=_("On the public booking page")
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gte=5), name="service_takes_time"),
            models.CheckConstraint(condition=Q(step_minutes__gte=5), name="service_steps_forward"),
            models.CheckConstraint(condition=Q(places__gte=1, places__lte=MOST_PLACES), name="service_has_places"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_group(self) -> bool:
        """Whether several patients are seen together."""
        return self.places > 1

    def name_in(self, language: str | None = None) -> str:
        """What it is called in this language (the reader's by default); its own name where that is missing."""
        return str(self.names.get((language or get_language() or "")[:2], self.name))

    def preparation_in(self, language: str) -> str:
        """How to prepare, in this language or else in English; empty when there is nothing to say."""
        return str(self.preparation.get(language[:2]) or self.preparation.get("en", ""))

    def lacks_preparation_in(self, language: str) -> bool:
        """True when there is something to prepare, but no text in this language."""
        return any(self.preparation.values()) and not self.preparation.get(language[:2])


class Prerequisite(TimeStampedModel):
    """`service` takes place after `first` where both are booked together, within these minutes of its end."""

    service = models.ForeignKey(HealthcareService, on_delete=models.CASCADE, related_name="prerequisites")
    first = models.ForeignKey(HealthcareService, on_delete=models.CASCADE, related_name="+")
    least_minutes = models.PositiveIntegerField(default=0, help_text=_("At least so long after it, for results, say"))
    most_minutes = models.PositiveIntegerField(null=True, blank=True, help_text=_("At most so long after it"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "first"], name="prerequisite_once"),
            models.CheckConstraint(condition=~Q(service=F("first")), name="prerequisite_of_another"),
            models.CheckConstraint(
                condition=Q(most_minutes=None) | Q(most_minutes__gte=F("least_minutes")),
                name="prerequisite_gap_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"prerequisite {self.pk}"


class Practitioner(TimeStampedModel):
    """Somebody who sees patients."""

    name = models.CharField(_("name"), max_length=120)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="practitioner"
    )
    languages = ArrayField(models.CharField(max_length=8), default=list)
    video_url = models.URLField(blank=True, db_default="", help_text=_("Where video visits take place"))
    services = models.ManyToManyField(HealthcareService, related_name="practitioners")
    daily_overbooking = models.PositiveSmallIntegerField(default=0, help_text=_("Visits a day beside the agenda"))
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
