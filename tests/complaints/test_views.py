"""Pages of complaints through real HTTP: registering once, moving on, what is refused and kept."""

import html
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from complaints import views
from complaints.models import Complaint
from complaints.services import moves
from complaints.services.concluding import Step
from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from patients.models import Patient
from tests.factories.accounts import UserFactory
from tests.factories.complaints import ComplaintFactory
from tests.factories.patients import PatientFactory, RelatedPersonFactory

pytestmark = pytest.mark.django_db
WORDS = "Two people told me two things"
FORM = {
    "words": WORDS, "kind": "complaint", "category": "care", "severity": "high", "complainant": "patient",
    "protection": "none", "form_key": "k1",
}  # fmt: skip


def text_of(response):
    return html.unescape(response.content.decode())


def errors_in(response):
    return re.findall(r'class="field__error"[^>]*><svg.*?</svg><span>([^<]+)</span>', text_of(response))


def test_a_form_sent_twice_registers_once_and_leads_to_the_complaint(agent, talk, signed_in):
    browser, url = signed_in(agent), f"/complaints/new/?conversation={talk.pk}"
    page = text_of(browser.get(url))
    assert ("Vera Molina" in page, 'name="received_by"' in page, 'name="relative"' in page) == (True, False, False)
    answers = [browser.post(url, FORM) for _time in range(2)]
    row = Complaint.objects.get()
    assert [(one.status_code, one.url) for one in answers] == [(302, f"/complaints/{row.pk}/")] * 2
    assert (row.patient, row.owner, row.received_by, row.severity) == (talk.patient, agent, "sms", "high")
    opened = text_of(browser.get(answers[0].url))
    assert ("Registered as " + row.reference in opened, WORDS in opened) == (True, True)
    assert AuditEntry.objects.filter(object_type="complaint", action="viewed", object_id=row.pk).count() == 1


def test_from_the_patients_page_it_asks_how_it_came_and_which_relative(agent, patient, talk, signed_in):
    mother = RelatedPersonFactory(patient=patient, name="Ana Molina")
    browser, url = signed_in(agent), f"/complaints/new/?patient={patient.pk}"
    refused = browser.post(url, FORM | {"received_by": "letter", "complainant": "relative", "words": " "})
    assert (refused.status_code, sorted(errors_in(refused))) == (
        422,
        ["Choose who of the patient's relatives complains.", "Write down what they say."],
    )
    browser.post(url, FORM | {"received_by": "letter", "complainant": "relative", "relative": mother.pk})
    row = Complaint.objects.get()
    assert (row.received_by, row.relative, row.interaction) == ("letter", mother, None)
    opened = AuditEntry.objects.filter(object_type="patient", action="viewed", patient_id=patient.pk)
    assert set(opened.values_list("detail__reason", flat=True)) == {"complaint"}


def test_of_a_protected_record_the_form_shows_nothing_and_the_complaint_is_still_the_patients(agent, talk, signed_in):
    hidden = PatientFactory(given_name="Vera", sensitivity="vip")
    mother = RelatedPersonFactory(patient=talk.patient, name="Ana Molina", relative=hidden)
    browser, url = signed_in(agent), f"/complaints/new/?conversation={talk.pk}"
    assert ("Vera Molina" in text_of(browser.get(url)), "Ana Molina" in text_of(browser.get(url))) == (True, False)
    refused = browser.post(url, FORM | {"complainant": "relative", "relative": mother.pk})
    assert (refused.status_code, Complaint.objects.count()) == (422, 0)
    Patient.objects.filter(pk=talk.patient_id).update(sensitivity="vip")
    RelatedPersonFactory(patient=talk.patient, name="Eva Molina")
    page = text_of(browser.get(url))
    assert [word in page for word in ("Molina", talk.patient.mrn, "Protected record")] == [False, False, True]
    browser.post(url, FORM)
    assert Complaint.objects.get().patient == talk.patient


def test_a_letter_of_last_week_counts_from_then_and_none_comes_from_the_future(agent, patient, talk, signed_in):
    browser, url = signed_in(agent), f"/complaints/new/?patient={patient.pk}"
    at = timezone.localtime().replace(hour=12, minute=0) - timedelta(days=9)
    sent = FORM | {"received_by": "letter", "received_at": f"{at + timedelta(days=10):%Y-%m-%dT%H:%M}"}
    for wrong in (sent, sent | {"received_at": "0026-11-03T10:00"}):
        assert errors_in(browser.post(url, wrong)) == ["Enter a moment of the last ten years, not in the future."]
    browser.post(url, sent | {"received_at": f"{at:%Y-%m-%dT%H:%M}"})
    row = Complaint.objects.get()
    assert row.received_at == at.replace(second=0, microsecond=0)
    assert (row.acknowledge_by_at < timezone.now(), row.next_step_date) == (True, timezone.localdate())


