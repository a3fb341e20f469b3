"""Checking with whom we speak, and how that is done here."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contact_center.accounts.enums import Action
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from inbox.enums import IdentityOutcome
from inbox.identity_forms import IdentityForm, IdentityPolicyForm, hinted, policy_fields
from inbox.models import Interaction
from inbox.selectors.identity import identity_of, identity_policy, points_for_codes
from inbox.services.identity import (
    check_identity,
    check_identity_code,
    save_identity_policy,
    send_identity_code,
    unlock_identity,
)
from inbox.views.answers import render_form
from inbox.views.dialogs import done
from inbox.views.interactions import act, find

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@form_methods
def identity(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask who it is: by what the person says, or by a code (`do` is code or verify). Nothing of the record is shown."""
    interaction = find(request, pk)
    do = request.POST.get("do", "")
    form = IdentityForm(request.POST if request.method == "POST" and not do else None, policy=identity_policy())
    if request.method != "POST" or not (do or form.is_valid()):
        return _dialog(request, interaction, form, status=422 if form.is_bound else 200)
    try:
        if do == "code":
            return _send(request, interaction, form)
        given: dict[str, Any] = {"actor": person_of(request), "interaction_id": pk}
        check = (
            check_identity_code(**given, given=request.POST.get("code", "")[:20])
            if do == "verify"
            else check_identity(**given, answers=form.cleaned_data)
        )
    except Refused as error:
        return _dialog(request, interaction, form, problem=str(error), do=do, status=status_of(error))
    if check.outcome == IdentityOutcome.PASSED:
        return done(request, pk, _("Identity confirmed."))
    problem = _("What was said does not agree with the record.")
    return _dialog(request, interaction, _emptied(form), problem=problem, do=do, status=422)


def _emptied(form: IdentityForm) -> IdentityForm:
    """The same questions without what was typed: wrong answers do not stay on a screen."""
    return IdentityForm(policy=identity_policy()) if form.is_bound else form


def _send(request: HttpRequest, interaction: Interaction, form: IdentityForm) -> HttpResponse:
    pk = number_of(request.POST.get("point", "")) or 0
    send_identity_code(actor=person_of(request), interaction_id=interaction.pk, contact_point_id=pk)
    response = _dialog(request, interaction, form, do="verify")
    return say(request, response, _("The code is on its way. It is good for ten minutes."))


def _dialog(
    request: HttpRequest,
    interaction: Interaction,
    form: IdentityForm,
    *,
    do: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    points = points_for_codes(interaction.patient) if interaction.patient else []
    policy = identity_policy()
    context = {
        "interaction": interaction,
        "form": form,
        "problem": problem,
        "do": do,
        "policy": policy,
        "identity": identity_of(interaction, policy),
        "points": [(point, hinted(point)) for point in points],
        "may_unlock": can(person_of(request), Action.ASSIGN_OTHERS),
    }
    return render_form(request, "identity", context, status=status)


@require_POST
def unlock(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the check be tried again."""
    return act(request, pk, unlock_identity, _("Unlocked."))


@form_methods
def policy_page(request: HttpRequest) -> HttpResponse:
    """How identity is checked here. For those who configure."""
    actor = person_of(request)
    if not can(actor, Action.CONFIGURE):
        raise PermissionDenied
    form = IdentityPolicyForm(
        request.POST if request.method == "POST" else None, initial=policy_fields(identity_policy())
    )
    if request.method == "POST" and form.is_valid():
        try:
            save_identity_policy(actor=actor, **form.cleaned_data)
        except Refused as error:
            form.add_error("kinds", str(error))
        else:
            return say(request, redirect("inbox:identity-policy"), _("Saved."))
    context = {"form": form, "section": "identity"}
    return render(request, "inbox/identity_policy.html", context, status=422 if form.is_bound else 200)
