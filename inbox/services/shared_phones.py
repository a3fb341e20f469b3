"""Whose reply is this? Of several patients with one phone the one meant is found out, or asked, never guessed."""

import re
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.prepared import Given, planned
from inbox import replies, signals
from inbox.enums import Direction, MessageStatus, TimelineKind
from inbox.identifiers import folded
from inbox.keywords import has_two_meanings
from inbox.models import Interaction, Message, PatientOption, PatientQuestion, TimelineEvent
from inbox.services.outbox import enqueue
from patients.models import Patient
from patients.selectors.people import MOST_MATCHES, match_patients

log = structlog.get_logger(__name__)
MOST_OPTIONS = 6
QUESTION_KEY = "which-"
MOST_QUESTIONS_A_DAY = 3
WAITS_FOR_ANSWER = timedelta(hours=72)
GONE = [MessageStatus.CANCELLED, MessageStatus.SUPPRESSED, MessageStatus.FAILED]


def consider(interaction: Interaction, message: Message) -> None:
    """Find out which patient an inbound text is about and offer it to the apps above, in the caller's transaction.

    One patient at this address, or only one with something pending there: that one. Several: the sender is asked, and
    what they wrote waits for the answer. What nobody understands stays with the agents, as every message does.
    """
    if not (replies.handlers() or interaction.is_contact_shared) or message.payload.get("is_auto_reply"):
        return
    matches = match_patients(message.address_scheme, message.address)
    patients = [patient for patient in matches if patient.deceased_date is None]
    if not patients or len(matches) >= MOST_MATCHES:
        return
    question = _open_question(interaction)
    if question is not None:
        chosen = _named(question, message.text)
        if chosen is not None:
            _settle(question, interaction, chosen, None)
        return
    concerned = _concerned(patients, message) if len(patients) > 1 else patients
    if len(concerned) == 1:
        _link(interaction, concerned[0], None)
        _offer(concerned[0], message)
    elif len(concerned) > 1 or interaction.patient_id is None:
        _ask(interaction, message, concerned or patients)


def is_awaited(message: Message) -> bool:
    """True when "cancel" from this address may be about something that an app above told of there."""
    ids = [one.pk for one in match_patients(message.address_scheme, message.address) if one.deceased_date is None]
    return bool(ids) and any(handler.may_be_cancelled(ids, message.address) for handler in replies.handlers())


def name_patient(interaction: Interaction, patient: Patient, actor: User) -> None:
    """An agent linked the interaction: an open question is answered by that, and what was written is offered."""
    question = _open_question(interaction)
    if question is not None:
        _settle(question, interaction, patient, actor)


def _open_question(interaction: Interaction) -> PatientQuestion | None:
    return next(iter(_open_questions().ask(interaction.pk)), None)


@planned
def _open_questions() -> QuerySet[PatientQuestion]:
    """Of the interaction 0, locked."""
    rows = PatientQuestion.objects.select_for_update(of=("self",)).select_related("message")
    return rows.filter(interaction=Given(0), answered_at=None).order_by("pk")[:1]


def _concerned(patients: Sequence[Patient], message: Message) -> list[Patient]:
    """Those of whom something is pending at this address; without any, those whom we wrote to there last and who have
    not answered."""
    ids = [patient.pk for patient in patients]
    waiting = {one.patient_id for handler in replies.handlers() for one in handler.pending(ids, message.address)}
    meant = waiting or _written_to(ids, message)
    return [patient for patient in patients if patient.pk in meant]


def _written_to(patient_ids: list[int], message: Message) -> set[int]:
    since = timezone.now() - WAITS_FOR_ANSWER
    same = Message.objects.filter(address=message.address, channel_id=message.channel_id, occurred_at__gte=since)
    earlier = same.filter(direction=Direction.INBOUND).exclude(pk=message.pk).order_by("-occurred_at")
    answered_at = earlier.values_list("occurred_at", flat=True).first()
    sent = same.filter(direction=Direction.OUTBOUND, interaction__patient__in=patient_ids).exclude(status__in=GONE)
    if answered_at is not None:
        sent = sent.filter(occurred_at__gt=answered_at)
    # Asking whose message it is was written to nobody in particular.
    sent = sent.exclude(idempotency_key__startswith=QUESTION_KEY)
    return set(sent.order_by().values_list("interaction__patient_id", flat=True))


