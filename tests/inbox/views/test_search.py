"""Searching: the whole desk and one view of the list. Who is found, who is not, what is shown, what is left behind."""

import pytest
from django.db import connection
from django.urls import reverse

from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditEntry
from inbox.selectors import search as selector
from inbox.services import searching
from inbox.services.indexing import index_messages
from tests.factories.inbox import CaseFactory, InteractionFactory, MessageFactory, ReasonFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "div#find-results"}


def find(client, text):
    answer = client.post(reverse("inbox:find"), {"q": text}, headers=HTMX)
    assert answer.status_code == 200
    return answer


def ids(answer):
    return [hit.interaction.pk for hit in answer.context["found"].conversations]


def in_list(client, text, view="mine"):
    answer = client.post(reverse("inbox:search"), {"q": text, "view": view}, follow=True)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["page"].object_list], answer


@pytest.fixture
def maria(db):
    return PatientFactory(given_name="María José", family_name="Núñez", mrn="P-00421", phone="+13055550142")


@pytest.fixture
def talk(maria, agent, sms_channel):
    row = InteractionFactory(
        channel=sms_channel, owner=agent, patient=maria, contact_value="+13055550142", reference="F-7K2M9QX"
    )
    MessageFactory(interaction=row, text="¿Puedo tomar la metformina antes de la resonancia?")
    index_messages()
    return row


@pytest.mark.parametrize("text", ["maria nunez", "NÚÑEZ", "jose", "P-00421", "p-00421", "(305) 555-0142", "555 0142"])
def test_a_patient_is_found_by_name_number_and_record_in_any_spelling(text, agent, maria, talk, signed_in):
    found = find(signed_in(agent), text).context["found"]
    assert ([patient.pk for patient in found.patients], found.newest_of) == ([maria.pk], {maria.pk: talk.pk})


@pytest.mark.parametrize("text", ["Marai Nuñez", "Nunes", "Maria Nunnez", "Jsoe Nunez"])
def test_a_patient_is_found_in_spite_of_a_slip(text, agent, maria, signed_in):
    PatientFactory(given_name="Wolfgang", family_name="Brandt")
    assert find(signed_in(agent), text).context["found"].patients == [maria]


@pytest.mark.parametrize("text", ["metformina", "METFORMÍNA", "resonancia metformina", "metfor", "¿Puedo tomar"])
def test_a_conversation_is_found_by_the_words_of_its_messages(text, agent, talk, signed_in):
    assert ids(find(signed_in(agent), text)) == [talk.pk]


@pytest.mark.parametrize("text", ["F-7K2M9QX", "f-7k2m9qx", "+1 305 555 0142"])
def test_a_conversation_is_found_by_receipt_and_address(text, agent, talk, signed_in):
    assert ids(find(signed_in(agent), text)) == [talk.pk]


def test_a_stranger_is_found_by_a_part_of_the_number_and_by_name(agent, sms_channel, signed_in):
    row = InteractionFactory(channel=sms_channel, contact_value="+17865559876", contact_name="Zoë Kowalczyk")
    MessageFactory(interaction=row, text="Hello?")
    index_messages()
    client = signed_in(agent)
    assert [ids(find(client, text)) for text in ("5559876", "9876", "zoe kowal")] == [[row.pk]] * 3


def test_a_case_is_found_by_its_reference_and_by_its_patient(agent, maria, talk, signed_in):
    case = CaseFactory(reference="K-2345678", owner=agent, patient=maria, title="Authorisation of the scan")
    talk.case = case
    talk.save()
    client = signed_in(agent)
    for text in ("K-2345678", "k-2345", "maria nunez"):
        found = find(client, text).context["found"]
        assert (found.cases, found.newest_in) == ([case], {case.pk: talk.pk})


def test_the_newest_message_of_a_conversation_is_shown_with_its_words_marked(agent, talk, signed_in):
    MessageFactory(interaction=talk, text="Sobre la metformina: <b>media</b> pastilla & agua")
    index_messages()
    page = find(signed_in(agent), "metfor").content.decode()
    assert "Sobre la <mark>metformina</mark>: &lt;b&gt;media&lt;/b&gt; pastilla &amp; agua" in page


def test_the_results_are_options_of_one_listbox(agent, talk, signed_in):
    page = find(signed_in(agent), "maria").content.decode()
    assert page.strip().startswith('<div id="find-results" class="find" role="listbox"')
    assert f'role="option" aria-selected="false" tabindex="-1" href="/inbox/{talk.pk}/"' in page


# ---- who may find what ----
def test_what_lies_in_another_queue_is_not_found(outsider, talk, signed_in):
    client = signed_in(outsider)
    assert [ids(find(client, text)) for text in ("metformina", "F-7K2M9QX", "+13055550142")] == [[], [], []]
    assert find(client, "maria").context["found"].newest_of == {}


def test_a_partner_finds_nobody_beyond_their_work_and_nothing_sensitive(
    partner_agent, partner_queue, talk, sms_channel, signed_in
):
    secret = InteractionFactory(
        channel=sms_channel, queue=partner_queue, reason=ReasonFactory(is_sensitive=True), reference="F-2222222"
    )
    MessageFactory(interaction=secret, text="metformina")
    ours = InteractionFactory(channel=sms_channel, queue=partner_queue)
    MessageFactory(interaction=ours, text="metformina")
    index_messages()
    client = signed_in(partner_agent)
    assert ids(find(client, "metformina")) == [ours.pk]
    assert (ids(find(client, "F-2222222")), find(client, "maria").context["found"].patients) == ([], [])
    case = CaseFactory(reference="K-9999999", queue=partner_queue, reason=secret.reason)
    assert (find(client, "K-9999999").context["found"].cases, case.queue) == ([], partner_queue)


