"""What the desk adds to a patient's page: open work, next steps, contacts in the timeline, and continuity."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from inbox.continuity import Contact, Saying, continuity_of
from inbox.enums import OPEN, CaseStatus, ChannelKind, Direction, InteractionStatus, TimelineKind
from inbox.models import Interaction, Message, Note, OptOut, Task, TimelineEvent
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.setup import cases_visible_to
from patients.journey import NextStep
from patients.models import Patient
from patients.timeline import Entry, Look, Place

ONE_NEED = timedelta(days=90)
MOST_CONTACTS, MOST_WORDS, MOST_OPEN = 30, 300, 10
YES_OR_NO = BooleanField()
UNFINISHED = (CaseStatus.OPEN, CaseStatus.WAITING)
CHIPS = {
    InteractionStatus.QUEUED: "warn",
    InteractionStatus.OFFERED: "warn",
    InteractionStatus.ACTIVE: "accent",
    InteractionStatus.WRAP_UP: "accent",
    InteractionStatus.SNOOZED: "",
    InteractionStatus.CLOSED: "ok",
}


def open_work(user: User, patient: Patient) -> dict[str, Any] | None:
    """Open conversations (requests among them) and open cases of this patient. Two queries and what names them."""
    found = interactions_visible_to(user).filter(patient=patient, status__in=OPEN)
    work = found.select_related("channel", "reason", "owner", "queue").order_by("-last_message_at")[:MOST_OPEN]
    cases = cases_visible_to(user).filter(patient=patient, status__in=UNFINISHED)
    return {
        "conversations": list(work),
        "cases": list(cases.select_related("owner", "queue").order_by("next_step_date", "pk")[:MOST_OPEN]),
        "today": timezone.localdate(),
    }


def next_steps(user: User, patient: Patient) -> Iterable[NextStep]:
    """What open conversations, tasks and cases promise, and the last closed contact that has no case. Four queries."""
    visible = interactions_visible_to(user).filter(patient=patient)
    for row in visible.filter(status__in=OPEN).exclude(next_step="").select_related("next_step_owner", "reason"):
        yield _promise(row)
    tasks = Task.objects.filter(interaction__in=visible.filter(status__in=OPEN).values("pk"), done_at=None)
    for task in tasks.select_related("owner").order_by("due_date", "pk")[:MOST_OPEN]:
        url = reverse("inbox:interaction", args=[task.interaction_id])
        yield NextStep(task.title, str(task.owner or ""), task.due_date, _("Task"), url, "list-checks")
    for case in cases_visible_to(user).filter(patient=patient, status__in=UNFINISHED).select_related("owner", "queue"):
        last = f"#case-{case.pk}"
        url = reverse("patients:record", args=[patient.pk]) + last
        yield NextStep(case.next_step, str(case.owner or case.queue), case.next_step_date, case.reference, url, "flag")
    closed = visible.filter(status=InteractionStatus.CLOSED, case=None, merged_into=None).order_by("-last_message_at")
    last_one = closed.select_related("next_step_owner", "reason").first()
    if last_one is not None and last_one.next_step and last_one.next_step_date is not None:
        yield _promise(last_one)


def _promise(row: Interaction) -> NextStep:
    source = row.reason.name if row.reason else ChannelKind(row.channel_kind).label
    url = reverse("inbox:interaction", args=[row.pk])
    return NextStep(row.next_step, str(row.next_step_owner or ""), row.next_step_date, source, url, "inbox")


def contacts_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """Every exchange, at its last message. One query and what names it."""
    found = interactions_visible_to(user).filter(patient=patient)
    if look.channel:
        found = found.filter(channel_kind=look.channel)
    found = found.filter(look.narrowed("contact", "last_message_at")).order_by("-last_message_at", "-pk")
    rows = found.select_related("channel", "reason", "owner", "disposition")[:size]
    return [_contact(row) for row in rows]


def _contact(row: Interaction) -> Entry:
    title = row.reason.name if row.reason else row.subject or row.channel.name
    ending = row.outcome or (row.disposition.name if row.disposition else "")
    status = _("Merged") if row.merged_into_id else row.get_status_display()
    tone = "" if row.merged_into_id else CHIPS.get(InteractionStatus(row.status), "")
    return Entry(
        Place(row.last_message_at, "contact", row.pk), "contact", title, (ending or row.snippet)[:280],
        str(row.owner or ""), reverse("inbox:interaction", args=[row.pk]), channel=row.channel_kind,
        chip=(status, tone),
    )  # fmt: skip


def notes_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """Private notes of the patient's visible conversations."""
    visible = interactions_visible_to(user).filter(patient=patient)
    if look.channel:
        visible = visible.filter(channel_kind=look.channel)
    # As an array the ids lead to the notes by their index; as a subquery the planner reads every note of the house.
    ids = ArraySubquery(visible.order_by().values("pk"))
    of_them = Func(F("interaction_id"), ids, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=YES_OR_NO)
    found = Note.objects.filter(of_them).filter(look.narrowed("note", "created_at"))
    rows = found.select_related("author").order_by("-created_at", "-pk")[:size]
    return [
        Entry(
            Place(row.created_at, "note", row.pk), "note", _("Note"), row.body[:280], str(row.author),
            reverse("inbox:interaction", args=[row.interaction_id]), "sticky-note", "note",
        )
        for row in rows
    ]  # fmt: skip


