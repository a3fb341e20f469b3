"""Questions that are put together once say what the ORM says."""

import contextlib

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_fsm import ConcurrentTransition

from contact_center.common.prepared import Given, Prepared, ask_planned, give_one, prepared
from inbox.models import Interaction, Message
from patients.models import ContactPoint
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


def test_rows_come_with_what_is_selected_beside_them_in_one_statement(agent, sms_channel, django_assert_num_queries):
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory(given_name="Ana"))
    question = Prepared(Interaction.objects.filter(pk=Given(0)).select_related("patient", "owner", "case"))
    with django_assert_num_queries(1):
        found = question.one(row.pk)
        assert (found, found.patient.given_name, found.owner, found.case) == (row, "Ana", agent, None)


def test_rows_that_name_the_same_person_share_one_object_and_know_that_they_are_stored(agent, sms_channel):
    rows = [InteractionFactory(channel=sms_channel, owner=agent) for _ in range(2)]
    question = Prepared(Interaction.objects.filter(pk__any_of=Given(0)).select_related("owner", "channel__queue"))
    first, second = question.ask([row.pk for row in rows])
    assert (first.owner is second.owner, first.channel.queue is second.channel.queue) == (True, True)
    assert (first._state.adding, first._state.db, first.owner._state.adding) == (False, "default", False)
    (again,) = question.ask([first.pk])
    assert (again.owner == first.owner, again.owner is first.owner) == (True, False)


def test_one_question_is_asked_with_lists_of_any_length(sms_channel):
    rows = [InteractionFactory(channel=sms_channel) for _ in range(3)]
    question = Prepared(Interaction.objects.filter(pk__any_of=Given(0), channel__any_of=Given(1)).order_by("pk"))
    asked = [[], [rows[0].pk], [row.pk for row in rows]]
    assert [question.ask(ids, [sms_channel.pk]) for ids in asked] == [[], rows[:1], rows]


def test_values_are_converted_and_what_is_left_out_is_read_when_it_is_wanted(sms_channel, django_assert_num_queries):
    message = MessageFactory(interaction=InteractionFactory(channel=sms_channel), payload={"a": [1]}, html="<b>x</b>")
    part = Message.objects.filter(pk=Given(0)).annotate(has_html=~Q(html="")).only("payload", "status")
    found = Prepared(part).one(message.pk)
    with django_assert_num_queries(1):
        assert (found.payload, found.status, found.has_html, found.text) == (
            {"a": [1]}, message.status, True, message.text,
        )  # fmt: skip
    assert Prepared(part.values_list("pk", "payload")).tuples(message.pk) == [(message.pk, {"a": [1]})]


def test_a_row_that_is_not_there_is_said_as_the_orm_says_it():
    with pytest.raises(Message.DoesNotExist):
        Prepared(Message.objects.filter(pk=Given(0))).one(7)


@pytest.mark.parametrize("is_planned_once", [False, True])
def test_a_number_that_no_column_holds_finds_nothing(is_planned_once):
    question = Prepared(Interaction.objects.filter(pk=Given(0)), is_planned_once=is_planned_once)
    assert [question.ask(number) for number in (10**30, -(10**30), 2**63, 2**63 - 1)] == [[], [], [], []]


def test_a_question_that_has_read_the_clock_is_refused():
    with pytest.raises(ValueError, match="for ever"):
        Prepared(Message.objects.filter(occurred_at__lt=timezone.now()))


def test_a_question_of_one_shape_is_put_together_once():
    built = []

    @prepared
    def messages(is_long):
        built.append(is_long)
        return Message.objects.filter(pk=Given(0))

    assert messages(True) is messages(True) is not messages(False)
    assert built == [True, False]


def test_a_question_that_is_planned_once_answers_as_the_others_over_and_over(sms_channel, django_assert_num_queries):
    rows = [InteractionFactory(channel=sms_channel, subject="100 % 'sure'") for _ in range(2)]
    asked = Interaction.objects.filter(pk__any_of=Given(0), opened_at__lte=Given(1), subject="100 % 'sure'")
    question = Prepared(asked.order_by("pk"), is_planned_once=True)
    for _turn in range(8):  # PostgreSQL keeps a plan for all values from the sixth time on
        for ids in ([], [rows[1].pk], [row.pk for row in rows]):
            with django_assert_num_queries(1):
                assert question.ask(ids, timezone.now()) == [row for row in rows if row.pk in ids]
    nothing_given = Prepared(Interaction.objects.filter(pk=rows[0].pk), is_planned_once=True)
    assert nothing_given.ask() == nothing_given.ask() == rows[:1]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_and_one_whose_transaction_failed_are_told_the_question_anew(transactional_db):
    row = InteractionFactory()
    question = Prepared(Interaction.objects.filter(pk=Given(0)), is_planned_once=True)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert question.one(row.pk) == row
        raise ZeroDivisionError
    assert question.one(row.pk) == row
    connection.close()
    assert question.one(row.pk) == row
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        with contextlib.suppress(DatabaseError):
            cursor.execute("SELECT 1 / 0")
        Prepared(Interaction.objects.filter(pk=Given(0)), is_planned_once=True).one(row.pk)
    assert question.one(row.pk) == row


@pytest.mark.parametrize(("is_pooled", "verb"), [(False, "EXECUTE"), (True, "SELECT")])
def test_a_statement_of_ours_is_planned_with_its_places_by_name(settings, is_pooled, verb):
    settings.DATABASE_POOLED = is_pooled
    sql = "SELECT %(one)s::int + %(two)s::int, %(one)s::int, id FROM patients_patient WHERE id = ANY(%(ids)s)"
    patient = PatientFactory()
    with CaptureQueriesContext(connection) as asked:
        for one in (1, 7):
            values = {"two": 2, "one": one, "ids": [patient.pk, -1]}
            assert ask_planned(sql, values) == [(one + 2, one, patient.pk)]
    assert [query["sql"].split()[0] for query in asked.captured_queries] == [verb] * 2


def test_where_connections_are_pooled_nothing_is_left_on_them(settings, sms_channel):
    settings.DATABASE_POOLED = True
    row = InteractionFactory(channel=sms_channel)
    with CaptureQueriesContext(connection) as asked:
        assert Prepared(Interaction.objects.filter(pk=Given(0)), is_planned_once=True).one(row.pk) == row
    assert [query["sql"].split()[0] for query in asked.captured_queries] == ["SELECT"]


def test_what_is_given_to_one_row_can_be_narrowed_as_if_it_had_been_prefetched(django_assert_num_queries):
    patient = PatientFactory(phone="+13054440142", email="ana@example.org")
    points = ContactPoint.objects.filter(patient__any_of=Given(0)).order_by("scheme")
    with django_assert_num_queries(1):
        give_one(patient, "contact_points", "patient_id", Prepared(points))
        assert [point.scheme for point in patient.contact_points.all()] == ["email", "phone"]
        assert {point.patient for point in patient.contact_points.all()} == {patient}
    with django_assert_num_queries(1):
        assert [point.scheme for point in patient.contact_points.order_by("-scheme")] == ["phone", "email"]


def test_a_row_that_somebody_else_moved_on_meanwhile_is_not_saved_over_theirs(agent, sms_channel):
    row = InteractionFactory(channel=sms_channel, owner=agent, status="active")
    mine, theirs = (Prepared(Interaction.objects.filter(pk=Given(0))).one(row.pk) for _who in range(2))
    theirs.start_wrap_up()
    theirs.save()
    mine.start_wrap_up()
    with pytest.raises(ConcurrentTransition):
        mine.save()