def test_whoever_registers_a_protected_one_for_somebody_else_does_not_see_it_again(agent, talk, supervisor, signed_in):
    browser = signed_in(agent)
    sent = FORM | {"protection": "staff", "owner": supervisor.pk}
    answer = browser.post(f"/complaints/new/?conversation={talk.pk}", sent)
    row = Complaint.objects.get()
    assert (answer.url, row.owner, row.is_protected) == (f"/inbox/{talk.pk}/", supervisor, True)
    assert browser.get(f"/complaints/{row.pk}/").status_code == 404
    assert "Only those who handle it see it from now on." in text_of(browser.get(answer.url))


def test_the_form_asks_who_sees_to_one_about_staff_when_that_cannot_be_oneself(agent, talk, supervisor, signed_in):
    browser, url = signed_in(agent), f"/complaints/new/?conversation={talk.pk}"
    sent = FORM | {"protection": "staff", "about_staff": [agent.pk]}
    refused = browser.post(url, sent)
    assert (refused.status_code, errors_in(refused)) == (
        422,
        ["Choose somebody who handles complaints and of whom it does not speak."],
    )
    assert re.findall(r'<option value="(\d+)" selected', text_of(refused)) == [str(agent.pk)]
    browser.post(url, sent | {"owner": supervisor.pk})
    assert list(Complaint.objects.get().about_staff.all()) == [agent]


def test_hidden_patients_and_conversations_are_not_there_and_unknown_people_may_complain(outsider, talk, signed_in):
    browser = signed_in(outsider)
    hidden = PatientFactory(sensitivity="vip")
    urls = [f"/complaints/new/?{what}" for what in (f"conversation={talk.pk}", f"patient={hidden.pk}", "patient=x")]
    assert [browser.get(url).status_code for url in urls] == [404, 404, 404]
    browser.post("/complaints/new/", FORM | {"received_by": "in_person", "complainant": "anonymous"})
    assert Complaint.objects.get().patient is None


def test_a_move_without_its_note_keeps_what_was_typed_and_says_what_is_missing(supervisor, signed_in):
    row, browser = ComplaintFactory(), signed_in(supervisor)
    url, gone = f"/complaints/{row.pk}/acknowledge/", timezone.localdate().replace(year=2020)
    refused = browser.post(url, {"next_step": "Ask the desk", "next_step_date": gone.isoformat(), "note": ""})
    assert (refused.status_code, "Ask the desk" in text_of(refused)) == (422, True)
    assert sorted(errors_in(refused)) == [
        "Say in a sentence what was done or why.",
        "The date of the next step has passed.",
    ]
    day = timezone.localdate().isoformat()
    sent = {"next_step": "Ask the desk", "next_step_date": day, "note": "Called", "form_key": "k"}
    assert [browser.post(url, sent).status_code for _time in range(2)] == [302, 302]
    row.refresh_from_db()
    assert (row.status, row.next_step, row.events.count()) == ("acknowledged", "Ask the desk", 1)
    late = browser.post(url, sent | {"form_key": "other"})
    assert (late.status_code, "It is “Acknowledged” meanwhile" in text_of(late)) == (409, True)


def test_an_acknowledgement_that_was_promised_and_not_given_is_shown_as_late(supervisor, signed_in):
    late, kept, _soon = ComplaintFactory(status="escalated"), ComplaintFactory(), ComplaintFactory()
    Complaint.objects.exclude(pk=_soon.pk).update(acknowledge_by_at=timezone.now() - timedelta(minutes=1))
    Complaint.objects.filter(pk=kept.pk).update(acknowledged_at=timezone.now())
    browser, words = signed_in(supervisor), "Not acknowledged in time"
    pages = [text_of(browser.get(f"/complaints/{row.pk}/")).count(words) for row in (late, kept, _soon)]
    assert (pages, text_of(browser.get("/complaints/")).count(words)) == ([1, 0, 0], 1)


def looks_of(person):
    return AuditEntry.objects.filter(actor=person, object_type="complaint", action="viewed").count()


def test_every_answer_that_shows_a_complaint_is_on_record_also_a_refusal(supervisor, signed_in):
    row, browser = ComplaintFactory(status="triaged"), signed_in(supervisor)
    sent = {"next_step": "Ask", "next_step_date": timezone.localdate().isoformat(), "note": "Called"}
    shown = [browser.post(f"/complaints/{row.pk}/answer/", data) for data in ({}, sent)]
    assert [one.status_code for one in shown] == [422, 409]
    assert ([row.words in text_of(one) for one in shown], looks_of(supervisor)) == ([True, True], 2)


def test_whoever_only_reads_it_sends_no_move_and_sees_no_form(agent, second_agent, supervisor, talk, signed_in):
    row = ComplaintFactory(patient=talk.patient, owner=agent)
    url = f"/complaints/{row.pk}/acknowledge/"
    sent = {"next_step": "Ask", "next_step_date": timezone.localdate().isoformat(), "note": "Called"}
    assert [signed_in(second_agent).post(url, data).status_code for data in ({}, sent)] == [403, 403]
    assert looks_of(second_agent) == 0


