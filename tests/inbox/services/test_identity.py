"""Nobody hears anything about a patient before they have proved who they are: counted, locked, and never overheard."""

from datetime import date, timedelta

import pytest
import responses
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from inbox.enums import IdentityOutcome, MessageStatus
from inbox.gate import decide
from inbox.models import Draft, IdentityCheck, Message, OneTimeCode
from inbox.selectors.gate_facts import facts_for
from inbox.selectors.identity import identity_of
from inbox.services.codes import MASK, MOST_TRIES, digits_of, new_code, try_code
from inbox.services.drafts import keep_draft
from inbox.services.identity import (
    Unverified,
    check_identity,
    check_identity_code,
    save_identity_policy,
    send_identity_code,
    unlock_identity,
)
from inbox.services.linking import link_patient
from inbox.services.outbound import outbound_of
from inbox.services.outbox import drain_outboxes
from inbox.services.processors import save_processor
from inbox.services.replies import reply
from inbox.services.uploads import keep_upload, mark_upload
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import ContactPointFactory, PatientFactory

pytestmark = pytest.mark.django_db
RIGHT = {"full_name": "Maria Quispe", "birth_date": "14 3 1967"}
WRONG = {"full_name": "Maria Quispe", "birth_date": "15 3 1967"}


@pytest.fixture
def patient():
    return PatientFactory(given_name="María", family_name="Quispe Rojas", birth_date=date(1967, 3, 14), language="es")


@pytest.fixture
def talk(patient, sms_channel, agent):
    return InteractionFactory(channel=sms_channel, contact_value="+13055550123", patient=patient, owner=agent)


def check(talk, agent, answers=RIGHT):
    return check_identity(actor=agent, interaction_id=talk.pk, answers=answers)


def test_two_agreeing_answers_confirm_the_person_for_half_an_hour(talk, agent, time_machine):
    time_machine.move_to("2026-03-11T16:00:00+00:00", tick=False)
    found = check(talk, agent)
    assert (found.outcome, found.identifiers, found.checked_by) == ("passed", ["birth_date", "full_name"], agent)
    state = identity_of(talk)
    assert (state.state, state.expires_at) == ("verified", timezone.now() + timedelta(minutes=30))
    time_machine.move_to("2026-03-11T16:30:01+00:00", tick=False)
    assert identity_of(talk).state == "unverified"


def test_neither_what_was_said_nor_which_answer_was_wrong_is_kept(talk, agent):
    check(talk, agent, WRONG)
    row = IdentityCheck.objects.values().get()
    entry = AuditEntry.objects.filter(action="access_denied").values().get()
    event = talk.timeline_events.values().get()
    assert not any(word in str([row, entry, event]) for word in ("15 3", "Maria Quispe", "1967"))


def test_fewer_answers_than_required_are_no_attempt(talk, agent):
    with pytest.raises(Refused, match="Ask for 2"):
        check(talk, agent, {"full_name": "Maria Quispe", "birth_date": " ", "shoe_size": "42"})
    assert IdentityCheck.objects.count() == 0


def test_three_failures_lock_the_check_leave_a_task_and_a_supervisor_unlocks_it(talk, agent, supervisor):
    for left in (2, 1, 0):
        check(talk, agent, WRONG)
        assert identity_of(talk).tries_left == left
    assert identity_of(talk).state == "locked"
    with pytest.raises(Refused, match="supervisor"):
        check(talk, agent)
    assert list(talk.tasks.values_list("is_blocking", flat=True)) == [True]
    with pytest.raises(Refused, match="Only a supervisor"):
        unlock_identity(actor=agent, interaction_id=talk.pk)
    unlock_identity(actor=supervisor, interaction_id=talk.pk)
    assert (identity_of(talk).state, check(talk, agent).outcome) == ("unverified", "passed")


def test_linking_to_somebody_else_neither_keeps_the_mark_nor_forgets_the_failures(talk, agent):
    check(talk, agent)
    other = PatientFactory()
    link_patient(actor=agent, interaction_id=talk.pk, patient=other)
    talk.refresh_from_db()
    assert identity_of(talk).state == "unverified"
    check(talk, agent, WRONG)
    check(talk, agent, WRONG)
    link_patient(actor=agent, interaction_id=talk.pk, patient=PatientFactory())
    check(talk, agent, WRONG)
    talk.refresh_from_db()
    assert identity_of(talk).state == "locked"


def test_an_admin_sets_how_many_of_which_and_for_how_long(talk, agent, admin):
    rules = {"valid_minutes": 5, "most_failures": 1, "unchecked": "refuse"}
    with pytest.raises(Refused, match="at least as many"):
        save_identity_policy(actor=admin, required_count=3, kinds=["full_name"], **rules)
    save_identity_policy(actor=admin, required_count=1, kinds=["mrn", "full_name"], **rules)
    assert check(talk, agent, {"mrn": talk.patient.mrn.lower()}).outcome == "passed"
    with pytest.raises(Refused):
        check(talk, agent, {"birth_date": "14 3 1967"})


