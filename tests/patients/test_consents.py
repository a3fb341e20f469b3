"""The patient's word: the latest counts, the earlier ones stay, and the words shown are kept with it."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from patients.models import Consent, ConsentText
from patients.selectors.consents import consent_grid, present_texts, word_on
from patients.services.consents import publish_consent_text, record_consent
from tests.factories.patients import ConsentFactory, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient():
    return PatientFactory(language="es")


def said(patient, agent, **fields):
    given = {"purpose": "reminders", "channel_kind": "sms", "status": "granted", "source": "phone call"} | fields
    return record_consent(actor=agent, patient_id=patient.pk, **given)


def test_a_word_on_every_way_counts_until_a_later_one_on_this_way(patient, agent):
    said(patient, agent, channel_kind="", status="withdrawn")
    assert [word_on(patient.pk, "reminders", kind) for kind in ("sms", "email")] == [False, False]
    said(patient, agent, channel_kind="sms")
    assert [word_on(patient.pk, "reminders", kind) for kind in ("sms", "email")] == [True, False]
    said(patient, agent, channel_kind="", status="withdrawn")
    assert [word_on(patient.pk, "reminders", kind) for kind in ("sms", "email")] == [False, False]
    assert word_on(patient.pk, "surveys", "sms") is None


def test_the_grid_shows_the_same_words_as_the_gate_asks_for(patient, agent):
    said(patient, agent, channel_kind="")
    said(patient, agent, channel_kind="email", status="withdrawn")
    said(patient, agent, purpose="recording", channel_kind="voice")
    shown = {
        (purpose.value, kind.value): row.status == "granted"
        for purpose, cells in consent_grid(patient)
        for kind, row in cells
        if row is not None
    }
    asked = {
        (purpose.value, kind.value): word_on(patient.pk, purpose, kind)
        for purpose, cells in consent_grid(patient)
        for kind, _row in cells
    }
    assert shown == {key: word for key, word in asked.items() if word is not None}
    assert len(shown) == 5


def test_a_published_text_never_changes_and_the_next_one_takes_its_place(patient, admin, agent):
    first = publish_consent_text(actor=admin, purpose="surveys", language="es", text="¿Podemos preguntarle?")
    again = publish_consent_text(actor=admin, purpose="surveys", language="es", text=" ¿Podemos preguntarle? ")
    kept = said(patient, agent, purpose="surveys", text=first)
    second = publish_consent_text(actor=admin, purpose="surveys", language="es", text="¿Le podemos preguntar?")
    assert (again.pk, second.version, present_texts("es-PE")["surveys"]) == (first.pk, 2, second)
    kept.refresh_from_db()
    assert (kept.text.text, kept.text_version) == ("¿Podemos preguntarle?", "es-1")


def test_where_a_text_is_not_in_the_patients_language_the_english_one_is_shown(admin):
    english = publish_consent_text(actor=admin, purpose="care", language="en", text="May we write to you?")
    assert present_texts("pt") == {"care": english}


def test_only_those_who_configure_publish(agent, supervisor):
    for person in (agent, supervisor):
        with pytest.raises(PermissionDenied):
            publish_consent_text(actor=person, purpose="care", language="en", text="x")
    assert ConsentText.objects.count() == 0


@pytest.mark.parametrize(
    "wrong", [{"purpose": "gossip"}, {"channel_kind": "pigeon"}, {"status": "perhaps"}, {"purpose": "care"}]
)
def test_a_word_that_makes_no_sense_is_refused(patient, agent, admin, wrong):
    text = publish_consent_text(actor=admin, purpose="surveys", language="en", text="May we ask?")
    with pytest.raises(ValidationError):
        said(patient, agent, **({"purpose": "surveys", "text": text} | wrong))
    assert Consent.objects.count() == 0


def test_an_agent_writes_down_what_was_said_with_the_text_read_out(patient, agent, admin, signed_in):
    text = publish_consent_text(actor=admin, purpose="surveys", language="es", text="¿Podemos preguntarle?")
    page, url = signed_in(agent), reverse("patients:consents", args=[patient.pk])
    answers = {"purpose": "surveys", "channel_kind": "sms", "status": "withdrawn", "source": "phone call"}
    assert page.post(url, answers | {"was_shown": "on"}).status_code == 302
    row = Consent.objects.get()
    assert (row.status, row.source, row.text, row.recorded_by) == ("withdrawn", "phone call", text, agent)
    shown = page.get(url).content.decode()
    assert (shown.count("¿Podemos preguntarle?"), shown.count("es-1")) == (2, 2)


def test_a_wrong_answer_comes_back_at_its_field_with_what_was_typed(patient, agent, signed_in):
    url = reverse("patients:consents", args=[patient.pk])
    answer = signed_in(agent).post(url, {"purpose": "surveys", "channel_kind": "pigeon", "status": "granted"})
    assert (answer.status_code, sorted(answer.context["form"].errors)) == (422, ["channel_kind", "source"])


def test_the_history_is_asked_in_the_same_number_of_queries_for_one_and_for_many(
    patient, agent, signed_in, django_assert_num_queries
):
    client, url = signed_in(agent), reverse("patients:consents", args=[patient.pk])
    counts = []
    for _turn in range(2):
        ConsentFactory.create_batch(3, patient=patient, recorded_by=agent)
        client.get(url)
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as asked:
            client.get(url)
        counts.append(len(asked))
    assert counts[0] == counts[1]
