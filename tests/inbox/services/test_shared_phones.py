"""Several patients, one phone: a reply never touches the wrong one, and nobody is asked without need."""

import random
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from inbox import replies
from inbox.models import Interaction, Message, PatientQuestion
from inbox.services.linking import link_patient
from patients.models import ContactPoint, Patient
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
PHONE = "+13055550123"


class Reminders:
    """An app that asked some patients whether they come, and takes 1 for yes and 2 for no."""

    def __init__(self):
        self.asked, self.answers = {}, {}

    def ask(self, *patients, at=PHONE):
        self.asked |= {patient.pk: (at, timezone.now()) for patient in patients}

    def may_be_cancelled(self, patient_ids, address):
        return bool(self.pending(patient_ids, address))

    def pending(self, patient_ids, address):
        return [
            replies.Pending(pk, f"visit:{pk}", at)
            for pk, (where, at) in self.asked.items()
            if pk in patient_ids and where == address and pk not in self.answers
        ]

    def take(self, reply, pending):
        assert [one.patient_id for one in pending] == [reply.patient_id]
        if reply.text.strip() not in ("1", "2"):
            return False
        self.answers[reply.patient_id] = reply.text.strip()
        return True


@pytest.fixture
def reminders():
    made = Reminders()
    replies.register("reminders", made)
    yield made
    replies.withdraw("reminders")


@pytest.fixture
def ana(db):
    return PatientFactory(given_name="Ana", family_name="Mamani", phone=PHONE)


@pytest.fixture
def luis(db):
    return PatientFactory(given_name="Luis", family_name="Mamani", phone=PHONE)


def questions():
    return list(Message.objects.filter(direction="outbound").values_list("text", flat=True))


def test_of_fifty_people_with_one_phone_the_one_who_was_asked_answers_and_of_two_nobody(
    reminders, sms_channel, patient_writes
):
    home = residents(50)
    reminders.ask(home[-1])
    assert patient_writes("1", to=sms_channel).patient == home[-1]
    reminders.ask(home[0], home[-2])
    patient_writes("2", to=sms_channel)
    assert reminders.answers == {home[-1].pk: "1"}
    reminders.ask(*residents(450))
    patient_writes("1", to=sms_channel)
    assert reminders.answers == {home[-1].pk: "1"}


def residents(count):
    """So many more people of one house with one phone."""
    first = Patient.objects.count()
    names = [f"R{first + number}" for number in range(count)]
    made = Patient.objects.bulk_create(Patient(mrn=name, given_name=name, family_name="Casa") for name in names)
    ContactPoint.objects.bulk_create(ContactPoint(patient=one, scheme="phone", value=PHONE) for one in made)
    return made


def test_with_one_pending_child_the_answer_is_that_childs_and_nobody_is_asked(
    ana, luis, reminders, sms_channel, patient_writes
):
    reminders.ask(luis)
    talk = patient_writes("1", to=sms_channel)
    assert (reminders.answers, questions(), talk.patient) == ({luis.pk: "1"}, [], luis)


def test_with_two_pending_children_the_answer_waits_until_it_is_said_who_is_meant(
    ana, luis, reminders, sms_channel, patient_writes
):
    reminders.ask(ana, luis)
    patient_writes("2", to=sms_channel)
    assert (reminders.answers, PatientQuestion.objects.count()) == ({}, 1)
    assert questions() == ["Several people use this number. Who is your message about? Reply 1 for Ana, 2 for Luis."]
    talk = patient_writes("2", to=sms_channel)
    assert (reminders.answers, talk.patient, len(questions())) == ({luis.pk: "2"}, luis, 1)


@pytest.mark.parametrize(
    ("said", "meant"),
    [("1", "Ana"), (" #2. ", "Luis"), ("it is about luis", "Luis"), ("both", None), ("1 and 2", None), ("3", None)],
)
def test_the_answer_may_be_a_number_or_a_name_and_what_is_unclear_waits_for_a_person(
    ana, luis, reminders, sms_channel, patient_writes, said, meant
):
    reminders.ask(ana, luis)
    patient_writes("1", to=sms_channel)
    talk = patient_writes(said, to=sms_channel)
    assert (talk.patient.given_name if talk.patient else None) == meant
    assert list(reminders.answers) == ([talk.patient_id] if meant else [])