def test_a_code_goes_to_a_verified_address_only_and_nobody_here_reads_it(talk, patient, agent, twilio_accepts):
    point = ContactPointFactory(patient=patient, value="+13055550199", verified_at=timezone.now())
    other = ContactPointFactory(patient=patient, value="+13055550188")
    for wrong in (other.pk, 0, ContactPointFactory(verified_at=timezone.now()).pk):
        with pytest.raises(Refused, match="verified"):
            send_identity_code(actor=agent, interaction_id=talk.pk, contact_point_id=wrong)
    code = send_identity_code(actor=agent, interaction_id=talk.pk, contact_point_id=point.pk)
    drain_outboxes()
    digits = digits_of(code)
    message = Message.objects.get()
    assert (len(digits), MASK in message.text, message.address, message.status) == (6, True, "+13055550199", "sent")
    assert [body.count(digits) for body in twilio_accepts] == [1]
    stored = str([*Message.objects.values(), *OneTimeCode.objects.values(), *AuditEntry.objects.values()])
    assert stored.count(digits) == 0
    assert (
        check_identity_code(actor=agent, interaction_id=talk.pk, given=f"{digits[:3]} {digits[3:]}").outcome == "passed"
    )
    assert identity_of(talk).is_verified


def test_a_code_is_good_once_for_ten_minutes_and_three_tries(talk, agent, time_machine):
    time_machine.move_to("2026-03-11T16:00:00+00:00", tick=False)

    def fresh(address):
        return new_code(use="portal", scheme="phone", address=address, language="en")

    once = fresh("+13055550001")
    assert [try_code(once.pk, digits_of(once)) for _turn in range(2)] == [True, False]
    tried = fresh("+13055550002")
    assert [try_code(tried.pk, "000000x") for _turn in range(MOST_TRIES)] == [False] * MOST_TRIES
    assert try_code(tried.pk, digits_of(tried)) is False
    late = fresh("+13055550003")
    time_machine.move_to("2026-03-11T16:10:00+00:00", tick=False)
    assert try_code(late.pk, digits_of(late)) is False


def test_an_address_gets_three_codes_in_a_quarter_of_an_hour_and_ten_in_a_day(time_machine):
    given = {"use": "portal", "scheme": "phone", "address": "+13055550001", "language": "en"}
    made = 0
    for quarter in range(6):
        time_machine.move_to(f"2026-03-11T{10 + quarter}:00:00+00:00", tick=False)
        row = [new_code(**given) for _turn in range(4)]
        assert row[3] is None
        made += sum(code is not None for code in row)
    assert made == 10
    assert new_code(**given | {"use": "identity"}) is not None


def test_sensitive_words_stay_here_and_only_a_link_leaves(talk, agent, twilio_accepts, settings):
    check(talk, agent)
    sent = reply(actor=agent, interaction_id=talk.pk, text="Your biopsy is benign.", is_sensitive=True)
    drain_outboxes()
    sent.refresh_from_db()
    url = settings.PUBLIC_BASE_URL + reverse("my:message", args=[sent.public_id])
    from urllib.parse import parse_qs

    [body] = [parse_qs(one)["Body"][0] for one in twilio_accepts]
    assert (sent.status, "biopsy" in body, body.endswith(url)) == (MessageStatus.SENT, False, True)


def test_without_a_check_sensitive_words_are_sent_only_by_who_takes_it_on(talk, agent, admin):
    given = {"actor": agent, "interaction_id": talk.pk, "text": "Benign.", "is_sensitive": True}
    with pytest.raises(Unverified):
        reply(**given)
    assert reply(**given, is_unchecked_taken_on=True).is_sensitive is True
    rules = {"required_count": 2, "kinds": ["full_name", "birth_date"], "valid_minutes": 5, "most_failures": 3}
    save_identity_policy(actor=admin, unchecked="refuse", **rules)
    with pytest.raises(Refused, match="Confirm who this is"):
        reply(**given, is_unchecked_taken_on=True)


def test_sensitive_words_need_a_patient_and_go_to_nobody_else(email_channel, agent, patient):
    stranger = InteractionFactory(channel=email_channel, owner=agent)
    with pytest.raises(Refused, match="Link the patient"):
        reply(actor=agent, interaction_id=stranger.pk, text="x", is_sensitive=True, is_unchecked_taken_on=True)
    known = InteractionFactory(channel=email_channel, owner=agent, patient=patient)
    with pytest.raises(Refused, match="alone"):
        given = {"text": "x", "is_sensitive": True, "is_unchecked_taken_on": True, "cc": ["b@example.org"]}
        reply(actor=agent, interaction_id=known.pk, **given)


