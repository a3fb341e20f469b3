"""Who or what is absent, and how far those are whose visits cannot take place."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from inbox.forms import SELECT, TEXT
from scheduling.enums import AbsenceReason, MoveState
from scheduling.models import Location, MassMove, Practitioner, Room
from scheduling.models.agenda import clock_of
from scheduling.policies import can_book
from scheduling.selectors.mass_moves import mass_moves
from scheduling.services import mass_moves as service

MOMENT = TEXT | {"type": "datetime-local"}
NUMBER = TEXT | {"inputmode": "numeric"}
WHOSE_TIME = gettext_lazy("By the site's clock where a site or a room is closed, for a person by the desk's.")
VERBS = {
    "stop": (service.stop, gettext_lazy("Nobody more is told by itself.")),
    "go-on": (service.go_on, gettext_lazy("The next patients are being told.")),
}
KINDS: dict[str, Any] = {"practitioner": Practitioner, "location": Location, "room": Room}
methods = require_http_methods(["GET", "HEAD", "POST"])


def _choices() -> list[Any]:
    """Practitioners, sites and rooms in use, by name."""
    people = Practitioner.objects.filter(is_active=True)
    sites = Location.objects.filter(is_active=True)
    rooms = Room.objects.filter(is_active=True, location__is_active=True).select_related("location")
    return [
        ("", _("Choose a person, a site or a room")),
        (_("People"), [(f"practitioner-{one.pk}", one.name) for one in people.order_by("name")]),
        (_("Whole sites"), [(f"location-{one.pk}", one.name) for one in sites.order_by("name")]),
        (_("Rooms"), [(f"room-{one.pk}", f"{one.name}, {one.location}") for one in rooms.order_by("location", "name")]),
    ]


def _chosen(value: str) -> Practitioner | Location | Room:
    """The row that a valid choice names."""
    kind, _mark, pk = value.partition("-")
    return KINDS[kind]._default_manager.get(pk=int(pk))


class AbsenceForm(forms.Form):
    """Who is absent or what is closed, from when to when, why, and how many are told at once. Times are the
    site's where a site or a room is closed, else the desk's."""

    whom = forms.TypedChoiceField(
        choices=_choices, coerce=_chosen, label=gettext_lazy("Who, or what is closed"), widget=forms.Select(SELECT)
    )
    reason = forms.ChoiceField(choices=AbsenceReason.choices, label=gettext_lazy("Why"), widget=forms.Select(SELECT))
    name = forms.CharField(
        label=gettext_lazy("Name"), required=False, max_length=60, widget=forms.TextInput(TEXT),
        help_text=gettext_lazy("Such as that of a holiday; staff read it."),
    )  # fmt: skip
    starts_at = forms.DateTimeField(
        label=gettext_lazy("From"), help_text=WHOSE_TIME, widget=forms.DateTimeInput(MOMENT)
    )
    ends_at = forms.DateTimeField(label=gettext_lazy("Until"), help_text=WHOSE_TIME, widget=forms.DateTimeInput(MOMENT))
    group_size = forms.IntegerField(
        label=gettext_lazy("Patients in a wave"), min_value=1, max_value=500, initial=10,
        widget=forms.TextInput(NUMBER),
    )  # fmt: skip
    interval_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes between waves"), min_value=1, max_value=1440, initial=15,
        widget=forms.TextInput(NUMBER),
    )  # fmt: skip

    def full_clean(self) -> None:
        """Read the times by the clock of what is chosen."""
        choice = self.fields["whom"]
        try:
            zone = clock_of(choice.clean(self.data.get(self.add_prefix("whom"))))
        except (forms.ValidationError, ObjectDoesNotExist):  # the field says so itself
            zone = None
        with timezone.override(zone):
            super().full_clean()

    def clean(self) -> dict[str, Any]:
        """It ends after it begins."""
        given = super().clean() or {}
        starts_at, ends_at = given.get("starts_at"), given.get("ends_at")
        if isinstance(starts_at, datetime) and isinstance(ends_at, datetime) and ends_at <= starts_at:
            self.add_error("ends_at", _("The end must come after the beginning."))
        return given


@methods
def overview(request: HttpRequest) -> HttpResponse:
    """Absences with how many are left to be rebooked; POST writes one down and begins to tell."""
    _require(request)
    form = AbsenceForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        told = form.cleaned_data
        actor = person_of(request)
        try:
            pk = sent_once(request, lambda: service.start(actor=actor, **told))
            return say(request, redirect("scheduling:mass-move", pk), _("The absence is noted."))
        except Refused as error:
            form.add_error(None, str(error))
            status = status_of(error)
    return render(request, "scheduling/absences.html", {"form": form, "moves": mass_moves()}, status=status)


@methods
def mass_move(request: HttpRequest, pk: int) -> HttpResponse:
    """One absence: how many visits are how far, and those of one state (`show`); POST stops or goes on telling."""
    _require(request)
    actor = person_of(request)
    if request.method == "POST":
        return _change(request, pk)
    show = request.GET.get("show", "")
    try:
        opened = service.open_mass_move(actor=actor, pk=pk, state=show if show in MoveState.values else "")
    except MassMove.DoesNotExist:
        raise Http404 from None
    return render(request, "scheduling/mass_move.html", {"found": opened.figures, "rows": opened.rows, "show": show})


def _change(request: HttpRequest, pk: int) -> HttpResponse:
    verb = VERBS.get(request.POST.get("verb", ""))
    if verb is None:
        raise Http404
    do, said = verb
    try:
        sent_once(request, lambda: do(actor=person_of(request), mass_move_id=pk))
    except MassMove.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        return say(request, redirect("scheduling:mass-move", pk), str(error), is_error=True)
    return say(request, redirect("scheduling:mass-move", pk), str(said))


def _require(request: HttpRequest) -> None:
    if not can_book(person_of(request)):
        raise PermissionDenied