def _offer(patient: Patient, message: Message) -> bool:
    """Let the apps above understand the message for this patient alone; True when one did."""
    reply = replies.Reply(patient.pk, message.pk, message.interaction_id, message.text, message.occurred_at)
    for handler in replies.handlers():
        own = [one for one in handler.pending([patient.pk], message.address) if one.patient_id == patient.pk]
        own.sort(key=lambda one: one.asked_at, reverse=True)
        if not own and not has_two_meanings(message.text):
            continue
        try:
            with transaction.atomic():
                if handler.take(reply, own):
                    return True
        except OperationalError:  # a lock or a lost connection says nothing of the message: all of it is tried again
            raise
        except Exception as error:  # a person reads it then; the message itself must not be lost
            log.error("reply_handler_broke", message_id=message.pk, error=type(error).__name__)
    return False


def _ask(interaction: Interaction, message: Message, patients: Sequence[Patient]) -> None:
    names = _names(patients)
    since = timezone.now() - timedelta(days=1)
    asked = PatientQuestion.objects.filter(message__address=message.address, asked_at__gt=since).count()
    if names is None or len(names) > MOST_OPTIONS or asked >= MOST_QUESTIONS_A_DAY:
        return
    question = PatientQuestion.objects.create(interaction=interaction, message=message)
    PatientOption.objects.bulk_create(
        PatientOption(question=question, patient=patient, number=number, name=name)
        for number, (patient, name) in enumerate(zip(patients, names, strict=True), start=1)
    )
    with translation.override(interaction.language or patients[0].language or settings.LANGUAGE_CODE):
        choices = ", ".join(
            _("%(number)s for %(name)s") % {"number": number, "name": name}
            for number, name in enumerate(names, start=1)
        )
        text = _("Several people use this number. Who is your message about? Reply %(choices)s.") % {"choices": choices}
    enqueue(interaction=interaction, text=text, author=None, idempotency_key=f"{QUESTION_KEY}{message.pk}")
    TimelineEvent.objects.create(interaction=interaction, kind=TimelineKind.PATIENT_ASKED)


def _names(patients: Sequence[Patient]) -> list[str] | None:
    """How each is called so that all can be told apart: the given name, else with an initial; None if that fails."""
    given = [patient.preferred_name or patient.given_name for patient in patients]
    for names in (given, [f"{one} {patient.family_name[:1]}." for one, patient in zip(given, patients, strict=True)]):
        if len({folded(name) for name in names}) == len(names) and all(folded(name) for name in names):
            return [name[:120] for name in names]
    return None


def _named(question: PatientQuestion, text: str) -> Patient | None:
    """Who is meant by an answer: the number of one option and no other, or the name of exactly one."""
    options = list(question.options.select_related("patient"))
    numbers = re.findall(r"\d+", text)
    if numbers:
        found = [one for one in options if [str(one.number)] == numbers]
    else:
        said = set(folded(text).split())
        found = [one for one in options if set(folded(one.name).split()) <= said]
    return found[0].patient if len(found) == 1 else None


def _settle(question: PatientQuestion, interaction: Interaction, patient: Patient, actor: User | None) -> None:
    question.answered_at, question.patient, question.answered_by = timezone.now(), patient, actor
    question.save(update_fields=["answered_at", "patient", "answered_by"])
    TimelineEvent.objects.create(interaction=interaction, kind=TimelineKind.PATIENT_NAMED, actor=actor)
    _link(interaction, patient, actor)
    if any(option.patient_id == patient.pk for option in question.options.all()):
        _offer(patient, question.message)


def _link(interaction: Interaction, patient: Patient, actor: User | None) -> None:
    """Say whose interaction it is, where nobody has said so yet."""
    if interaction.patient_id is not None:
        return
    interaction.patient = patient
    interaction.language = interaction.language or patient.language
    interaction.save()
    record(
        actor=actor,
        action=AuditAction.LINKED,
        object_type="interaction",
        object_id=interaction.pk,
        patient_id=patient.pk,
        to=str(TimelineKind.PATIENT_NAMED),
    )
    signals.announce(signals.interaction_linked, interaction_id=interaction.pk, patient_id=patient.pk)
