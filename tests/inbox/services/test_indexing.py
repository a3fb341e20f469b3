"""Messages become findable: all of them, once, whatever the order of commits."""

import threading

import pytest
from django.db import connection, transaction

from inbox.models import IndexProgress, MessageWords
from inbox.services.indexing import index_messages
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.faults.stack import wait_until


def words(message):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(words) FROM inbox_messagewords WHERE message_id = %s", [message.pk])
        return cursor.fetchone()[0]


def settled(newest):
    """The index takes everything up to `newest` for settled, once whoever else writes on this server is done."""

    def is_settled():
        index_messages()
        return IndexProgress.objects.get().safe_id == newest

    return wait_until(is_settled, 60, "the index to settle") >= 0


@pytest.mark.django_db
def test_a_message_is_known_by_its_words_its_subject_and_its_senders_name():
    row = InteractionFactory(contact_name="Zoë Núñez")
    message = MessageFactory(interaction=row, subject="¿Mi CITA?", text="El día 9 a las 9:40, señora O'Brien-Łęcka 😀")
    assert index_messages() == 1
    expected = "40 9 a brien cita dia el las lecka mi nunez o senora zoe"
    assert sorted(words(message)) == expected.split()


@pytest.mark.django_db
def test_every_message_is_indexed_once_and_an_empty_one_too():
    messages = [MessageFactory(text="Hello"), MessageFactory(text="")]
    assert [index_messages(), index_messages()] == [2, 0]
    assert set(MessageWords.objects.values_list("pk", flat=True)) == {message.pk for message in messages}


@pytest.mark.django_db
def test_what_does_not_fit_into_one_batch_comes_with_the_next():
    for _ in range(5):
        MessageFactory()
    assert (index_messages(batch=2), MessageWords.objects.count()) == (5, 5)


@pytest.mark.django_db
def test_a_removed_message_takes_its_words_with_it():
    message = MessageFactory()
    index_messages()
    message.delete()
    assert MessageWords.objects.count() == 0


@pytest.mark.django_db
def test_a_text_of_a_megabyte_is_found_by_how_it_begins():
    message = MessageFactory(text="Anfang " + "wort " * 200_000)
    assert (index_messages(), words(message)[0]) == (1, "anfang")


@pytest.mark.django_db(transaction=True)
def test_a_message_that_commits_after_its_successors_were_indexed_is_not_forgotten():
    row = InteractionFactory()
    wrote, may_commit = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            MessageFactory(interaction=row, text="slow")
            wrote.set()
            may_commit.wait(20)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    wrote.wait(20)
    MessageFactory(interaction=row, text="quick")
    for _ in range(4):
        index_messages()
    before = MessageWords.objects.count()
    may_commit.set()
    thread.join()
    assert (before, index_messages(), MessageWords.objects.count()) == (1, 1, 2)


@pytest.mark.django_db(transaction=True)
def test_what_is_settled_is_not_looked_at_again():
    for _ in range(3):
        newest = MessageFactory().pk
        index_messages()
    assert settled(newest)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_was_restored_goes_on_being_indexed():
    IndexProgress.objects.update_or_create(pk=1, defaults={"mark_xid": 2**60})
    newest = MessageFactory().pk
    assert (settled(newest), MessageWords.objects.count()) == (True, 1)
