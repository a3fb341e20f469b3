"""The register of processors: who carries which channel, where, under which agreement, and what they may carry."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.accounts.requests import person_of, sent_once
from inbox.models import Channel, Processor
from inbox.policies import can_register_processors
from inbox.services.processors import save_processor
from patients.policies import can_see_duties


class ProcessorForm(forms.Form):
    """One processor."""

    name = forms.CharField(label=_("Name"), max_length=120, widget=forms.TextInput({"class": "input"}))
    region = forms.CharField(label=_("Where the data lies"), max_length=80, widget=forms.TextInput({"class": "input"}))
    agreement_date = forms.DateField(
        label=_("Date of the agreement"), required=False,
        widget=forms.DateInput({"class": "input", "type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    note = forms.CharField(label=_("Note"), max_length=240, required=False, widget=forms.TextInput({"class": "input"}))
    may_carry_patient_data = forms.BooleanField(label=_("May carry health information"), required=False)
    channels = forms.ModelMultipleChoiceField(
        Channel.objects.all(), label=_("Channels"), required=False, widget=forms.CheckboxSelectMultiple
    )


@require_safe
def processor_list(request: HttpRequest) -> HttpResponse:
    """Who carries what, and the channels that nobody is registered for."""
    user = person_of(request)
    if not can_see_duties(user):
        raise PermissionDenied
    context = {
        "section": "processors",
        "rows": Processor.objects.prefetch_related("channels"),
        "without": Channel.objects.filter(processor=None, is_active=True),
        "can_change": can_register_processors(user),
    }
    return render(request, "inbox/processor_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def processor(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Register or change one."""
    user = person_of(request)
    if not can_register_processors(user):
        raise PermissionDenied
    found = Processor.objects.filter(pk=pk).first() if pk else None
    if pk and found is None:
        raise Http404
    form = ProcessorForm(request.POST or None, initial=_initial(found))
    if request.method == "POST" and form.is_valid():
        try:
            sent_once(request, lambda: save_processor(actor=user, processor_id=pk, **form.cleaned_data))
        except ValidationError as error:
            for name, words in error.message_dict.items():
                form.add_error(name if name in form.fields else None, words)
        else:
            return redirect("inbox:processors")
    context = {"section": "processors", "form": form, "processor": found}
    return render(request, "inbox/processor_form.html", context, status=422 if form.errors else 200)


def _initial(found: Processor | None) -> dict[str, Any]:
    if found is None:
        return {}
    names = ("name", "region", "agreement_date", "note", "may_carry_patient_data")
    return {name: getattr(found, name) for name in names} | {"channels": found.channels.all()}