def test_a_doubtful_send_of_a_link_is_found_in_the_providers_list(talk, agent, twilio_api):
    """What the provider lists is what left, not what the thread shows."""
    check(talk, agent)
    sent = reply(actor=agent, interaction_id=talk.pk, text="Benign.", is_sensitive=True)
    twilio_api.add(responses.POST, twilio_api.messages_url, json={"code": 20500}, status=500)
    drain_outboxes()
    sent.refresh_from_db()
    assert (sent.status, "Benign" in outbound_of(sent).text) == (MessageStatus.SENDING, False)


def test_the_dialog_shows_nothing_of_the_record_and_forgets_wrong_answers(talk, agent, signed_in):
    page, url = signed_in(agent), reverse("inbox:identity", args=[talk.pk])
    beside = page.get(reverse("inbox:side", args=[talk.pk])).content.decode()
    asked = beside + page.get(url, headers={"HX-Request": "true", "HX-Target": "dialogs"}).content.decode()
    answer = page.post(url, WRONG, headers={"HX-Request": "true", "HX-Target": "dialogs"})
    shown = answer.content.decode()
    assert (answer.status_code, "1967" in asked + shown, "Maria" in shown) == (422, False, False)
    assert "2 attempts are left." in shown
    assert page.post(url, RIGHT).status_code == 302
    mark = page.get(reverse("inbox:interaction", args=[talk.pk])).content.decode()
    assert "Verified until" in mark
    assert IdentityCheck.objects.filter(outcome=IdentityOutcome.PASSED).count() == 1


def test_the_reply_box_asks_before_it_sends_sensitive_words_unchecked(talk, agent, signed_in):
    MessageFactory(interaction=talk, address="+13055550123")
    page, url = signed_in(agent), reverse("inbox:compose", args=[talk.pk])
    given = {"mode": "sms", "text": "Benign.", "sensitive": "on"}
    refused = page.post(url, given)
    shown = refused.content.decode()
    assert (refused.status_code, shown.count('name="unchecked"'), "Benign." in shown) == (422, 1, True)
    page.post(url, given | {"unchecked": "on"})
    assert list(Message.objects.filter(direction="outbound").values_list("text", "is_sensitive")) == [("Benign.", True)]
    thread = page.get(reverse("inbox:interaction", args=[talk.pk])).content.decode()
    assert (thread.count("Benign."), thread.count("Only a link left")) == (2, 1)  # in the list's row and in the thread


def test_what_is_sensitive_stays_so_through_drafts_dialogs_and_undo(talk, agent, signed_in):
    MessageFactory(interaction=talk, address="+13055550123")
    check(talk, agent)
    page = signed_in(agent)
    keep_draft(actor=agent, interaction_id=talk.pk, mode="sms!", text="Benign.")
    shown = page.get(reverse("inbox:interaction", args=[talk.pk])).content.decode()
    assert ('name="sensitive" checked' in shown, 'value="sms" checked' in shown) == (True, True)
    compose = reverse("inbox:compose", args=[talk.pk])
    asked = page.post(compose, {"mode": "sms", "text": "Benign.", "sensitive": "on", "do": "later"}).content.decode()
    assert asked.count('<input type="hidden" name="sensitive" value="on">') == 1
    page.post(compose, {"mode": "sms", "text": "Benign.", "sensitive": "on", "do": "schedule", "when": "tomorrow"})
    message = Message.objects.get(direction="outbound")
    assert (message.is_sensitive, message.scheduled_at is not None) == (True, True)
    page.post(reverse("inbox:take-back", args=[message.pk]))
    assert Draft.objects.get().is_sensitive is True


def test_a_file_with_health_information_asks_for_a_check_too_and_may_wait_behind_a_link(
    talk, agent, admin, sms_channel
):
    file = SimpleUploadedFile("result.txt", b"plain words", "text/plain")
    row = keep_upload(actor=agent, interaction_id=talk.pk, upload=file)
    mark_upload(actor=agent, upload_id=row.pk, is_sensitive=True)
    given = {"actor": agent, "interaction_id": talk.pk, "text": "Here", "upload_ids": [row.pk]}
    with pytest.raises(Unverified):
        reply(**given)
    check(talk, agent)
    carrier = {"name": "Carrier", "region": "US", "agreement_date": None, "may_carry_patient_data": False}
    save_processor(actor=admin, channels=[sms_channel], **carrier)
    with pytest.raises(Refused, match="may not carry"):
        reply(**given)
    behind_link = reply(**given, is_sensitive=True)
    assert (decide(facts_for(behind_link)).decision, outbound_of(behind_link).media_urls) == ("send", ())