def cases_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """Cases, at the moment they were opened."""
    found = cases_visible_to(user).filter(patient=patient).filter(look.narrowed("case", "created_at"))
    rows = found.select_related("owner", "queue").order_by("-created_at", "-pk")[:size]
    return [
        Entry(
            Place(row.created_at, "case", row.pk), "case", row.title, row.next_step, str(row.owner or row.queue or ""),
            icon="flag", chip=(row.get_status_display(), "accent" if row.status in UNFINISHED else "ok"),
        )
        for row in rows
    ]  # fmt: skip


def moves_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """That a conversation was moved to another record: who and when, nothing of it."""
    found = TimelineEvent.objects.filter(kind=TimelineKind.MOVED, detail=f"patient:{patient.pk}")
    rows = found.filter(look.narrowed("moved", "at")).select_related("actor").order_by("-at", "-pk")[:size]
    title = _("A conversation was moved to another record")
    return [
        Entry(Place(row.at, "moved", row.pk), "record", title, who=str(row.actor or ""), icon="corner-up-left")
        for row in rows
    ]


def opt_out_marks(patient: Patient, values: list[str]) -> dict[str, list[str]]:
    """On which kinds of channel each address told us to stop."""
    stopped: dict[str, list[str]] = {}
    rows = OptOut.objects.filter(address__in=values, ended_at=None).values_list("address", "channel_kind").distinct()
    for address, kind in rows:
        words = _("Opted out: %(channel)s") % {"channel": ChannelKind(kind).label}
        stopped.setdefault(address, []).append(words)
    return stopped


def continuity(user: User, patient: Patient) -> dict[str, Any] | None:
    """How well the need of the last contact was carried: its case, else 90 days. Three queries."""
    visible = interactions_visible_to(user).filter(patient=patient)
    latest = visible.order_by("-last_message_at").first()
    if latest is None:
        return None
    same = {"case_id": latest.case_id} if latest.case_id else {"last_message_at__gte": latest.opened_at - ONE_NEED}
    words = (
        Message.objects.exclude(text="")
        .order_by("-occurred_at")
        .only("interaction_id", "occurred_at", "text", "direction", "author_id")
    )
    rows = (
        visible.filter(**same)
        .order_by("-last_message_at")
        .only("pk", "channel_kind", "owner_id", "status", "last_message_at")[:MOST_CONTACTS]
    )
    contacts = list(rows.prefetch_related(Prefetch("messages", queryset=words)))
    found = continuity_of([_as_contact(row) for row in contacts])
    return {"continuity": found, "latest": latest}


def _as_contact(row: Interaction) -> Contact:
    said = list(row.messages.all())[:MOST_WORDS]
    people = {one.author_id for one in said if one.author_id} | ({row.owner_id} if row.owner_id else set())
    sayings = [
        Saying(one.occurred_at, one.text, one.direction == Direction.OUTBOUND, one.author_id)
        for one in said
        if one.direction == Direction.INBOUND or one.author_id
    ]
    return Contact(row.channel_kind, frozenset(people), sayings)
