"""What this person told us before, on any channel, for this need: facts of the data, so that nobody asks again."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left
from django.utils.translation import gettext as _

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.moments import moment_words
from contact_center.common.prepared import Given, planned
from inbox.enums import CaseStatus, Direction, InteractionStatus, MessageKind
from inbox.models import Case, FormSubmission, Interaction, Message, Note
from inbox.selectors.interactions import asked_by, interactions_visible_to
from inbox.selectors.setup import cases_visible_to
from patients.models import Patient
from patients.selectors.access import may_open

ONE_NEED = timedelta(days=90)
MOST_CONTACTS = 30
MOST_CHIPS = 12
EXCERPT = 160
TOLD = (
    *("channel_kind", "owner_id", "status", "merged_into_id", "closed_at", "last_message_at", "last_inbound_at"),
    *("case_id", "outcome", "next_step", "next_step_date", "reason__name", "disposition__name"),
    *("next_step_owner__first_name", "next_step_owner__last_name"),
)
UNFINISHED = (CaseStatus.OPEN, CaseStatus.WAITING)


@dataclass(slots=True)
class Word:
    """The last words of the person on one channel."""

    channel_kind: str
    text: str
    at: datetime
    interaction_id: int


@dataclass(slots=True)
class Story:
    """Counts include the present contact; `known` are the questions that need not be asked, with their answers."""

    contacts: int
    channels: int
    agents: int
    case: Case | None
    last: Interaction | None
    words: list[Word] = field(default_factory=list)
    known: list[tuple[str, str]] = field(default_factory=list)
    note: Note | None = None

    @property
    def summary(self) -> str:
        """The strip's one line: what it is about and how the last contact ended."""
        last = self.last
        reason = last.reason.name if last and last.reason else ""
        ending = last.outcome or (last.disposition.name if last.disposition else "") if last else ""
        promise = _("promised: %s") % last.next_step if last and last.next_step else ""
        parts = [self.case.title if self.case else reason, _cut(ending), promise]
        told = [part for part in parts if part] or [word.text for word in self.words[:1]]
        return " · ".join(told) or ", ".join(label for label, _value in self.known)


@dataclass(frozen=True, slots=True)
class LastContact:
    """When and on which channel a person was last in touch, with the case that it left unfinished."""

    at: datetime
    channel_kind: str
    case: Case | None


def last_contact_of(user: User, interaction: Interaction) -> LastContact | None:
    """The newest contact before this one for the same need, of what `user` may see. Two queries at most."""
    last = next((row for row in _contacts(user, interaction) if row.pk != interaction.pk), None)
    return LastContact(last.last_message_at, last.channel_kind, _case(user, last)) if last else None


def story_of(user: User, interaction: Interaction) -> Story | None:
    """The story before this contact, of what `user` may see; None when nothing was told before.

    One need is one case, without a case all contacts of 90 days. An unknown person has the contacts of their address.
    Six queries at most.
    """
    contacts = _contacts(user, interaction)
    earlier = [row for row in contacts if row.pk != interaction.pk]
    ids = [row.pk for row in contacts]
    submissions = _submissions().ask(ids)
    if not earlier and not submissions:
        return None
    patient = interaction.patient if interaction.patient and may_open(user, interaction.patient) else None
    done = [row for row in earlier if row.status == InteractionStatus.CLOSED and row.merged_into_id is None]
    people = {row.owner_id for row in contacts if row.owner_id}
    return Story(
        contacts=len(contacts),
        channels=len({row.channel_kind for row in contacts}),
        agents=len(people),
        case=_case(user, interaction),
        last=max(done, key=lambda row: row.closed_at or row.last_message_at, default=None),
        words=_last_words(earlier),
        known=_known(submissions, patient),
        note=next(iter(_last_note().ask([row.pk for row in earlier])), None),
    )


def _contacts(user: User, interaction: Interaction) -> list[Interaction]:
    if not can(user, Action.WORK_INBOX):
        return []
    same: tuple[str, list[Any]] = ("pk", [interaction.pk])
    if interaction.case_id:
        same = ("case", [interaction.case_id, interaction.patient_id])
    elif interaction.patient_id:
        same = ("patient", [interaction.patient_id])
    elif interaction.contact_value and not interaction.is_contact_shared:
        same = ("address", [interaction.contact_scheme, interaction.contact_value])
    since = datetime.min.replace(tzinfo=UTC) if interaction.case_id else interaction.opened_at - ONE_NEED
    question = _contacts_of(user.role, same[0], interaction.patient_id is not None)
    return question.ask(*asked_by(user), since, interaction.last_message_at, *same[1])


