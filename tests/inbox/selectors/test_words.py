"""Words in messages are found newest first, however rare they are and wherever they lie."""

import pytest

from inbox.models import Interaction
from inbox.selectors import search
from inbox.services.indexing import index_messages
from tests.factories.inbox import InteractionFactory, MessageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def talks(sms_channel):
    """Nine conversations that name the word, the newest first, among others that do not."""
    found = []
    for number in range(9):
        row = InteractionFactory(channel=sms_channel)
        MessageFactory(interaction=row, text=f"the gastroscopy {number}")
        MessageFactory(interaction=InteractionFactory(channel=sms_channel), text="another matter")
        found.insert(0, row.pk)
    while index_messages():
        pass
    return found


@pytest.mark.parametrize("rare", [1, 5, 100])
@pytest.mark.parametrize(("span", "estimate"), [(1, 0), (4, 0), (1000, 0), (4, 10**6), (1000, 10**6)])
def test_all_of_them_come_newest_first_by_whichever_way(talks, monkeypatch, rare, span, estimate):
    monkeypatch.setattr(search, "RARE", rare)
    monkeypatch.setattr(search, "SPAN", span)
    monkeypatch.setattr(search, "CHUNK", 3)
    monkeypatch.setattr(search, "FIRST", 2)
    monkeypatch.setattr(search, "_estimate", lambda text: estimate)
    found = list(search.find_words(search.seen_in(Interaction.objects.all()), "gastroscopy", limit=3))
    assert found == talks[:3]


def test_a_word_that_nobody_wrote_costs_two_statements(talks, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert search.find_words(search.seen_in(Interaction.objects.all()), "zzyzx", limit=8) == {}
