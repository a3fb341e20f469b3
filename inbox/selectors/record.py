"""What the desk adds to a patient's page: open work, next steps, contacts in the timeline, and continuity."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.models import User
from contact_center.common.addresses import address_of
from contact_center.common.prepared import Given, Prepared, planned, prepared
from inbox.continuity import Contact, Saying, continuity_of
from inbox.enums import CaseStatus, ChannelKind, Direction, IdentityOutcome, InteractionStatus, TimelineKind
from inbox.models import Case, IdentityCheck, Interaction, Message, Note, OptOut, TimelineEvent
from inbox.policies import can_start
from inbox.selectors.desk_facts import MOST_OPEN, UNFINISHED, Names, OpenTalk, desk_facts, names_of
from inbox.selectors.interactions import asked_by, interactions_visible_to
from inbox.selectors.setup import cases_visible_to
from inbox.selectors.voice_lines import has_lines
from patients.journey import NextStep
from patients.models import Patient
from patients.timeline import Entry, Look, Place, given_look

ONE_NEED = timedelta(days=90)
MOST_CONTACTS, MOST_WORDS, LONGEST = 30, 300, 280
# Plain columns and names by id: half the price of the line were rows made into objects, and joins.
CONTACT = (
    *("pk", "last_message_at", "channel_kind", "status", "merged_into_id", "subject", "snippet", "outcome"),
    *("reason_id", "channel_id", "disposition_id", "owner_id"),
)
NOTE = ("pk", "created_at", "body", "interaction_id", "author_id")
CASE = ("pk", "created_at", "title", "next_step", "status", "owner_id", "queue_id")
MOVE = ("pk", "at", "actor_id")
YES_OR_NO = BooleanField()
CHIPS = {
    InteractionStatus.QUEUED: "warn",
    InteractionStatus.OFFERED: "warn",
    InteractionStatus.ACTIVE: "accent",
    InteractionStatus.WRAP_UP: "accent",
    InteractionStatus.SNOOZED: "",
    InteractionStatus.CLOSED: "ok",
}


def verification(user: User, patient: Patient) -> dict[str, Any]:
    """When somebody last proved to be this patient, and whether that still holds. One query."""
    passed = _last_pass().tuples(patient.pk)
    checked_at, expires_at = passed[0] if passed else (None, None)
    return {"checked_at": checked_at, "is_in_force": expires_at is not None and expires_at > timezone.now()}


@planned
def _last_pass() -> QuerySet[IdentityCheck]:
    """Of the patient 0."""
    found = IdentityCheck.objects.filter(patient=Given(0), outcome=IdentityOutcome.PASSED)
    found = found.filter(interaction__patient=Given(0)).order_by("-checked_at")
    return found.values_list("checked_at", "expires_at")[:1]  # type: ignore[return-value]


def writing(user: User, patient: Patient) -> dict[str, Any] | None:
    """The button that begins a conversation with this patient, for those who may write first. No query."""
    return {} if can_start(user, patient) and not patient.is_do_not_contact and not patient.deceased_date else None


def calling(user: User, patient: Patient) -> dict[str, Any] | None:
    """The button that calls this patient, for those who may write first, where there is a line. No query."""
    return writing(user, patient) if has_lines() else None


def open_work(user: User, patient: Patient) -> dict[str, Any] | None:
    """Open conversations (requests among them) and open cases of this patient. What `desk_facts` asks."""
    facts = desk_facts(user, patient)
    return {
        "conversations": facts.talks[:MOST_OPEN],
        "cases": facts.cases[:MOST_OPEN],
        "today": timezone.localdate(),
    }


def next_steps(user: User, patient: Patient) -> Iterable[NextStep]:
    """What open conversations, tasks and cases promise, and the last closed contact that has no case. What
    `desk_facts` asks."""
    facts = desk_facts(user, patient)
    for talk in facts.talks:
        if talk.next_step:
            yield _promise(talk)
    for task in facts.tasks:
        url = address_of("inbox:interaction", task.interaction_id)
        yield NextStep(task.title, task.owner, task.due_date, _("Task"), url, "list-checks")
    page = reverse("patients:record", args=[patient.pk])
    for case in facts.cases:
        yield NextStep(case.next_step, case.who, case.next_step_date, case.reference, f"{page}#case-{case.pk}", "flag")
    last = facts.last
    if last is not None and last.next_step and last.next_step_date is not None:
        yield _promise(last)


def _promise(row: OpenTalk) -> NextStep:
    url = address_of("inbox:interaction", row.pk)
    return NextStep(row.next_step, row.next_step_owner, row.next_step_date, row.about, url, "inbox")


def contacts_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """Every exchange, at its last message. Two queries."""
    rows = _found(user, patient, look, size, _contacts, _plain_contacts)
    places = range(len(CONTACT) - 4, len(CONTACT))
    reasons, channels, dispositions, owners = ([row[place] for row in rows] for place in places)
    names = names_of(reasons=reasons, channels=channels, dispositions=dispositions, users=owners)
    states = {how.value: str(how.label) for how in InteractionStatus}
    return [_contact(row, names, states) for row in rows]


def _found(
    user: User,
    patient: Patient,
    look: Look,
    size: int,
    ask: Callable[[User, Any, Look, int], QuerySet[Any, Any]],
    plain: Callable[[str, int, bool], Prepared[Any]],
) -> list[Any]:
    """What one source of the line knows: a plain look asks its prepared question, any other one the question itself."""
    if look.is_plain:
        return plain(user.role, size, bool(look.before)).tuples(*asked_by(user), patient.pk, *look.given)
    return list(ask(user, patient.pk, look, size))


def _contacts(user: User, patient: Any, look: Look, size: int) -> QuerySet[Any, Any]:
    found = interactions_visible_to(user).filter(patient=patient)
    if look.channel:
        found = found.filter(channel_kind=look.channel)
    found = found.filter(look.narrowed("contact", "last_message_at")).order_by("-last_message_at", "-pk")
    return found.values_list(*CONTACT)[:size]


@prepared
def _plain_contacts(role: str, size: int, is_later: bool) -> QuerySet[Interaction]:
    """Of the patient after the asker, before the place after the patient."""
    return _contacts(asker(role), Given(Asker.NEXT), given_look(Asker.NEXT + 1, is_later=is_later), size)


def _contact(row: tuple[Any, ...], names: Names, states: dict[str, str]) -> Entry:
    pk, at, channel, status, merged_into, subject, snippet, outcome = row[:8]
    reason_id, channel_id, disposition_id, owner_id = row[8:]
    chip = (_("Merged"), "") if merged_into else (states[status], CHIPS.get(status, ""))
    return Entry(
        Place(at, "contact", pk), "contact", names["reason", reason_id] or subject or names["channel", channel_id],
        (outcome or names["disposition", disposition_id] or snippet)[:LONGEST], names["user", owner_id],
        address_of("inbox:interaction", pk), channel=channel, chip=chip,
    )  # fmt: skip


def notes_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """Private notes of the patient's visible conversations. Two queries."""
    rows = _found(user, patient, look, size, _notes, _plain_notes)
    names = names_of(users=[row[-1] for row in rows])
    title = _("Note")
    return [
        Entry(
            Place(at, "note", pk), "note", title, body[:LONGEST], names["user", author_id],
            address_of("inbox:interaction", interaction_id), "sticky-note", "note",
        )
        for pk, at, body, interaction_id, author_id in rows
    ]  # fmt: skip