def test_an_agent_who_links_answers_the_question_and_the_reply_is_taken(
    ana, luis, reminders, sms_channel, patient_writes, agent
):
    reminders.ask(ana, luis)
    talk = patient_writes("1", to=sms_channel)
    link_patient(actor=agent, interaction_id=talk.pk, patient=ana)
    assert (reminders.answers, PatientQuestion.objects.get().answered_by) == ({ana.pk: "1"}, agent)


def test_without_anything_pending_a_shared_phone_is_asked_once(ana, luis, sms_channel, patient_writes):
    patient_writes("Hello, when may I come?", to=sms_channel)
    patient_writes("Anybody there?", to=sms_channel)
    talk = patient_writes("Ana", to=sms_channel)
    assert (len(questions()), talk.patient) == (1, ana)


def test_whom_we_wrote_to_last_is_meant_without_asking(ana, luis, sms_channel, patient_writes):
    earlier = InteractionFactory(
        channel=sms_channel, patient=luis, contact_value=PHONE, thread_key="earlier", status="closed"
    )
    sent = {"status": "sent", "gate_decision": "send", "occurred_at": timezone.now() - timedelta(hours=1)}
    MessageFactory(interaction=earlier, direction="outbound", **sent)
    talk = patient_writes("Thank you, I come", to=sms_channel)
    assert (talk.patient, PatientQuestion.objects.count()) == (luis, 0)


def test_a_phone_of_one_patient_is_nobody_elses_business(ana, reminders, sms_channel, patient_writes):
    reminders.ask(ana)
    patient_writes("2", to=sms_channel)
    patient_writes("hello", to=sms_channel)
    assert (reminders.answers, questions()) == ({ana.pk: "2"}, [])


def test_a_conversation_about_one_child_takes_no_answer_for_the_other(
    ana, luis, reminders, sms_channel, patient_writes, agent
):
    talk = patient_writes("About Ana", to=sms_channel)
    link_patient(actor=agent, interaction_id=talk.pk, patient=ana)
    reminders.ask(luis)
    patient_writes("1", to=sms_channel)
    talk.refresh_from_db()
    assert (reminders.answers, talk.patient) == ({luis.pk: "1"}, ana)


def test_patients_who_cannot_be_told_apart_by_name_are_left_to_a_person(sms_channel, patient_writes):
    for _turn in range(2):
        PatientFactory(given_name="Ana", family_name="Mamani", phone=PHONE)
    talk = patient_writes("Hello", to=sms_channel)
    assert (questions(), talk.patient, talk.is_contact_shared) == ([], None, True)


def test_stop_is_no_answer_and_a_handler_that_breaks_loses_no_message(
    ana, reminders, sms_channel, patient_writes, monkeypatch
):
    reminders.ask(ana)

    def broken(reply, pending):
        type(ana).objects.filter(pk=ana.pk).update(given_name="Broken")
        raise RuntimeError

    monkeypatch.setattr(reminders, "take", broken)
    patient_writes("1", to=sms_channel)
    patient_writes("STOP", to=sms_channel)
    ana.refresh_from_db()
    assert (Message.objects.filter(direction="inbound").count(), ana.given_name) == (2, "Ana")


def test_the_agent_sees_that_it_was_asked(ana, luis, sms_channel, patient_writes, agent, signed_in):
    talk = patient_writes("Hello", to=sms_channel)
    shown = signed_in(agent).get(reverse("inbox:interaction", args=[talk.pk])).content.decode()
    assert "1 Ana, 2 Luis" in shown


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_pending_and_said_only_the_child_that_is_meant_changes(
    ana, luis, reminders, sms_channel, patient_writes, seed
):
    """The rule told another way: an answer counts for a child only if that child alone was pending, or was named."""
    rng = random.Random(seed)
    allowed = set()
    for _turn in range(4):
        asked = rng.choice([[ana], [luis], [ana, luis]])
        reminders.asked, reminders.answers = {}, {}
        reminders.ask(*asked)
        is_open = PatientQuestion.objects.filter(answered_at=None).exists()
        text = rng.choice(["1", "2", "Ana", "hello"])
        patient_writes(text, to=sms_channel)
        named = {"1": ana.pk, "2": luis.pk, "Ana": ana.pk}.get(text) if is_open else None
        allowed = {named} if is_open else {asked[0].pk} if len(asked) == 1 else set()
        assert set(reminders.answers) <= allowed, (seed, text)
    assert Interaction.objects.count() == 1
