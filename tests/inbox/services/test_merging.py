"""Two interactions of one person become one, come apart again, and messages move out."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from inbox.enums import Direction, InteractionStatus, MessageStatus, TimelineKind
from inbox.models import FormSubmission, Interaction, Message, TimelineEvent, Upload
from inbox.selectors.merging import added_since
from inbox.selectors.uploads import waiting_uploads
from inbox.services import merging
from inbox.services.interactions import add_note, close, reopen
from inbox.services.linking import link_patient, unlink_patient
from inbox.services.merging import merge, split
from inbox.services.replies import reply
from inbox.services.snooze import snooze
from inbox.services.unmerging import unmerge
from patients.services.addresses import add_contact_point
from tests.blocking import until_somebody_waits
from tests.factories.inbox import (
    CaseFactory,
    DispositionFactory,
    InteractionFactory,
    MessageFactory,
    ReasonFactory,
    TaskFactory,
    WebFormFactory,
)
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
S = InteractionStatus
PHONE = "+13055550123"


@pytest.fixture
def patient():
    return PatientFactory()


@pytest.fixture
def source(agent, sms_channel, patient):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=patient, contact_value=PHONE)


@pytest.fixture
def target(agent, whatsapp_channel, patient):
    return InteractionFactory(channel=whatsapp_channel, owner=agent, patient=patient, contact_value=PHONE)


def refusal(kind, verb, **given):
    with pytest.raises(kind) as raised:
        verb(**given)
    return str(raised.value)


def events(interaction):
    found = TimelineEvent.objects.filter(interaction=interaction).order_by("pk")
    return list(found.values_list("kind", "detail"))


def closed(agent, interaction):
    close(actor=agent, interaction_id=interaction.pk, reason=ReasonFactory(), disposition=DispositionFactory())


def test_the_source_closes_with_a_pointer_and_the_target_takes_over_what_waits(agent, source, target):
    source.unread_count, source.priority, source.case = 2, 1, CaseFactory(patient=source.patient)
    source.waiting_since_at = timezone.now() - timedelta(hours=2)
    source.save()
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    source.refresh_from_db()
    target.refresh_from_db()
    assert (source.status, source.merged_into, source.waiting_since_at) == (S.CLOSED, target, None)
    assert (target.status, target.unread_count, target.priority, target.case) == (S.ACTIVE, 2, 1, source.case)
    assert timezone.now() - target.waiting_since_at > timedelta(hours=1)
    assert events(source) == [(TimelineKind.MERGED, f"into:{target.pk}")]
    assert events(target) == [(TimelineKind.MERGED, f"from:{source.pk}")]
    assert AuditEntry.objects.filter(action="changed", object_type="interaction").count() == 2


def test_later_replies_of_the_sources_thread_land_in_the_target(agent, source, target, sms_channel, patient_writes):
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    patient_writes("One more thing", to=sms_channel)
    assert Interaction.objects.count() == 2
    assert list(target.messages.values_list("text", flat=True)) == ["One more thing"]
    target.refresh_from_db()
    assert (target.unread_count, target.snippet) == (1, "One more thing")


def test_a_reply_after_the_target_closed_opens_the_target_again(agent, source, target, sms_channel, patient_writes):
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    closed(agent, target)
    patient_writes("One more thing", to=sms_channel)
    target.refresh_from_db()
    assert (target.status, target.messages.count(), Interaction.objects.count()) == (S.QUEUED, 1, 2)


def test_a_reply_long_after_starts_a_new_one_of_the_same_patient(agent, source, target, sms_channel, patient_writes):
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    closed(agent, target)
    with time_machine.travel(timezone.now() + timedelta(days=40)):
        new = patient_writes("Something new", to=sms_channel)
    assert (new.pk in (source.pk, target.pk), new.thread_key) == (False, source.thread_key)


def test_a_reply_joins_what_lives_in_the_targets_thread_when_the_target_is_closed(
    agent, source, target, sms_channel, whatsapp_channel, patient_writes
):
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    closed(agent, target)
    with time_machine.travel(timezone.now() + timedelta(days=40)):
        live = patient_writes("A new matter", to=whatsapp_channel)
        patient_writes("Also by SMS", to=sms_channel)
    assert list(live.messages.order_by("pk").values_list("text", flat=True)) == ["A new matter", "Also by SMS"]


def test_what_was_merged_into_the_source_points_on_to_the_target(
    agent, source, target, patient, email_channel, sms_channel, patient_writes
):
    last = InteractionFactory(channel=email_channel, owner=agent, patient=patient)
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    merge(actor=agent, source_id=target.pk, target_id=last.pk)
    source.refresh_from_db()
    assert source.merged_into == last
    patient_writes("Where am I?", to=sms_channel)
    assert last.messages.count() == 1


def test_open_tasks_of_the_source_block_the_target(agent, source, target):
    TaskFactory(interaction=source, title="Check the identity", is_blocking=True)
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    given = {"interaction_id": target.pk, "reason": ReasonFactory(), "disposition": DispositionFactory()}
    assert refusal(Refused, close, actor=agent, **given) == "Not done yet: Check the identity."


def test_itself_the_closed_another_persons_and_a_colleagues_are_refused(
    agent, second_agent, supervisor, source, target, sms_channel
):
    def why(kind=Refused, **given):
        return refusal(kind, merge, **({"actor": agent, "source_id": source.pk, "target_id": target.pk} | given))

    assert why(target_id=source.pk) == "An interaction cannot be merged into itself."
    stranger = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
    different = "These conversations belong to different people. Link both to the same patient first."
    assert why(target_id=stranger.pk) == different
    unknown = InteractionFactory(channel=sms_channel, owner=agent)
    assert why(target_id=unknown.pk) == different
    also_unknown = InteractionFactory(channel=sms_channel, owner=agent)
    assert why(source_id=unknown.pk, target_id=also_unknown.pk) == (
        "It is not known whether this is the same person. Link both to the patient first."
    )
    assert why(Conflict, actor=second_agent) == (f"{agent} works on one of them. Ask them, or a supervisor, to merge.")
    merge(actor=supervisor, source_id=source.pk, target_id=target.pk)
    done = "Only open conversations can be merged. Reopen the closed one first."
    assert why() == done
    assert why(source_id=target.pk, target_id=source.pk) == done


def test_two_of_one_unknown_address_can_be_merged(agent, sms_channel, whatsapp_channel):
    one = InteractionFactory(channel=sms_channel, owner=agent, contact_value=PHONE)
    two = InteractionFactory(channel=whatsapp_channel, owner=agent, contact_value=PHONE)
    assert merge(actor=agent, source_id=one.pk, target_id=two.pk) == two


@pytest.mark.parametrize("state", ["snoozed", "queued", "wrap_up"])
def test_every_open_state_can_be_merged(agent, patient, sms_channel, target, state):
    source = InteractionFactory(
        channel=sms_channel, owner=None if state == "queued" else agent, status=state, patient=patient
    )
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    source.refresh_from_db()
    assert (source.status, source.snoozed_until_at) == (S.CLOSED, None)


def test_undone_within_a_day_both_live_on_with_their_own(agent, source, target):
    MessageFactory(interaction=source, text="By SMS")
    MessageFactory(interaction=target, text="By WhatsApp")
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    unmerge(actor=agent, interaction_id=source.pk)
    source.refresh_from_db()
    target.refresh_from_db()
    assert (source.status, source.owner, source.merged_into, source.closed_at) == (S.ACTIVE, agent, None, None)
    assert (source.snippet, target.snippet) == ("By SMS", "By WhatsApp")
    assert source.waiting_since_at is not None
    assert events(source)[-1] == (TimelineKind.UNMERGED, f"from:{target.pk}")


def test_an_undo_gives_the_work_of_somebody_who_left_to_the_queue(agent, supervisor, source, target):
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    agent.is_active = False
    agent.save()
    unmerge(actor=supervisor, interaction_id=source.pk)
    source.refresh_from_db()
    assert (source.status, source.owner) == (S.QUEUED, None)


def test_an_undo_comes_too_late_after_a_day_and_never_for_what_is_not_merged(agent, second_agent, source, target):
    at = {"actor": agent, "interaction_id": source.pk}
    assert refusal(Refused, unmerge, **at) == "This conversation is not merged."
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    assert refusal(Refused, reopen, **at) == "It goes on in another conversation. Undo the merge instead."
    taken = f"{agent} has taken this interaction already."
    assert refusal(Conflict, unmerge, actor=second_agent, interaction_id=source.pk) == taken
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert refusal(Refused, unmerge, **at) == ("A merge can be undone within a day. Split the messages instead.")


def test_an_undo_does_not_make_a_second_live_one_of_a_thread(agent, source, target):
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    InteractionFactory(channel=source.channel, thread_key=source.thread_key)
    assert refusal(Conflict, unmerge, actor=agent, interaction_id=source.pk) == (
        "This person already has an open interaction on this channel."
    )


def test_what_came_on_the_sources_thread_meanwhile_goes_back_with_our_answers(
    agent, source, target, sms_channel, whatsapp_channel, patient_writes
):
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    patient_writes("By SMS meanwhile", to=sms_channel, sender=source.contact_value)
    patient_writes("By WhatsApp meanwhile", to=whatsapp_channel, sender=target.contact_value)
    MessageFactory(
        interaction=target, channel=sms_channel, address=source.contact_value, text="Our answer",
        direction=Direction.OUTBOUND, status=MessageStatus.FAILED,
    )  # fmt: skip
    unmerge(actor=agent, interaction_id=source.pk)
    source.refresh_from_db()
    assert list(source.messages.order_by("pk").values_list("text", flat=True)) == ["By SMS meanwhile", "Our answer"]
    assert list(target.messages.values_list("text", flat=True)) == ["By WhatsApp meanwhile"]
    assert source.waiting_since_at is not None
    returned = AuditEntry.objects.get(detail__has_key="given_back_from").detail
    assert (returned["given_back_from"], len(returned["messages"])) == (target.pk, 2)


def test_a_mail_that_answers_the_sources_thread_goes_back_and_another_one_is_left_to_choose(
    agent, target, patient, email_channel
):
    source = InteractionFactory(channel=email_channel, owner=agent, patient=patient, contact_value="ana@example.org")
    MessageFactory(interaction=source, external_id="<first@x>")
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    given = {"interaction": target, "channel": email_channel, "address": "ana@example.org"}
    answer = MessageFactory(**given, external_id="<second@x>", in_reply_to="<first@x>")
    onwards = MessageFactory(**given, external_id="<third@x>", references=["<zero@x>", "<second@x>"])
    other = MessageFactory(**given, external_id="<other@x>")
    source.refresh_from_db()
    added = added_since(agent, source, target)
    assert ([*added.returns], added.messages) == ([answer, onwards], [other])


def test_what_else_was_added_since_stays_unless_it_is_chosen(agent, second_agent, source, target):
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    stays, goes = MessageFactory(interaction=target), MessageFactory(interaction=target)
    note = add_note(actor=agent, interaction_id=target.pk, body=f"@{second_agent} look")
    other_note = add_note(actor=agent, interaction_id=target.pk, body="Of the target")
    task = TaskFactory(interaction=target)
    foreign = MessageFactory()
    at = {"actor": agent, "interaction_id": source.pk}
    strange = refusal(Refused, unmerge, **at, message_ids=[foreign.pk])
    assert strange == "Choose among what was added since the merge."
    unmerge(**at, message_ids=[goes.pk], note_ids=[note.pk], task_ids=[task.pk])
    assert list(source.messages.all()) == [goes]
    assert (list(source.notes.all()), list(target.notes.all())) == ([note], [other_note])
    assert (list(source.tasks.all()), list(target.messages.all())) == ([task], [stays])
    assert note.mentions.get().interaction == source


def test_what_had_been_merged_into_the_source_comes_back_with_it(
    agent, source, target, patient, email_channel, sms_channel, patient_writes
):
    middle = InteractionFactory(channel=email_channel, owner=agent, patient=patient)
    merge(actor=agent, source_id=source.pk, target_id=middle.pk)
    merge(actor=agent, source_id=middle.pk, target_id=target.pk)
    patient_writes("On the first thread", to=sms_channel, sender=source.contact_value)
    unmerge(actor=agent, interaction_id=middle.pk)
    source.refresh_from_db()
    assert (source.merged_into, middle.messages.get().text) == (middle, "On the first thread")


def test_a_reply_on_the_channel_of_a_merged_thread_goes_to_the_address_of_that_thread(
    agent, source, target, patient, sms_channel, email_channel
):
    add_contact_point(actor=None, patient_id=patient.pk, scheme="phone", value="+13055550999", rank=1)
    source.contact_value = "+13055550777"
    source.save()
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    message = reply(actor=agent, interaction_id=target.pk, channel_id=sms_channel.pk, text="Come at nine")
    assert (message.channel, message.address) == (sms_channel, "+13055550777")


def test_a_reply_by_mail_goes_on_in_the_merged_thread(agent, target, patient, email_channel):
    source = InteractionFactory(
        channel=email_channel, owner=agent, patient=patient, contact_value="ana@example.org", subject="My visit"
    )
    MessageFactory(interaction=source, external_id="<first@x>", subject="My visit")
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    message = reply(actor=agent, interaction_id=target.pk, channel_id=email_channel.pk, text="At nine")
    known = (message.address, message.subject, message.in_reply_to)
    assert known == ("ana@example.org", "Re: My visit", "<first@x>")


def test_of_two_threads_on_one_channel_the_answer_goes_where_the_patient_last_wrote_from(
    agent, source, patient, sms_channel
):
    target = InteractionFactory(channel=sms_channel, owner=agent, patient=patient, contact_value="+13055550888")
    MessageFactory(interaction=source, occurred_at=timezone.now() - timedelta(hours=2))
    MessageFactory(interaction=target, occurred_at=timezone.now() - timedelta(hours=1))
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    at = {"actor": agent, "interaction_id": target.pk}
    assert reply(**at, text="One").address == "+13055550888"
    MessageFactory(interaction=target, address=PHONE)
    assert reply(**at, text="Two").address == PHONE


@pytest.mark.django_db(transaction=True)
def test_two_merges_in_opposite_directions_leave_one_live_interaction(agent, source, target, monkeypatch):
    """Also of two addresses of one person, where each would hold its first row before either asks for the second."""
    target.contact_value = target.thread_key = "+13055550199"
    target.save()
    results, barrier, first_held = [], threading.Barrier(2), threading.Barrier(2)
    locked = merging.locked

    def slowly(interaction_id):
        row = locked(interaction_id)
        with suppress(threading.BrokenBarrierError):
            first_held.wait(timeout=0.3)
        return row

    monkeypatch.setattr(merging, "locked", slowly)

    def work(first, second):
        barrier.wait()
        try:
            merge(actor=agent, source_id=first, target_id=second)
            results.append("merged")
        except Refused:
            results.append("refused")
        finally:
            connection.close()

    pairs = [(source.pk, target.pk), (target.pk, source.pk)]
    threads = [threading.Thread(target=work, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["merged", "refused"]
    assert sorted(Interaction.objects.values_list("status", flat=True)) == ["active", "closed"]


@pytest.mark.parametrize("verb", ["split", "unmerge"])
@pytest.mark.django_db(transaction=True)
def test_messages_move_after_whoever_notes_the_outcome_of_their_sending(verb, agent, source, target):
    """The outcome is noted with the message locked before its interaction; another order would be a deadlock."""
    MessageFactory(interaction=target)
    if verb == "unmerge":
        merge(actor=agent, source_id=source.pk, target_id=target.pk)
    sent = reply(actor=agent, interaction_id=target.pk, text="Hello")
    Message.objects.filter(pk=sent.pk).update(status=MessageStatus.SENT, gate_decision="send")
    verbs = {
        "split": lambda: split(actor=agent, interaction_id=target.pk, message_ids=[sent.pk]),
        "unmerge": lambda: unmerge(actor=agent, interaction_id=source.pk, message_ids=[sent.pk]),
    }
    held, problems = threading.Event(), []

    def note_outcome():
        try:
            with transaction.atomic():
                Message.objects.select_for_update().get(pk=sent.pk)
                held.set()
                until_somebody_waits()
                merging.locked(target.pk)
        except OperationalError as error:
            problems.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=note_outcome)
    thread.start()
    held.wait(10)
    verbs[verb]()
    thread.join(10)
    sent.refresh_from_db()
    assert (problems, sent.interaction_id != target.pk) == ([], True)


def test_files_in_the_reply_box_go_on_in_the_target(agent, source, target):
    upload = Upload.objects.create(
        interaction=source, author=agent, name="a.txt", content_type="text/plain", size=1, digest="0", file="a"
    )
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    assert [one.upload for one in waiting_uploads(agent, target)] == [upload]


def test_chosen_messages_become_an_interaction_of_the_actor_with_pointers_both_ways(agent, source):
    stays = MessageFactory(interaction=source, text="When is my scan?")
    goes = MessageFactory(interaction=source, text="And my bill is wrong")
    new = split(actor=agent, interaction_id=source.pk, message_ids=[goes.pk])
    new.refresh_from_db()
    source.refresh_from_db()
    assert (list(source.messages.all()), list(new.messages.all())) == ([stays], [goes])
    assert (new.split_from, new.owner, new.patient, new.status) == (source, agent, source.patient, S.ACTIVE)
    assert (source.snippet, new.snippet) == ("When is my scan?", "And my bill is wrong")
    assert (new.contact_value, new.channel) == (source.contact_value, source.channel)
    assert events(new) == [(TimelineKind.SPLIT, f"from:{source.pk}")]
    assert events(source) == [(TimelineKind.SPLIT, f"into:{new.pk}")]


def test_new_replies_go_on_coming_to_the_first(agent, source, sms_channel, patient_writes):
    MessageFactory(interaction=source)
    goes = MessageFactory(interaction=source)
    split(actor=agent, interaction_id=source.pk, message_ids=[goes.pk])
    patient_writes("Thanks", to=sms_channel)
    assert source.messages.order_by("pk").last().text == "Thanks"


def test_a_form_goes_with_its_message(agent, form_channel):
    source = InteractionFactory(channel=form_channel, owner=agent, reference="F-1")
    MessageFactory(interaction=source)
    goes = MessageFactory(interaction=source, kind="form", text="Form")
    sent = FormSubmission.objects.create(form=WebFormFactory(), interaction=source, reference="F-1")
    new = split(actor=agent, interaction_id=source.pk, message_ids=[goes.pk])
    sent.refresh_from_db()
    assert (sent.interaction, new.reference) == (new, "F-1")


def test_a_senseless_choice_of_messages_is_refused_in_words(agent, second_agent, source, target):
    one, two = MessageFactory(interaction=source), MessageFactory(interaction=source)
    foreign = MessageFactory(interaction=target)
    leaving = MessageFactory(interaction=source, direction=Direction.OUTBOUND, status=MessageStatus.SENDING)

    def why(kind=Refused, ids=(), actor=agent):
        return refusal(kind, split, actor=actor, interaction_id=source.pk, message_ids=list(ids))

    assert why() == "Choose the messages that are another matter."
    assert why(ids=[one.pk, foreign.pk]) == "Choose messages of this conversation only."
    assert why(ids=[leaving.pk]) == "One of these messages is still being sent. Try again in a moment."
    assert why(Conflict, ids=[one.pk], actor=second_agent) == f"{agent} has taken this interaction already."
    leaving.delete()
    assert why(ids=[one.pk, two.pk]) == (
        "At least one message has to stay. To change everything, move the whole conversation."
    )
    assert Interaction.objects.count() == 2


def test_moved_to_the_right_patient_the_wrong_record_keeps_the_fact_and_its_case(agent, source, target, patient):
    source.case = CaseFactory(patient=patient)
    source.save()
    merged = InteractionFactory(channel=target.channel, owner=agent, patient=patient)
    merge(actor=agent, source_id=merged.pk, target_id=source.pk)
    right = PatientFactory()
    link_patient(actor=agent, interaction_id=source.pk, patient=right)
    source.refresh_from_db()
    merged.refresh_from_db()
    assert (source.patient, source.case, merged.patient) == (right, None, right)
    assert events(source)[-1] == (TimelineKind.MOVED, f"patient:{patient.pk}")
    linked = AuditEntry.objects.filter(action="linked", object_id=source.pk).order_by("pk")
    assert list(linked.values_list("patient_id", flat=True)) == [patient.pk, right.pk]


def test_who_it_is_counts_for_what_was_merged_into_it_too(agent, sms_channel, whatsapp_channel, patient):
    target = InteractionFactory(channel=sms_channel, owner=agent, contact_value=PHONE)
    merged = InteractionFactory(channel=whatsapp_channel, owner=agent, contact_value=PHONE)
    merge(actor=agent, source_id=merged.pk, target_id=target.pk)
    link_patient(actor=agent, interaction_id=target.pk, patient=patient)
    merged.refresh_from_db()
    assert merged.patient == patient
    unlink_patient(actor=agent, interaction_id=target.pk)
    merged.refresh_from_db()
    assert merged.patient is None


def test_the_record_of_a_wrong_link_keeps_that_it_was_undone(agent, source, patient):
    for _ in range(2):
        unlink_patient(actor=agent, interaction_id=source.pk)
    told = AuditEntry.objects.filter(action="linked", object_id=source.pk).order_by("pk")
    assert list(told.values_list("patient_id", flat=True)) == [patient.pk, None]


@pytest.mark.django_db(transaction=True)
def test_a_move_waits_for_the_undo_of_a_merge_instead_of_blocking_it(agent, source, target):
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    held, problems = threading.Event(), []

    def undo():
        try:
            with transaction.atomic():
                merging.locked(source.pk)
                held.set()
                until_somebody_waits()
                merging.locked(target.pk)
        except OperationalError as error:
            problems.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=undo)
    thread.start()
    held.wait(10)
    link_patient(actor=agent, interaction_id=target.pk, patient=PatientFactory())
    thread.join(10)
    assert problems == []


def test_a_snoozed_source_wakes_when_its_merge_is_undone(agent, source, target):
    snooze(actor=agent, interaction_id=source.pk, until_at=timezone.now() + timedelta(hours=3))
    merge(actor=agent, source_id=source.pk, target_id=target.pk)
    unmerge(actor=agent, interaction_id=source.pk)
    source.refresh_from_db()
    assert (source.status, source.snoozed_until_at) == (S.ACTIVE, None)