def _notes(user: User, patient: Any, look: Look, size: int) -> QuerySet[Any, Any]:
    visible = interactions_visible_to(user).filter(patient=patient)
    if look.channel:
        visible = visible.filter(channel_kind=look.channel)
    # As an array the ids lead to the notes by their index; as a subquery the planner reads every note of the house.
    ids = ArraySubquery(visible.order_by().values("pk"))
    of_them = Func(F("interaction_id"), ids, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=YES_OR_NO)
    found = Note.objects.filter(of_them).filter(look.narrowed("note", "created_at"))
    return found.order_by("-created_at", "-pk").values_list(*NOTE)[:size]


@prepared
def _plain_notes(role: str, size: int, is_later: bool) -> QuerySet[Note]:
    """Of the patient after the asker, before the place after the patient."""
    return _notes(asker(role), Given(Asker.NEXT), given_look(Asker.NEXT + 1, is_later=is_later), size)


def cases_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """Cases, at the moment they were opened. Two queries."""
    rows = _found(user, patient, look, size, _cases, _plain_cases)
    names = names_of(users=[row[-2] for row in rows], queues=[row[-1] for row in rows])
    states = {how.value: str(how.label) for how in CaseStatus}
    return [
        Entry(
            Place(at, "case", pk), "case", title, next_step, names["user", owner_id] or names["queue", queue_id],
            icon="flag", chip=(states[status], "accent" if status in UNFINISHED else "ok"),
        )
        for pk, at, title, next_step, status, owner_id, queue_id in rows
    ]  # fmt: skip


def _cases(user: User, patient: Any, look: Look, size: int) -> QuerySet[Any, Any]:
    found = cases_visible_to(user).filter(patient=patient).filter(look.narrowed("case", "created_at"))
    return found.order_by("-created_at", "-pk").values_list(*CASE)[:size]


