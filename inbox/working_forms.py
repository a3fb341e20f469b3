"""Parse and validate what people say about a conversation: rest, destination, labels, case, tasks; nothing is saved."""

import re
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from contact_center.common.moments import written
from inbox.enums import Priority
from inbox.forms import AREA, SELECT, TEXT, DueField, ReasonField, WorkerField
from inbox.models import Case, Checklist, Disposition, Interaction, Queue, Reason, Tag
from inbox.resting import offers
from inbox.selectors.people import people_serving, workers
from inbox.selectors.setup import reasons_visible_to
from inbox.selectors.tasks import checklists_for

REPLY, CUSTOM = "reply", "custom"
SHOWN = r"[0-9]{0,18}\.[0-9]\.([0-9]{1,18}(-[0-9]{1,18})*)?"  # reason, priority and tags as a form drew them
MOMENT = {"class": "input", "type": "datetime-local"}
FIRST = {"autofocus": True}


class SnoozeForm(forms.Form):
    """Until when it rests. `until_at` of the clean data is None for "until the patient answers"."""

    when = forms.ChoiceField(label=_("Until"), widget=forms.RadioSelect)
    until = forms.DateTimeField(
        label=_("Day and time"), required=False, widget=forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M")
    )
    is_kept = forms.BooleanField(label=_("Stay snoozed when the patient answers"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rests = {rest.key: rest.until_at for rest in offers(timezone.localtime())}
        names = {"later": _("Later today"), "tomorrow": _("Tomorrow"), "monday": _("Next Monday")}
        fixed = [("later", names["later"])] if self.is_bound else []
        shown = [(key, f"{names[key]}, {_moment_words(at)}") for key, at in self.rests.items()]
        self.fields["when"].choices = [  # type: ignore[attr-defined]
            *(fixed if "later" not in self.rests else []),
            *shown,
            (REPLY, _("Until the patient answers")),
            (CUSTOM, _("Choose a day and time")),
        ]
        self.initial.setdefault("when", "tomorrow")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        when = data.get("when")
        if when == CUSTOM and not data.get("until") and "until" not in self.errors:
            self.add_error("until", gettext("Choose a day and time."))
        if when == "later" and "later" not in self.rests:
            self.add_error("when", gettext("This time has passed. Choose a later one."))
        data["until_at"] = data.get("until") if when == CUSTOM else self.rests.get(when or "")
        if when == REPLY:
            data["is_kept"] = False
        return data


def _moment_words(at: datetime) -> str:
    return written(at, "time" if at.date() == timezone.localdate() else "moment")


class TransferForm(forms.Form):
    """Where it goes and why. The service refuses what does not fit together."""

    queue = forms.ModelChoiceField(
        Queue.objects.filter(is_active=True), label=_("Queue"), required=False, empty_label=_("Choose a queue")
    )
    assignee = forms.ModelChoiceField(
        User.objects.none(), label=_("Person"), required=False, empty_label=_("Whoever is free")
    )
    why = forms.CharField(
        label=_("Reason"),
        max_length=240,
        widget=forms.TextInput(TEXT),
        error_messages={"required": _("Say why you are transferring it.")},
    )
    note = forms.CharField(
        label=_("Note for the next person"), required=False, max_length=4000, widget=forms.Textarea(AREA)
    )

    def __init__(self, *args: Any, interaction: Interaction, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        queue, assignee = self.fields["queue"], self.fields["assignee"]
        queue.widget.attrs |= SELECT | FIRST
        assignee.widget.attrs |= SELECT
        queue.empty_label = gettext("Stays in %(queue)s") % {"queue": interaction.queue}  # type: ignore[attr-defined]
        assignee.queryset = workers()  # type: ignore[attr-defined]
        near = set(people_serving(interaction.queue).values_list("pk", flat=True))
        rows = [(row.pk, str(row), row.pk in near) for row in workers() if row.pk != interaction.owner_id]
        groups = [
            (gettext("Serve %(queue)s") % {"queue": interaction.queue}, True),
            (gettext("Serve other queues"), False),
        ]
        named = [(title, [row[:2] for row in rows if row[2] == is_near]) for title, is_near in groups]
        shown = [("", gettext("Whoever is free")), *((title, people) for title, people in named if people)]
        assignee.choices = shown  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("queue") and not data.get("assignee") and not {"queue", "assignee"} & set(self.errors):
            self.add_error("queue", gettext("Choose a queue or a person."))
        return data


class QueueOfTeams(forms.ModelChoiceField):
    """A queue, named with the teams that serve it."""

    def label_from_instance(self, obj: Any) -> str:
        teams = [team.name for team in obj.teams.all() if team.name != obj.name]
        return f"{obj.name} ({', '.join(teams)})" if teams else obj.name


class EscalationForm(forms.Form):
    """Which other team is to see to it, and why."""

    queue = QueueOfTeams(
        Queue.objects.filter(is_active=True).prefetch_related("teams"), label=_("Ask"), empty_label=_("Choose a team"),
        widget=forms.Select(SELECT | FIRST), error_messages={"required": _("Choose another team's queue.")},
    )  # fmt: skip
    why = forms.CharField(
        label=_("What do they have to decide or do?"), max_length=240, widget=forms.TextInput(TEXT),
        error_messages={"required": _("Say why you are escalating it.")},
    )  # fmt: skip

    def __init__(self, *args: Any, interaction: Interaction, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["queue"]
        field.queryset = field.queryset.exclude(pk=interaction.queue_id)


class SendBackForm(forms.Form):
    """Why it goes back to the team it came from."""

    why = forms.CharField(
        label=_("Why does it go back?"), max_length=240, widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say why it goes back.")},
    )  # fmt: skip


class LabelsForm(forms.Form):
    """Reason, priority and tags of a conversation. What was `shown` when it was drawn says what the person changed."""

    shown = forms.RegexField(rf"^{SHOWN}$", required=False, widget=forms.HiddenInput)

    reason = ReasonField(Reason.objects.none(), label=_("Reason"), required=False, empty_label=_("Not known yet"))
    priority = forms.TypedChoiceField(label=_("Priority"), choices=Priority.choices, coerce=int)
    tags = forms.ModelMultipleChoiceField(
        Tag.objects.none(), label=_("Tags"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, user: User, interaction: Interaction) -> None:
        present = list(interaction.tags.values_list("pk", flat=True))
        given: dict[str, Any] = {"reason": interaction.reason_id, "priority": interaction.priority, "tags": present}
        given["shown"] = f"{interaction.reason_id or ''}.{interaction.priority}.{'-'.join(map(str, present))}"
        super().__init__(data, initial=given)
        self.fields["reason"].widget.attrs |= SELECT | FIRST
        self.fields["priority"].widget.attrs |= SELECT
        reasons = reasons_visible_to(user) | Reason.objects.filter(interactions=interaction)
        self.fields["reason"].queryset = reasons.distinct()  # type: ignore[attr-defined]
        tags = Tag.objects.filter(is_active=True) | Tag.objects.filter(pk__in=present)
        self.fields["tags"].queryset = tags.distinct()  # type: ignore[attr-defined]

    def full_clean(self) -> None:
        """Compare with what was shown: a colleague's change in between is not the person's wish to undo it."""
        shown = self.data.get("shown", "") if self.is_bound else ""
        if re.fullmatch(SHOWN, shown):
            reason, priority, tags = shown.split(".")
            self.initial["reason"], self.initial["priority"] = int(reason) if reason else None, int(priority)
            self.initial["tags"], self.initial["shown"] = [int(pk) for pk in tags.split("-") if pk], shown
        super().full_clean()

    def tag_changes(self) -> tuple[list[Tag], list[Tag]]:
        """Tags that the person put on, and took off; only after validation."""
        chosen, shown = list(self.cleaned_data["tags"]), set(self.initial["tags"])
        taken = shown - {tag.pk for tag in chosen}
        return [tag for tag in chosen if tag.pk not in shown], list(Tag.objects.filter(pk__in=taken))


class CaseForm(forms.Form):
    """A new case, or the next step of one that opens again: what, who and by when."""

    title = forms.CharField(label=_("What it is about"), max_length=160, widget=forms.TextInput(TEXT | FIRST))
    next_step = forms.CharField(label=_("Next step"), max_length=240, widget=forms.TextInput(TEXT))
    owner = WorkerField(empty_label=_("The queue"))
    next_step_date = DueField(required=True)

    def __init__(self, *args: Any, is_reopening: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_reopening:
            del self.fields["title"]


class JoinCaseForm(forms.Form):
    """One of the patient's open cases."""

    case = forms.ModelChoiceField(
        Case.objects.none(), label=_("Open case"), widget=forms.Select(SELECT), empty_label=None
    )

    def __init__(self, *args: Any, cases: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["case"].queryset = cases  # type: ignore[attr-defined]
        self.fields["case"].label_from_instance = lambda case: f"{case.reference} · {case.title}"  # type: ignore[attr-defined]


class CaseOwnerForm(forms.Form):
    """Who is responsible for a case; nobody means its queue."""

    responsible = WorkerField(empty_label=_("The queue"))

    def __init__(self, data: Any = None, *, case: Case | None) -> None:
        super().__init__(data, initial={"responsible": case.owner_id if case else None})


class TaskForm(forms.Form):
    """One thing to do, with owner, day and whether it must be done before closing."""

    title = forms.CharField(
        label=_("To do"),
        max_length=200,
        widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say what is to be done.")},
    )
    owner = WorkerField(empty_label=_("Nobody yet"))
    due_date = DueField()
    is_blocking = forms.BooleanField(label=_("Must be done before closing"), required=False)


class ChecklistForm(forms.Form):
    """Which checklist is put in."""

    checklist = forms.ModelChoiceField(
        Checklist.objects.none(),
        label=_("Checklist"),
        empty_label=_("Choose a checklist"),
        widget=forms.Select(SELECT),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["checklist"].queryset = checklists_for(user)  # type: ignore[attr-defined]


class WrapUpForm(forms.Form):
    """Reason, outcome and next step. Owner, step and date are needed unless the outcome says resolved."""

    reason = ReasonField(
        Reason.objects.none(), label=_("Reason"), empty_label=_("Choose a reason"), widget=forms.Select(SELECT)
    )
    disposition = forms.ModelChoiceField(
        Disposition.objects.filter(is_active=True),
        label=_("Outcome"),
        empty_label=None,
        error_messages={"required": _("Choose how this ended.")},
    )
    outcome = forms.CharField(
        label=_("Summary for the next person"), required=False, max_length=4000, widget=forms.Textarea(AREA)
    )
    next_step = forms.CharField(label=_("Next step"), required=False, max_length=240, widget=forms.TextInput(TEXT))
    next_step_owner = WorkerField(empty_label=_("Choose a person"))
    next_step_date = DueField()
    seen_message_id = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].queryset = reasons_visible_to(user)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        disposition = data.get("disposition")
        is_started = any(data.get(name) for name in ("next_step", "next_step_date"))
        if disposition is not None and (is_started or not disposition.is_resolved):
            needed = {
                "next_step": gettext("Say what happens next."),
                "next_step_owner": gettext("Say who does it."),
                "next_step_date": gettext("Say by when."),
            }
            for name, sentence in needed.items():
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, sentence)
        return data
