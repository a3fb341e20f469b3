"""Tasks and the case of a conversation."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from contact_center.accounts.requests import person_of
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from inbox.models import Case, Task
from inbox.selectors.conversation import open_cases
from inbox.selectors.tasks import get_task_for
from inbox.services import cases, tasks
from inbox.views.dialogs import done, posted, serve
from inbox.views.interactions import find, show, show_refusal
from inbox.working_forms import CaseForm, CaseOwnerForm, ChecklistForm, JoinCaseForm, TaskForm

form_methods = require_http_methods(["GET", "HEAD", "POST"])
CASE_VERBS: dict[str, tuple[Callable[..., Any], Any]] = {
    "resolve": (cases.resolve_case, gettext_lazy("Case resolved.")),
    "close": (cases.close_case, gettext_lazy("Case closed.")),
    "wait": (cases.wait_on_case, gettext_lazy("The case waits.")),
    "resume": (cases.resume_case, gettext_lazy("The case is open again.")),
}


def _task(request: HttpRequest, pk: int) -> Task:
    try:
        return get_task_for(person_of(request), pk)
    except Task.DoesNotExist:
        raise Http404 from None


@form_methods
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """One task, or a whole checklist (`checklist` in the POST)."""
    interaction, user = find(request, pk), person_of(request)
    is_list = "checklist" in request.POST
    listed = ChecklistForm(request.POST if is_list else None, user=user)
    form = TaskForm(None if is_list else posted(request), initial={"owner": user.pk})

    def save(data: dict[str, Any]) -> None:
        if is_list:
            tasks.put_in_checklist(actor=user, interaction_id=pk, checklist=data["checklist"])
        else:
            tasks.add_task(actor=user, interaction_id=pk, **data)

    more: dict[str, Any] = {"listed": listed, "task_form": form, "task": None}
    return serve(request, "task", interaction, listed if is_list else form, save, _("Added."), **more)


@form_methods
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other words, owner or day."""
    task = _task(request, pk)
    initial = {name: getattr(task, name) for name in ("title", "due_date", "is_blocking")} | {"owner": task.owner_id}
    form = TaskForm(posted(request), initial=initial)

    def save(data: dict[str, Any]) -> None:
        tasks.change_task(actor=person_of(request), task_id=pk, seen_version=request.POST.get("seen_version"), **data)

    interaction = find(request, task.interaction_id)
    return serve(request, "task", interaction, form, save, _("Saved."), task, task_form=form, task=task)


@require_POST
def tick(request: HttpRequest, pk: int) -> HttpResponse:
    """Done, or not done after all (`done=0`)."""
    task = _task(request, pk)
    shown = number_of(request.POST.get("on", ""))
    page = task.interaction_id if shown is None else shown
    try:
        tasks.set_task_done(actor=person_of(request), task_id=pk, is_done=request.POST.get("done") != "0")
    except Refused as error:
        return show_refusal(request, page, error)
    return show(request, page)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Off the list."""
    task = _task(request, pk)
    try:
        tasks.remove_task(actor=person_of(request), task_id=pk)
    except Refused as error:
        return show_refusal(request, task.interaction_id, error)
    return done(request, task.interaction_id, _("Removed."))


@form_methods
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a case, join one, let it wait, give it away, resolve it, close it, open it again: `do` says which."""
    interaction, user = find(request, pk), person_of(request)
    do = request.POST.get("do", "")
    at: dict[str, Any] = {"actor": user, "interaction_id": pk}
    if request.method == "POST" and do in CASE_VERBS:
        verb, said = CASE_VERBS[do]
        try:
            verb(**at)
        except Refused as error:
            return show_refusal(request, pk, error)
        return done(request, pk, str(said))
    present = interaction.case
    is_over = present is not None and present.status not in cases.UNFINISHED
    joinable = Case.objects.filter(pk__in=[row.pk for row in open_cases(user, interaction)])
    joining = JoinCaseForm(request.POST if do == "join" else None, cases=joinable)
    giving = CaseOwnerForm(request.POST if do == "assign" else None, case=present)
    form = CaseForm(
        request.POST if request.method == "POST" and do not in ("join", "assign") else None,
        is_reopening=do == "reopen",
        initial={"title": interaction.reason.name if interaction.reason else "", "owner": user.pk},
    )

    def save(data: dict[str, Any]) -> None:
        if do == "join":
            cases.join_case(**at, case_id=data["case"].pk)
        elif do == "assign":
            cases.assign_case(**at, owner=data["responsible"])
        elif do == "reopen":
            cases.reopen_case(**at, **data)
        else:
            cases.open_case(**at, **data)

    context: dict[str, Any] = {
        "case": present,
        "is_over": is_over,
        "joining": joining,
        "giving": giving,
        "case_form": form,
        "do": do,
    }
    context["can_join"] = joinable.exists() and (present is None or is_over)
    asked = {"join": joining, "assign": giving}.get(do, form)
    return serve(request, "case", interaction, asked, save, _("Saved."), **context)