@pytest.mark.parametrize(("protection", "status"), [("none", 422), ("staff", 404)])
def test_a_complaint_that_was_taken_away_meanwhile_is_not_shown_with_its_form(
    agent, supervisor, talk, signed_in, monkeypatch, protection, status
):
    row = ComplaintFactory(patient=talk.patient, owner=agent)

    def taken_away(**_given):
        Complaint.objects.filter(pk=row.pk).update(owner=supervisor, protection=protection)
        raise Refused("Only its owner")

    monkeypatch.setitem(views.MOVES, "acknowledge", views.MOVES["acknowledge"]._replace(do=taken_away))
    sent = {"next_step": "Ask", "next_step_date": timezone.localdate().isoformat(), "note": "Called"}
    answer = signed_in(agent).post(f"/complaints/{row.pk}/acknowledge/", sent)
    assert (answer.status_code, re.findall(r'id="move-(\w+)"', text_of(answer))) == (status, [])


def test_the_page_offers_what_may_be_done_now_and_by_whom(agent, second_agent, supervisor, talk, signed_in):
    row = ComplaintFactory(patient=talk.patient, owner=agent, kind="grievance", status="response_review")
    row.response, row.response_by, row.acknowledged_at = "We are sorry.", supervisor, timezone.now()
    row.save()

    def offered(person):
        return re.findall(r'id="move-(\w+)"', text_of(signed_in(person).get(f"/complaints/{row.pk}/")))

    assert offered(second_agent) == []
    assert offered(agent) == ["send_back", "escalate", "withdraw", "assign"]
    assert offered(supervisor) == ["send_back", "escalate", "withdraw", "assign", "link", "protect"]
    assert offered(UserFactory(role="admin"))[0] == "approve_response"
    step = Step("Call", timezone.localdate())
    moves.approve_response(actor=UserFactory(role="admin"), complaint_id=row.pk, note="Kind", step=step)
    assert offered(agent)[:2] == ["send_back", "answer"]


def test_the_figures_of_the_list_open_the_rows_they_count(supervisor, agent, signed_in):
    late, free = ComplaintFactory(), ComplaintFactory(protection="staff", severity="low", status="acknowledged")
    Complaint.objects.filter(pk=late.pk).update(next_step_date=timezone.localdate().replace(year=2020))
    Complaint.objects.filter(pk=free.pk).update(acknowledged_at=timezone.now())
    closed, browser = ComplaintFactory(status="closed"), signed_in(supervisor)
    long_closed = ComplaintFactory(status="closed", closed_at=timezone.now() - timedelta(days=9))

    def shown(query):
        return [int(pk) for pk in re.findall(r'id="complaint-(\d+)"', text_of(browser.get(f"/complaints/?{query}")))]

    page = text_of(browser.get("/complaints/"))
    counted = dict(re.findall(r'show=(\w+)"[^>]*>[^<]+<span class="count num">(\d+)', page))
    assert {name: len(shown(f"show={name}")) for name in counted} == {name: int(n) for name, n in counted.items()}
    assert counted == {
        "mine": "0",
        "open": "2",
        "overdue": "1",
        "unacknowledged": "1",
        "unowned": "0",
        "protected": "1",
    }
    assert shown("show=open") == [late.pk, free.pk]
    assert shown("show=open&severity=low") == [free.pk]
    assert shown("status=closed") == [closed.pk, long_closed.pk]
    assert shown(f"owner={free.owner_id}") == [free.pk]
    assert shown("due_by=2021-01-01") == [late.pk]
    assert shown("status=nonsense&show=nonsense") == [late.pk, free.pk, closed.pk, long_closed.pk]
    named = AuditEntry.objects.filter(action="searched", detail__what="complaints").first().detail["found"]
    assert named == sorted([late.patient_id, free.patient_id])


def test_who_does_not_handle_complaints_finds_their_own_first_and_more_when_they_ask(agent, auditor, talk, signed_in):
    mine, near = ComplaintFactory(owner=agent, protection="confidential"), ComplaintFactory(patient=talk.patient)
    ComplaintFactory(owner=agent, status="closed")
    browser = signed_in(agent)

    def shown(query):
        return [int(pk) for pk in re.findall(r'id="complaint-(\d+)"', text_of(browser.get(f"/complaints/{query}")))]

    assert (shown(""), shown("?show=open")) == ([mine.pk], [mine.pk, near.pk])
    assert f'data-live="agent.{agent.pk}:' in text_of(browser.get("/complaints/"))
    assert signed_in(auditor).get("/complaints/").status_code == 403


def test_the_conversation_the_record_and_the_rail_lead_to_complaints(agent, supervisor, talk, signed_in):
    browser, row = signed_in(agent), ComplaintFactory(patient=talk.patient)
    conversation = text_of(browser.get(f"/inbox/{talk.pk}/"))
    record = text_of(browser.get(f"/patients/{row.patient_id}/"))
    assert f'href="/complaints/new/?conversation={talk.pk}" data-key="f"' in conversation
    assert f"/patients/{row.patient_id}/pieces/complaints/" in conversation
    assert (f'href="/complaints/{row.pk}/"' in record, f"/complaints/new/?patient={row.patient_id}" in record) == (
        True,
        True,
    )
    rail = [
        'href="/complaints/"' in text_of(signed_in(one).get("/inbox/")).partition('class="topbar"')[0]
        for one in (agent, supervisor)
    ]
    assert rail == [True, True]
    assert Patient.objects.count() == 1
