"""What the desk adds to a patient's page: open work, next steps, contacts in the timeline, and continuity."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, prepared
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
# Plain columns: half the price of the line were rows made into objects of which a handful of words is shown.
CONTACT = (
    *("pk", "last_message_at", "channel_kind", "status", "merged_into_id", "subject", "snippet", "outcome"),
    *("reason__name", "channel__name", "disposition__name", "owner__first_name", "owner__last_name"),
)
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
    return [_contact(*row) for row in found.values_list(*CONTACT)[:size]]


def _contact(
    pk: int, at: datetime, channel: str, status: str, merged_into: int | None, subject: str, snippet: str, outcome: str,
    reason: str | None, channel_name: str, disposition: str | None, first_name: str | None, last_name: str | None,
) -> Entry:  # fmt: skip
    how = InteractionStatus(status)
    chip = (_("Merged"), "") if merged_into else (str(how.label), CHIPS.get(how, ""))
    who = f"{first_name or ''} {last_name or ''}".strip()
    return Entry(
        Place(at, "contact", pk), "contact", reason or subject or channel_name,
        (outcome or disposition or snippet)[:280], who, reverse("inbox:interaction", args=[pk]), channel=channel,
        chip=chip,
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
    visible = interactions_visible_to(user).filter(patient=patient).order_by("-last_message_at")
    latest = visible.values_list("case_id", "opened_at").first()
    if latest is None:
        return None
    case_id, opened_at = latest
    same = {"case_id": case_id} if case_id else {"last_message_at__gte": opened_at - ONE_NEED}
    rows = list(visible.filter(**same).values_list("pk", "channel_kind", "owner_id")[:MOST_CONTACTS])
    said: dict[int, list[Saying]] = {pk: [] for pk, _kind, _owner in rows}
    for contact_id, at, text, direction, author_id in _words().tuples(list(said)):
        if direction == Direction.INBOUND or author_id:
            said[contact_id].append(Saying(at, text, direction == Direction.OUTBOUND, author_id))
    return {"continuity": continuity_of([_as_contact(said[pk], kind, owner) for pk, kind, owner in rows])}


@prepared
def _words() -> QuerySet[Message]:
    """What was said in the interactions 0, the last words first."""
    found = Message.objects.filter(interaction_id__any_of=Given(0)).exclude(text="").order_by("-occurred_at")
    columns = ("interaction_id", "occurred_at", "text", "direction", "author_id")
    return found.values_list(*columns)[:MOST_WORDS]  # type: ignore[return-value]


def _as_contact(sayings: list[Saying], kind: str, owner_id: int | None) -> Contact:
    people = {one.agent for one in sayings if one.agent} | ({owner_id} if owner_id else set())
    return Contact(kind, frozenset(people), sayings)
