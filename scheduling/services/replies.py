"""What patients answer to messages about visits: understood, done, answered; else left to a person, who sees the visit.

Which patient is meant has been found out before (`inbox.services.shared_phones`). Of several visits of that patient
the one that the words name is meant, or all of one message that says "will you come"; otherwise we ask.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, Func, OuterRef, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contact_center.common.errors import Refused
from contact_center.common.prepared import Given, planned
from inbox.enums import MessageStatus
from inbox.models import Message
from inbox.replies import Pending, Reply
from inbox.services import automation
from scheduling import reminder_words
from scheduling.enums import ABOUT_TIME, Answer, AppointmentStatus, Confirmation, Party, ReminderKind
from scheduling.models import Appointment, Reminder, VisitQuestion
from scheduling.naming import named_by, names_another
from scheduling.services import answering, attendance, booking
from scheduling.services.handing_over import language_of
from scheduling.understanding import Meaning, Said, understand
from scheduling.wished import Wished, wished

VISIT, PREPARATION, SURVEY = "visit", "preparation", "survey"
ARRIVED = [MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ]
QUESTION_LASTS = timedelta(days=3)
WAITS = {VISIT: timedelta(days=14), PREPARATION: timedelta(days=7), SURVEY: timedelta(days=5)}
NUMBERS = {1: Answer.CONFIRM, 2: Answer.MOVE, 3: Answer.DECLINE}
ANSWERS = {
    Meaning.YES: Answer.CONFIRM,
    Meaning.NO: Answer.DECLINE,
    Meaning.MOVE: Answer.MOVE,
    Meaning.CANCEL: Answer.CANCEL,
}


@dataclass(slots=True)
class Asked:
    """The reply, what it says, and the reminders it may answer, newest first."""

    reply: Reply
    message: Message
    said: Said
    reminders: list[Reminder]

    def of(self, group: str) -> list[Reminder]:
        return [row for row in self.reminders if group_of(row.kind) == group]

    @property
    def newest(self) -> str:
        return group_of(self.reminders[0].kind)


def group_of(kind: str) -> str:
    """What a reminder of this kind asks: whether one comes, has prepared, or how it was."""
    return SURVEY if kind == ReminderKind.SURVEY else PREPARATION if kind == ReminderKind.PREPARATION else VISIT


class VisitReplies:
    """Registered as `inbox.replies` handler."""

    def pending(self, patient_ids: Collection[int], address: str) -> list[Pending]:
        """Visits to come that were asked about at this address and are not confirmed, and the like. One query."""
        return [
            Pending(row.patient_id, f"{group_of(row.kind)}:{row.appointment_id}", _asked_at(row))
            for row in _unanswered(patient_ids, address)
        ]

    def may_be_cancelled(self, patient_ids: Collection[int], address: str) -> bool:
        """See replies.Handler: any visit to come that was told of at this address, confirmed ones too. One query."""
        return any(group_of(row.kind) != SURVEY for row in _unanswered(patient_ids, address, is_any=True))

    def take(self, reply: Reply, pending: Sequence[Pending]) -> bool:
        """Do what the patient said about the visits that are pending; False when a person must read it."""
        message = Message.objects.select_related("channel").get(pk=reply.message_id)
        said = understand(reply.text)
        rows = _unanswered([reply.patient_id], message.address, is_any=said.meaning == Meaning.BARE_CANCEL)
        if not rows:
            return False
        asked = Asked(reply, message, said, rows)
        question = VisitQuestion.objects.select_for_update().filter(
            patient=reply.patient_id, address=message.address, answered_at=None
        )
        with translation.override(language_of(rows[0].patient)):
            open_question = question.first()
            if open_question is not None:
                open_question.answered_at = timezone.now()
                open_question.save(update_fields=["answered_at"])
                done = None if _is_overtaken(open_question, rows) else _answer_question(open_question, asked)
                if done is not None:
                    return done
            return _take(asked)


def _is_overtaken(question: VisitQuestion, rows: Sequence[Reminder]) -> bool:
    """A "yes" or a number answers what was asked last: a reminder that came after the question is meant, not it."""
    is_old = timezone.now() - question.asked_at > QUESTION_LASTS
    return is_old or any(_asked_at(row) > question.asked_at for row in rows)


def _unanswered(patient_ids: Collection[int], address: str, *, is_any: bool = False) -> list[Reminder]:
    """What was asked and not answered, and visits to come that an open question is about; with `is_any` all of them."""
    now = timezone.now()
    newest: dict[tuple[str, int], Reminder] = {}
    for row in _asked(is_any).ask(list(patient_ids), address, now, now - max(WAITS.values())):
        group = group_of(row.kind)
        if now - _asked_at(row) <= WAITS[group]:
            row.appointment.patient = row.patient
            newest.setdefault((group, row.appointment_id), row)
    return list(newest.values())


@planned
def _asked(is_any: bool) -> QuerySet[Reminder]:
    """Of the patients 0 at the address 1, about visits after the moment 2, handed over after the moment 3."""
    rows = Reminder.objects.filter(
        patient__any_of=Given(0), message__address=Given(1), message__status__in=ARRIVED, message__author=None
    )
    to_come = Q(appointment__status=AppointmentStatus.BOOKED, appointment__starts_at__gt=Given(2))
    named = Func(OuterRef("appointment"), template="ARRAY[%(expressions)s]")
    in_question = VisitQuestion.objects.filter(
        patient=OuterRef("patient"), address=Given(1), answered_at=None, appointment_ids__contains=named
    )
    is_open = Q() if is_any else Q(appointment__confirmation=Confirmation.UNCONFIRMED) | Q(Exists(in_question))
    visit = Q(kind__in=ABOUT_TIME) & is_open
    preparation = Q(kind=ReminderKind.PREPARATION, appointment__prepared_at=None)
    survey = Q(kind=ReminderKind.SURVEY, answer="")
    rows = rows.filter(to_come & (visit | preparation) | survey).filter(handed_at__gt=Given(3))
    rows = rows.select_related(
        "message", "patient", "appointment__service", "appointment__practitioner", "appointment__location"
    )
    return rows.order_by("-handed_at", "-pk")


def _asked_at(row: Reminder) -> datetime:
    assert row.message is not None and row.handed_at is not None
    return row.message.sent_at or row.handed_at


def _take(asked: Asked) -> bool:
    said = asked.said
    if asked.newest == SURVEY and said.meaning == Meaning.NUMBER and not asked.of(VISIT):
        return _rate(asked)
    if asked.newest == PREPARATION and said.meaning == Meaning.YES:
        return _note_read(asked)
    rows = asked.of(VISIT)
    answer = NUMBERS.get(said.number or 0) if said.meaning == Meaning.NUMBER else ANSWERS.get(said.meaning)
    if said.meaning == Meaning.BARE_CANCEL and rows:
        return _ask_what_to_end(asked, rows)
    if not rows or answer is None or (said.meaning == Meaning.NUMBER and asked.newest == SURVEY):
        return _leave_to_a_person(asked)
    meant = _meant(asked, rows, answer)
    if answer == Answer.CONFIRM and len(meant) == 1 and names_another(asked.reply.text, meant[0].appointment):
        return _leave_to_a_person(asked)
    if not meant:
        return _ask_which(asked, rows, answer)
    return _do(asked, answer, meant, handled=[asked.message.pk])


def _meant(asked: Asked, rows: list[Reminder], answer: Answer) -> list[Reminder]:
    """The visits this answer is about; none when it is not certain."""
    if len(rows) == 1:
        return rows
    named = named_by(asked.reply.text, [row.appointment for row in rows])
    if named:
        return [row for row in rows if row.appointment in named]
    is_one_message = len({row.message_id for row in rows}) == 1
    return rows if is_one_message and answer == Answer.CONFIRM else []


def _do(asked: Asked, answer: Answer, rows: list[Reminder], *, handled: list[int]) -> bool:
    """Carry it out for these visits and say so. What cannot be done any more is left to a person."""
    visits = [row.appointment for row in rows]
    words = ""
    try:
        for visit in visits:
            if answer == Answer.CONFIRM:
                attendance.confirm(actor=None, appointment_id=visit.pk)
            elif answer == Answer.DECLINE:
                attendance.decline(actor=None, appointment_id=visit.pk)
            elif answer == Answer.CANCEL:
                reason = _("Said so in reply to a message")
                booking.cancel(actor=None, appointment_id=visit.pk, asked_by=Party.PATIENT, reason=reason)
    except attendance.NeedsOpen as error:
        words = reminder_words.still_needed(visit, error.kinds)
    except Refused:
        return _leave_to_a_person(asked)
    _note(rows, answer, asked.message)
    wish = _wish(asked, visits) if answer == Answer.MOVE else None
    _say(asked, words or reminder_words.answered(answer, visits, wish))
    if not words and not asked.said.has_more:
        automation.settle(interaction_id=asked.reply.interaction_id, message_ids=handled)
    return True


def _wish(asked: Asked, visits: Sequence[Appointment]) -> Wished | None:
    """The days that were asked for instead; None when the words name the visit itself."""
    zone = ZoneInfo(visits[0].location.time_zone)
    wish = wished(asked.reply.text, timezone.localdate(timezone=zone))
    return wish if wish and not {visit.visit_date for visit in visits} & set(wish.days()) else None


def _answer_question(question: VisitQuestion, asked: Asked) -> bool | None:
    """Carry out what waited for the number of a visit; None when this is no answer to the question."""
    rows = {row.appointment_id: row for row in asked.of(VISIT)}
    numbers = [asked.said.number] if asked.said.meaning == Meaning.NUMBER else []
    ids = question.appointment_ids
    if question.answer == Answer.CANCEL and asked.said.meaning == Meaning.NO:
        return _leave_to_a_person(asked)  # "no, do not cancel" is no word against the visit
    is_again = asked.said.meaning in (Meaning.YES, Meaning.BARE_CANCEL, Meaning.CANCEL)
    if question.answer == Answer.CANCEL and len(ids) == 1:
        chosen = ids if numbers == [3] or is_again else []
    elif numbers and numbers[0] is not None and 1 <= numbers[0] <= len(ids):
        chosen = [ids[numbers[0] - 1]]
    else:
        chosen = [visit.pk for visit in named_by(asked.reply.text, [row.appointment for row in rows.values()])]
    meant = [rows[pk] for pk in chosen if pk in rows]
    if len(meant) != 1:
        return None if not numbers else _leave_to_a_person(asked)
    return _do(asked, Answer(question.answer), meant, handled=[asked.message.pk, question.message_id])


def _ask_which(asked: Asked, rows: list[Reminder], answer: Answer) -> bool:
    visits = _in_order(rows)
    if len(visits) > reminder_words.MOST_NAMED:
        return _leave_to_a_person(asked)
    _keep_question(asked, answer, visits)
    _say(asked, reminder_words.which_visit(visits))
    return True


def _ask_what_to_end(asked: Asked, rows: list[Reminder]) -> bool:
    """A bare "cancel" may end a visit or all messages: ask, and leave it in the queue until it is answered."""
    visits = _in_order(rows)
    if len(visits) > reminder_words.MOST_NAMED:
        return _leave_to_a_person(asked)
    _keep_question(asked, Answer.CANCEL, visits)
    words = reminder_words.cancel_or_stop(visits) if len(visits) == 1 else reminder_words.which_to_cancel(visits)
    _say(asked, words)
    return True


def _in_order(rows: Sequence[Reminder]) -> list[Appointment]:
    return sorted((row.appointment for row in rows), key=lambda visit: visit.starts_at)


def _keep_question(asked: Asked, answer: Answer, visits: Sequence[Appointment]) -> None:
    VisitQuestion.objects.create(
        patient_id=asked.reply.patient_id,
        address=asked.message.address,
        message=asked.message,
        answer=answer,
        appointment_ids=[visit.pk for visit in visits],
        asked_at=timezone.now(),
    )


def _rate(asked: Asked) -> bool:
    rating = asked.said.number or 0
    if not 1 <= rating <= 5:
        return _leave_to_a_person(asked)
    rows = asked.of(SURVEY)[:1]
    _note(rows, Answer.RATED, asked.message, rating=rating)
    _say(asked, reminder_words.answered(Answer.RATED, [rows[0].appointment]))
    if rating > 2:  # whoever was not content should hear from a person
        automation.settle(interaction_id=asked.reply.interaction_id, message_ids=[asked.message.pk])
    return True


def _note_read(asked: Asked) -> bool:
    newest = asked.reminders[0].message_id
    rows = [row for row in asked.of(PREPARATION) if row.message_id == newest]
    for row in rows:
        attendance.note_prepared(appointment_id=row.appointment_id)
    _note(rows, Answer.READ, asked.message)
    _say(asked, reminder_words.answered(Answer.READ, [rows[0].appointment]))
    if not asked.said.has_more:
        automation.settle(interaction_id=asked.reply.interaction_id, message_ids=[asked.message.pk])
    return True


def _leave_to_a_person(asked: Asked) -> bool:
    """Keep beside the visit that something was written; nothing is answered, so that it waits for an agent."""
    _note(asked.reminders[:1], Answer.UNCLEAR, asked.message)
    return False


def _note(rows: Sequence[Reminder], answer: Answer, message: Message, *, rating: int | None = None) -> None:
    Reminder.objects.filter(pk__in=[row.pk for row in rows]).update(
        answer=answer, rating=rating, answered_at=timezone.now(), reply=message
    )


def _say(asked: Asked, words: str) -> None:
    answering.answer(asked.reply, asked.message, words, about="visit")