@planned
def _contacts_of(role: str, same: str, is_known: bool) -> QuerySet[Interaction]:
    """After the asker: since when they wrote, until when they opened, and what makes them one need."""
    since, until, first, second = (Given(Asker.NEXT + place) for place in range(4))
    need = {
        "pk": Q(pk=first),
        "case": Q(case=first, patient=second) if is_known else Q(case=first, patient=None),
        "patient": Q(patient=first),
        "address": Q(patient=None, contact_scheme=first, contact_value=second),
    }[same]
    found = interactions_visible_to(asker(role)).filter(need, last_message_at__gte=since, opened_at__lte=until)
    told = found.select_related("reason", "disposition", "next_step_owner").only(*TOLD)
    return told.order_by("-last_message_at")[:MOST_CONTACTS]


def _case(user: User, interaction: Interaction) -> Case | None:
    if interaction.case_id is None:
        return None
    return next(iter(_visible_case(user.role).ask(*asked_by(user), [interaction.case_id])), None)


@planned
def _visible_case(role: str) -> QuerySet[Case]:
    """After the asker: the unfinished one among these ids."""
    among = Given(Asker.NEXT)
    found = cases_visible_to(asker(role), among=among).filter(pk__any_of=among, status__in=UNFINISHED)
    return found.select_related("owner", "queue").order_by("pk")


def _last_words(earlier: list[Interaction]) -> list[Word]:
    newest: dict[str, int] = {}
    for row in earlier:
        if row.last_inbound_at is not None:
            newest.setdefault(row.channel_kind, row.pk)
    if not newest:
        return []
    return [Word(kind, _cut(text), at, pk) for kind, text, at, pk in _said().tuples(list(newest.values()))]


@planned
def _said() -> QuerySet[Message]:
    """The last inbound message of each of the interactions 0."""
    said = (
        Message.objects.filter(interaction=OuterRef("pk"), direction=Direction.INBOUND)
        .exclude(kind__in=[MessageKind.REACTION, MessageKind.DELETED])
        .order_by("-occurred_at", "-pk")
        .values("pk")[:1]
    )
    latest = Interaction.objects.filter(pk__any_of=Given(0)).annotate(said=Subquery(said)).values("said")
    found = Message.objects.filter(pk__in=latest).exclude(text="").order_by("-occurred_at")
    start = Left("text", 4 * EXCERPT)
    return found.values_list("channel_kind", start, "occurred_at", "interaction_id")  # type: ignore[return-value]


@planned
def _submissions() -> QuerySet[FormSubmission]:
    """The newest of the interactions 0."""
    return FormSubmission.objects.filter(interaction__any_of=Given(0)).order_by("-submitted_at")[:5]


@planned
def _last_note() -> QuerySet[Note]:
    """Of the interactions 0."""
    return Note.objects.filter(interaction__any_of=Given(0)).select_related("author").order_by("-created_at")[:1]


def _cut(text: str) -> str:
    words = " ".join(text[: 4 * EXCERPT].split())
    return words if len(words) <= EXCERPT else f"{words[:EXCERPT].rstrip()}…"


def _known(submissions: list[FormSubmission], patient: Patient | None) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for submission in submissions:
        for answer in submission.answers:
            value = answer.get("value")
            if value not in (None, "", [], False) and answer.get("type") not in ("consent", "file", "textarea"):
                text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
                found.setdefault(str(answer.get("label", "")), _("Yes") if value is True else _cut(text))
    if patient is not None:
        found |= {label: value for label, value in _of_record(patient) if value}
    return [(label, value) for label, value in found.items() if label][:MOST_CHIPS]


def _of_record(patient: Patient) -> list[tuple[str, str]]:
    points = {point.scheme: point.value for point in reversed(list(patient.contact_points.all()))}
    return [
        (_("Birth date"), moment_words(patient.birth_date, "date")),
        (_("Phone"), points.get("phone", "")),
        (_("E-mail"), points.get("email", "")),
    ]
