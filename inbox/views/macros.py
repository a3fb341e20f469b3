"""Macros: run one in a conversation, and the pages where they are kept."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import is_partial, say, seen_of, status_of
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from contact_center.common.versions import Unseen
from inbox import policies
from inbox.models import Interaction, Macro
from inbox.selectors.canned import get_text_for, kept_texts, teams_led_by
from inbox.selectors.conversation import latest_message_ids
from inbox.selectors.macros import macros_for, step_choices, value_of, words_of
from inbox.services.canned import switch_text
from inbox.services.macros import MOST_STEPS, keep_macro, run_macro
from inbox.views.answers import render_form
from inbox.views.canned import keeper
from inbox.views.interactions import find
from inbox.writing_forms import MacroForm, keeper_of

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@form_methods
def macros(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose a macro; after it ran, what became of each step."""
    interaction, user = find(request, pk), person_of(request)
    seen, sent = latest_message_ids(user, interaction)
    context: dict[str, Any] = {"interaction": interaction, "seen": seen, "form_key": f"{pk}-{user.pk}-{sent}"}
    if request.method == "POST":
        context["results"] = _run(request, interaction)
        is_whole = all(result.is_done for result in context["results"])
        response = render_form(request, "macros", context, status=200 if is_whole else 422)
        if is_partial(request):
            response["HX-Retarget"], response["HX-Reswap"] = "#dialogs", "innerHTML"
        return response
    groups = step_choices(user)
    context["macros"] = [(macro, words_of(macro, groups)) for macro in macros_for(user, interaction)]
    return render_form(request, "macros", context)


def _run(request: HttpRequest, interaction: Interaction) -> Any:
    number, seen = request.POST.get("macro", ""), request.POST.get("seen_message_id", "")
    try:
        return run_macro(
            actor=person_of(request),
            interaction_id=interaction.pk,
            macro_id=number_of(number) or 0,
            form_key=request.POST.get("form_key", "")[:64],
            seen_message_id=number_of(seen),
        )
    except (Macro.DoesNotExist, Interaction.DoesNotExist):
        raise Http404 from None


@require_safe
def kept_macros(request: HttpRequest) -> HttpResponse:
    """The macros this person may use, each with its steps and whether they may change it."""
    user = keeper(request)
    led, groups = teams_led_by(user), step_choices(user)
    rows = [(row, words_of(row, groups), policies.can_keep_text(user, row, led)) for row in kept_texts(user, Macro)]
    return render(request, "inbox/macro_list.html", {"rows": rows, "section": "macros"})


@form_methods
def macro(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Put a macro together, or change one."""
    user = keeper(request)
    row = _row(request, pk)
    initial = {"name": row.name, "keeper": keeper_of(row) if row.pk else "own"}
    initial |= {f"step_{number}": "" for number in range(MOST_STEPS)}
    initial |= {f"step_{number}": value_of(step) for number, step in enumerate(row.steps)}
    form = MacroForm(request.POST or None, user=user, initial=initial)
    status, refusal = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            told = form.keeping() | {"actor": user, "macro_id": pk, "seen_version": request.POST.get("seen_version")}
            told |= {"name": form.cleaned_data["name"], "steps": form.steps()}
            try:
                sent_once(request, lambda: keep_macro(**told))
            except Refused as error:
                place = "name" if form.steps() else "step_0"
                form.add_error(None if isinstance(error, Unseen) else place, str(error))
                status, refusal = status_of(error), error
            else:
                return say(request, redirect("inbox:kept-macros"), _("Saved."))
    context = {"row": row, "form": form, "section": "macros", **seen_of(request, form, row, refusal)}
    return render(request, "inbox/macro_form.html", context, status=status)


def _row(request: HttpRequest, pk: int | None) -> Macro:
    if pk is None:
        return Macro(steps=[])
    try:
        found: Macro = get_text_for(person_of(request), Macro, pk)
    except Macro.DoesNotExist:
        raise Http404 from None
    return found


@require_POST
def macro_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer a macro again, or no longer."""
    is_active = request.POST.get("is_active") == "1"
    try:
        switch_text(actor=keeper(request), model=Macro, text_id=pk, is_active=is_active)
    except Macro.DoesNotExist:
        raise Http404 from None
    return say(request, redirect("inbox:kept-macros"), _("Offered again.") if is_active else _("Switched off."))
