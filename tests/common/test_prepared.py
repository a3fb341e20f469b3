"""Questions that are put together once say what the ORM says."""

import pytest
from django.db.models import Q
from django.utils import timezone

from contact_center.common.prepared import Given, Prepared, prepared
from inbox.models import Interaction, Message
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


def test_rows_come_with_what_is_selected_beside_them_in_one_statement(agent, sms_channel, django_assert_num_queries):
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory(given_name="Ana"))
    question = Prepared(Interaction.objects.filter(pk=Given(0)).select_related("patient", "owner", "case"))
    with django_assert_num_queries(1):
        found = question.one(row.pk)
        assert (found, found.patient.given_name, found.owner, found.case) == (row, "Ana", agent, None)


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
