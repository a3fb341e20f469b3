"""One line over all sources: newest first, narrowed, and page by page without gap or repetition."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox.models import Interaction, Note
from patients.models import Alert
from patients.timeline import Look, Place, timeline_of
from tests.factories.care import AlertFactory, PendingResultFactory
from tests.factories.inbox import CaseFactory, InteractionFactory
from tests.factories.patients import ConsentFactory, PatientFactory

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def patient(db):
    return PatientFactory()


def ago(**span):
    return NOW - timedelta(**span)


@pytest.fixture
def life(patient, agent, sms_channel, whatsapp_channel):
    """A contact on each of two channels, a note, a case, a consent and an alert, an hour apart, newest first."""
    made = {}
    for hours, channel in ((1, sms_channel), (3, whatsapp_channel)):
        row = InteractionFactory(channel=channel, patient=patient, last_message_at=ago(hours=hours))
        made[f"contact{hours}"] = row
    note = Note.objects.create(interaction=made["contact1"], author=agent, body="Called back")
    Note.objects.filter(pk=note.pk).update(created_at=ago(hours=2))
    case = CaseFactory(patient=patient, owner=agent)
    type(case).objects.filter(pk=case.pk).update(created_at=ago(hours=4))
    ConsentFactory(patient=patient, recorded_at=ago(hours=5))
    alert = AlertFactory(patient=patient)
    Alert.objects.filter(pk=alert.pk).update(created_at=ago(days=3))
    return made


def kinds(user, patient, **look):
    return [entry.kind for entry in timeline_of(user, patient, Look(**look)).entries]


def test_everything_stands_in_one_line_newest_first(agent, patient, life):
    assert kinds(agent, patient) == ["contact", "note", "contact", "case", "record", "record"]


def test_it_is_narrowed_by_kind_channel_and_day(agent, patient, life):
    assert kinds(agent, patient, kind="record") == ["record", "record"]
    assert kinds(agent, patient, channel="sms") == ["contact", "note"]
    assert kinds(agent, patient, channel="whatsapp") == ["contact"]
    local = timezone.localdate
    assert kinds(agent, patient, until=local(ago(days=2))) == ["record"]
    assert kinds(agent, patient, since=local(ago(days=3)), until=local(ago(days=3))) == ["record"]
    assert kinds(agent, patient, kind="nonsense") == []


@pytest.mark.parametrize(("channel", "everything"), [("", 42), ("sms", 35)])
def test_pages_join_without_gap_or_repetition_even_within_one_moment(agent, patient, sms_channel, channel, everything):
    rows = [InteractionFactory(channel=sms_channel, patient=patient, last_message_at=NOW) for _ in range(25)]
    for row in rows[:10]:
        Note.objects.create(interaction=row, author=agent, body="x")
    Note.objects.update(created_at=NOW)
    for _ in range(7):
        AlertFactory(patient=patient)
    Alert.objects.update(created_at=NOW)
    seen, before = [], None
    for _ in range(20):
        line = timeline_of(agent, patient, Look(before=before, channel=channel), size=5)
        seen += [str(entry.place) for entry in line.entries]
        if line.older is None:
            break
        before = Place.read(str(line.older))
    assert (len(seen), len(set(seen))) == (everything, everything)


def test_a_deep_page_costs_as_many_questions_as_the_first(agent, patient, life):
    for _ in range(60):
        PendingResultFactory(patient=patient)
    counts = []
    before = None
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            before = timeline_of(agent, patient, Look(before=before)).older
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_others_queues_do_not_show_in_it(outsider, patient, life):
    assert kinds(outsider, patient) == ["record", "record"]
    Interaction.objects.update(owner=outsider)
    assert kinds(outsider, patient)[0] == "contact"


@pytest.mark.parametrize(
    "text", ["", "x", "1-contact", "1-Contact-1", "99999999999999999-contact-1", "1-a-b-2", "١-a-1"]
)
def test_a_place_that_nobody_made_is_no_place(text):
    assert Place.read(text) is None


def test_a_place_survives_its_own_text():
    place = Place(NOW + timedelta(microseconds=7), "contact", 12)
    assert Place.read(str(place)) == place


def test_a_day_without_end_is_no_trouble(agent, patient):
    assert kinds(agent, patient, since=date(1, 1, 2), until=date(9999, 12, 31)) == []