def test_people_without_the_desk_cannot_search(auditor, signed_in):
    assert signed_in(auditor).post(reverse("inbox:find"), {"q": "maria"}).status_code == 403


# ---- what a search leaves behind ----
def test_a_search_leaves_one_trace_with_ids_and_without_the_text(agent, maria, talk, signed_in):
    find(signed_in(agent), "maria nunez metformina")
    find(signed_in(agent), "Nunez")
    entry = AuditEntry.objects.filter(action=AuditAction.SEARCHED).latest("pk")
    assert (entry.actor, entry.detail) == (agent, {"found": [maria.pk], "interactions": [], "cases": []})
    assert AuditEntry.objects.filter(action=AuditAction.SEARCHED).count() == 2
    assert "nunez" not in str(list(AuditEntry.objects.values_list("detail", flat=True))).lower()


def test_the_text_stands_in_no_address(agent, talk, signed_in):
    _rows, answer = in_list(signed_in(agent), "Nunez")
    addresses = [url for url, _status in answer.redirect_chain]
    assert ["unez" in url for url in addresses] == [False]
    assert "unez" not in answer.content.decode().split('id="list"')[1].split("data-refetch-url")[1].split(">")[0]


# ---- bad input ----
@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "😀", "%", "😀😀😀", "\x00\x00", "¿?", "'", "--", "7"],
)
def test_too_little_to_search_for_says_so_and_leaves_no_trace(text, agent, talk, signed_in):
    page = find(signed_in(agent), text).content.decode()
    told = "Type at least two letters or digits." if text.strip("\x00 ") else "Name, number, receipt, case"
    assert (told in page, AuditEntry.objects.filter(action=AuditAction.SEARCHED).count()) == (True, 0)


@pytest.mark.parametrize(
    "text",
    [
        "metformina' OR 1=1 --", "a & b | !c <-> d", "((((((", "%_%_ab", "\\", "x" * 300, "ab " * 100, "a:* & b:*",
        "'; DROP TABLE inbox_message; --", "[a-z]+.*(x)?", "😀 metformina 😀", "K-", "+1", "00000000", "１２３４５６",
        "@", "a@b", "مرحبا بك", "日本語", "\u202eabc", "a\x00b", "-1", "1e400", "ß" * 200,
    ],
)  # fmt: skip
def test_no_text_breaks_a_search(text, agent, talk, signed_in):
    client = signed_in(agent)
    answer = find(client, text)
    rows, listed = in_list(client, text)
    assert (answer.context["found"].late, listed.context["view"].key == "mine") == ([], True)
    expected = {"😀 metformina 😀": [talk.pk]}
    assert (rows if selector.clean(text) else []) == expected.get(text, [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM inbox_message")
        assert cursor.fetchone()[0] == 1


# ---- time ----
def test_a_group_whose_time_runs_out_is_named_and_the_others_stand(agent, maria, talk, signed_in, monkeypatch):
    def slow(*args, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(3)")

    monkeypatch.setattr(searching, "BUDGET", 200)
    monkeypatch.setattr(selector, "find_conversations", slow)
    answer = find(signed_in(agent), "maria")
    found = answer.context["found"]
    assert (found.patients, found.late) == ([maria], ["Conversations"])
    assert "The search took too long for: Conversations." in answer.content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] == "15s"


def test_the_list_shows_what_it_has_when_messages_take_too_long(agent, talk, signed_in, monkeypatch):
    from inbox.views import lists

    def slow(found, *args, **kwargs):
        return found.extra(where=["pg_sleep(3) IS NOT NULL"])

    monkeypatch.setattr(lists, "LIST_BUDGET", 200)
    monkeypatch.setattr(selector, "matching", slow)
    rows, answer = in_list(signed_in(agent), "maria")
    assert (rows, "The search took too long." in answer.content.decode()) == ([talk.pk], True)


# ---- in a view ----
@pytest.mark.parametrize("text", ["metformina", "Núñez", "P-00421", "0142", "f-7k2m9qx", "Nunes"])
@pytest.mark.parametrize("view", ["mine", "open", "closed"])
def test_a_view_is_searched_by_name_number_receipt_and_words(text, view, agent, talk, sms_channel, signed_in):
    if view == "closed":
        type(talk).objects.filter(pk=talk.pk).update(closed_at=talk.opened_at)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE inbox_interaction SET status = 'closed' WHERE id = %s", [talk.pk])
    InteractionFactory(channel=sms_channel, owner=agent)
    assert in_list(signed_in(agent), text, view)[0] == [talk.pk]


def test_a_row_that_was_found_shows_the_words_it_was_found_by(agent, talk, signed_in):
    _rows, answer = in_list(signed_in(agent), "resonancia")
    row = answer.content.decode().split(f'id="row-{talk.pk}"')[1].split("</li>")[0]
    assert "antes de la <mark>resonancia</mark>?" in row


def test_a_search_asks_as_many_questions_for_fifty_rows_as_for_one(
    agent, sms_channel, signed_in, django_assert_max_num_queries
):
    client = signed_in(agent)

    def add(count):
        for _ in range(count):
            row = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
            MessageFactory(interaction=row, text="metformina")
        index_messages()

    def once():
        with django_assert_max_num_queries(90) as captured:
            rows, _answer = in_list(client, "metformina")
        return len(captured), len(rows)

    def asked():
        return min(once() for _ in range(3))  # what is known for some seconds is asked again when they are over

    add(1)
    one = asked()
    add(49)
    assert (one[1], asked()) == (1, (one[0], 50))
    with django_assert_max_num_queries(60):
        find(client, "metformina")