@prepared
def _plain_cases(role: str, size: int, is_later: bool) -> QuerySet[Case]:
    """Of the patient after the asker, before the place after the patient."""
    return _cases(asker(role), Given(Asker.NEXT), given_look(Asker.NEXT + 1, is_later=is_later), size)


def moves_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """That a conversation was moved to another record: who and when, nothing of it. Two queries."""
    whose = f"patient:{patient.pk}"
    rows: Any = (
        _plain_moves(size, bool(look.before)).tuples(whose, *look.given)
        if look.is_plain
        else list(_moves(whose, look, size))
    )
    names = names_of(users=[row[-1] for row in rows])
    title = _("A conversation was moved to another record")
    return [
        Entry(Place(at, "moved", pk), "record", title, who=names["user", actor_id], icon="corner-up-left")
        for pk, at, actor_id in rows
    ]


def _moves(whose: Any, look: Look, size: int) -> QuerySet[Any, Any]:
    found = TimelineEvent.objects.filter(kind=TimelineKind.MOVED, detail=whose).filter(look.narrowed("moved", "at"))
    return found.order_by("-at", "-pk").values_list(*MOVE)[:size]


@prepared
def _plain_moves(size: int, is_later: bool) -> QuerySet[TimelineEvent]:
    """With the detail 0, before the place after it."""
    return _moves(Given(0), given_look(1, is_later=is_later), size)


def opt_out_marks(patient: Patient, values: list[str]) -> dict[str, list[str]]:
    """On which kinds of channel each address told us to stop."""
    stopped: dict[str, list[str]] = {}
    for address, kind in sorted(set(_stops().tuples(values))) if values else ():
        words = _("Opted out: %(channel)s") % {"channel": ChannelKind(kind).label}
        stopped.setdefault(address, []).append(words)
    return stopped


@prepared
def _stops() -> QuerySet[OptOut]:
    """Of the addresses 0."""
    found = OptOut.objects.filter(address__any_of=Given(0), ended_at=None).order_by()
    return found.values_list("address", "channel_kind")  # type: ignore[return-value]


def continuity(user: User, patient: Patient) -> dict[str, Any] | None:
    """How well the need of the last contact was carried: its case, else 90 days. Two queries."""
    newest = _newest_needs(user.role).tuples(*asked_by(user), patient.pk)
    if not newest:
        return None
    _pk, _kind, _owner, case_id, opened_at, _at = newest[0]
    rows = [row for row in newest if (row[3] == case_id if case_id else row[5] >= opened_at - ONE_NEED)]
    if case_id and len(newest) == MOST_READ and len(rows) < MOST_CONTACTS:  # the case is older than what was read
        rows = _of_case(user.role).tuples(*asked_by(user), patient.pk, case_id)
    rows = rows[:MOST_CONTACTS]
    said: dict[int, list[Saying]] = {row[0]: [] for row in rows}
    for contact_id, at, text, direction, author_id in _words().tuples(list(said)):
        if direction == Direction.INBOUND or author_id:
            said[contact_id].append(Saying(at, text, direction == Direction.OUTBOUND, author_id))
    return {"continuity": continuity_of([_as_contact(said[row[0]], row[1], row[2]) for row in rows])}


NEED = ("pk", "channel_kind", "owner_id", "case_id", "opened_at", "last_message_at")
MOST_READ = 60


@prepared
def _newest_needs(role: str) -> QuerySet[Interaction]:
    """Of the patient after the asker."""
    found = interactions_visible_to(asker(role)).filter(patient=Given(Asker.NEXT)).order_by("-last_message_at")
    return found.values_list(*NEED)[:MOST_READ]  # type: ignore[return-value]


@prepared
def _of_case(role: str) -> QuerySet[Interaction]:
    """Of the patient and the case after the asker."""
    found = interactions_visible_to(asker(role)).filter(patient=Given(Asker.NEXT), case=Given(Asker.NEXT + 1))
    return found.order_by("-last_message_at").values_list(*NEED)[:MOST_CONTACTS]  # type: ignore[return-value]


@prepared
def _words() -> QuerySet[Message]:
    """What was said in the interactions 0, the last words first."""
    found = Message.objects.filter(interaction_id__any_of=Given(0)).exclude(text="").order_by("-occurred_at")
    columns = ("interaction_id", "occurred_at", "text", "direction", "author_id")
    return found.values_list(*columns)[:MOST_WORDS]  # type: ignore[return-value]


def _as_contact(sayings: list[Saying], kind: str, owner_id: int | None) -> Contact:
    people = {one.agent for one in sayings if one.agent} | ({owner_id} if owner_id else set())
    return Contact(kind, frozenset(people), sayings)
