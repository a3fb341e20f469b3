"""Shapes of visits, free times and the waitlist."""

from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from contact_center.common.api import IdField, ProblemSerializer
from inbox.enums import Weekday
from scheduling.enums import Party, Urgency, VisitMode
from scheduling.models import Appointment, WaitlistEntry
from scheduling.selectors.openings import MOST_SLOTS

REFUSALS = {403: ProblemSerializer, 404: ProblemSerializer, 409: ProblemSerializer, 422: ProblemSerializer}


class MomentField(serializers.DateTimeField):
    """A moment in ISO 8601 that says its offset from UTC; one without would be guessed."""

    default_error_messages = {"offset": "Say the offset from UTC, such as 2026-11-30T09:00:00-05:00 or …Z."}

    def to_internal_value(self, value: Any) -> Any:
        try:
            is_naive = isinstance(value, str) and (moment := parse_datetime(value)) is not None and not moment.tzinfo
        except ValueError:
            is_naive = False
        if is_naive:
            self.fail("offset")
        try:
            moment = super().to_internal_value(value)
        except OverflowError:
            self.fail("invalid", format="ISO 8601")
        if not 1900 < moment.year < 2200:
            self.fail("invalid", format="ISO 8601")
        return moment


class SlotSearchSerializer(serializers.Serializer):
    """What is looked for. Days are the site's; without `until_date` four weeks. Nothing named: any."""

    service = IdField()
    from_date = serializers.DateField(required=False, allow_null=True, default=None)
    until_date = serializers.DateField(required=False, allow_null=True, default=None)
    not_before = serializers.TimeField(required=False, allow_null=True, default=None)
    not_after = serializers.TimeField(required=False, allow_null=True, default=None, help_text="The visit has ended.")
    weekdays = serializers.ListField(child=serializers.ChoiceField(Weekday.choices), required=False, max_length=7)
    practitioners = serializers.ListField(child=IdField(), required=False, default=list, max_length=50)
    locations = serializers.ListField(child=IdField(), required=False, default=list, max_length=50)
    language = serializers.CharField(max_length=8, required=False, default="", allow_blank=True)
    mode = serializers.ChoiceField(VisitMode.choices, required=False, default="", allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=MOST_SLOTS, default=20)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        first, last = given["from_date"], given["until_date"]
        if first and last and last < first:
            raise serializers.ValidationError({"until_date": ["The last day must not lie before the first."]})
        if given["not_before"] and given["not_after"] and given["not_after"] <= given["not_before"]:
            raise serializers.ValidationError({"not_after": ["The last hour must come after the first."]})
        return given


class SlotSerializer(serializers.Serializer):
    """A free time. Nothing is promised until it is booked."""

    starts_at = serializers.DateTimeField(help_text="With the offset of the site.")
    ends_at = serializers.DateTimeField()
    practitioner = IdField()
    practitioner_name = serializers.CharField()
    location = IdField()
    location_name = serializers.CharField()
    room = IdField(allow_null=True)
    places_left = serializers.IntegerField(allow_null=True, help_text="In a group; null for a visit of one patient.")


class AppointmentSerializer(serializers.ModelSerializer):
    """A visit. `previous` is the one it was moved from, `session` the group in which it takes place."""

    class Meta:
        model = Appointment
        fields = [
            "id", "patient", "service", "practitioner", "location", "room", "session", "series", "series_number",
            "mode", "status", "confirmation", "starts_at", "ends_at", "visit_date", "note", "previous", "booked_by",
            "confirmed_at", "prepared_at", "arrived_at", "fulfilled_at", "noshow_at", "cancelled_at", "cancelled_for",
            "cancel_reason", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class TakenSerializer(ProblemSerializer):
    """Somebody was faster; these are free soon after."""

    alternatives = SlotSerializer(many=True)


class TimeSerializer(serializers.Serializer):
    """A time as the search gave it. With `idempotency_key` the same request again books nothing new."""

    starts_at = MomentField()
    practitioner = IdField()
    location = IdField()
    room = IdField(required=False, allow_null=True, default=None)
    mode = serializers.ChoiceField(VisitMode.choices, default=VisitMode.ON_SITE)
    note = serializers.CharField(max_length=240, required=False, allow_blank=True, default="")
    idempotency_key = serializers.UUIDField(required=False, allow_null=True, default=None)
    may_overlap = serializers.BooleanField(
        required=False, default=False, help_text="Although the patient has another visit at that time."
    )


class NewAppointmentSerializer(TimeSerializer):
    patient = IdField()
    service = IdField()
    is_overbooking = serializers.BooleanField(
        required=False, default=False, help_text="Beside the agenda, within the practitioner's daily limit."
    )


class WhySerializer(serializers.Serializer):
    """Who asked for it, and why."""

    asked_by = serializers.ChoiceField(Party.choices)
    reason = serializers.CharField(max_length=240)


class MoveSerializer(TimeSerializer, WhySerializer):
    """The new time; the note of the old visit goes along unless another is given."""


class WaitlistEntrySerializer(serializers.ModelSerializer):
    class Meta:
        model = WaitlistEntry
        fields = [
            "id", "patient", "service", "appointment", "urgency", "mode", "weekdays", "not_before", "not_after",
            "first_date", "last_date", "notice_minutes", "locations", "practitioners", "note", "joined_at",
            "closed_at", "closed_for",
        ]  # fmt: skip
        read_only_fields = fields


class NewEntrySerializer(serializers.Serializer):
    """What a patient wants; hours are the site's. Who waits for this service already goes on waiting, with these."""

    patient = IdField()
    service = IdField()
    appointment = IdField(required=False, allow_null=True, default=None, help_text="To be replaced by an earlier one.")
    urgency = serializers.ChoiceField(Urgency.choices, default=Urgency.ROUTINE)
    mode = serializers.ChoiceField(VisitMode.choices, default=VisitMode.ON_SITE)
    weekdays = serializers.ListField(child=serializers.ChoiceField(Weekday.choices), default=list, max_length=7)
    not_before = serializers.TimeField(required=False, allow_null=True, default=None)
    not_after = serializers.TimeField(required=False, allow_null=True, default=None)
    first_date = serializers.DateField(required=False, allow_null=True, default=None)
    last_date = serializers.DateField(required=False, allow_null=True, default=None)
    notice_minutes = serializers.IntegerField(min_value=0, max_value=100_000, default=240)
    locations = serializers.ListField(child=IdField(), default=list, max_length=50)
    practitioners = serializers.ListField(child=IdField(), default=list, max_length=50)
    note = serializers.CharField(max_length=240, required=False, allow_blank=True, default="")
