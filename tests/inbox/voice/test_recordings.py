"""Recordings: of whom, with what consent, paused when, kept how, and heard by whom."""

import hashlib
import io
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from contact_center.accounts.services import set_presence
from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from contact_center.simulator.recordings import tone
from inbox.adapters.base import AdapterError, FetchedMedia
from inbox.adapters.twilio_voice import TwilioVoiceAdapter
from inbox.enums import PauseReason
from inbox.models import Attachment, Call, Message, Recording
from inbox.selectors.voice_lines import Line, RecordingMode, forget_lines
from inbox.services import call_control, call_placing, recording_store, recordings
from inbox.services.attachments import fetch_attachments
from inbox.services.call_offers import watch_calls
from inbox.services.ledger import drain_ledger
from inbox.services.provider_copies import forget_copies
from patients import duties
from patients.services.erasure import take_away
from tests.factories.inbox import InteractionFactory
from tests.factories.voice import CallFactory, RecordingFactory

pytestmark = pytest.mark.django_db
TOLD = "This call is recorded, and a supervisor may listen, so that we serve you well."


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def records(line):
    """`records("announce", …)` sets the line."""

    def make(mode, **given):
        for name, value in ({"recording": mode} | given).items():
            setattr(line, name, value)
        line.save()
        forget_lines()
        return line

    yield make
    forget_lines()


@pytest.fixture
def talk(caller, provider, agent, records, django_capture_on_commit_callbacks):
    """`talk(mode, …)` is a caller, told or asked as the line says, who talks to `agent`."""

    def make(mode="announce", key="1", **given):
        records(mode, **given)
        set_presence(user=agent, state="online")
        caller.dial()
        caller.press("1")
        caller.press("1")
        caller.follow()
        if mode == "ask":
            caller.press(key)
        caller.follow()
        call = caller.settle()
        watch_calls()
        return call_control.accept_call(actor=agent, call_id=call.pk)

    return make


def asked(provider, *names):
    return [one[0] for one in provider.asked if one[0] in names]


def moments(call):
    return list(call.moments.values_list("kind", "detail"))


@pytest.mark.parametrize(
    ("number", "queue", "mode"),
    [
        ("+13055550123", 1, "announce"),
        ("+4930123456", 1, "ask"),
        ("+4989123456", 1, "off"),
        ("", 1, "off"),
        ("+13055550123", 2, "off"),
    ],
)
def test_the_longest_beginning_of_the_number_says_how_and_a_hidden_number_is_treated_most_carefully(
    number, queue, mode
):
    regions = (("+49", RecordingMode.ASK), ("+4989", RecordingMode.OFF))
    line = Line(1, 1, "+1", recording=RecordingMode.ANNOUNCE, regions=regions, unrecorded=frozenset({2}))
    assert line.mode_for(number, queue) == mode


def test_a_caller_who_is_told_in_their_language_is_recorded_from_the_answer_on(caller, talk, provider, agent):
    call = talk()
    recording = call.recordings.get()
    assert TOLD in caller.heard
    assert ("consent", "announced") in moments(call)
    assert asked(provider, "send_to", "start_recording") == ["send_to", "start_recording"]
    assert (recording.status, recording.agent, bool(recording.external_id)) == ("active", agent, True)


@pytest.mark.parametrize(("key", "consent", "count"), [("1", "agreed", 1), ("2", "declined", 0), ("9", "declined", 0)])
def test_who_is_asked_is_recorded_only_after_a_clear_yes(talk, key, consent, count):
    call = talk("ask", key)
    call.refresh_from_db()
    assert (call.recording_consent, call.recordings.count()) == (consent, count)


def test_calls_of_an_excluded_queue_are_neither_announced_nor_recorded(caller, records, queue, provider):
    records("announce").unrecorded_queues.add(queue)
    forget_lines()
    call = caller.wait_in_line()
    assert (call.status, call.recording_consent, TOLD in caller.heard) == ("waiting", "", False)


def test_an_agent_pauses_for_a_payment_and_the_words_written_down_stop_too(talk, provider, agent, caller, post_twilio):
    call = talk(transcribes=True)
    recordings.pause_recording(actor=agent, call_id=call.pk, reason=PauseReason.PAYMENT)
    paused = call.recordings.get()
    assert asked(provider, "transcribe", "stop_transcribing", "pause_recording", "resume_recording") == [
        "transcribe", "stop_transcribing", "pause_recording",
    ]  # fmt: skip
    said(post_twilio, caller, call, "4111 1111 1111 1111", "1")
    assert (paused.status, paused.pause_reason, paused.lines.count()) == ("paused", "payment", 0)
    call_control.hold_call(actor=agent, call_id=call.pk)
    call_control.hold_call(actor=agent, call_id=call.pk, is_held=False)
    assert call.recordings.get().status == "paused"  # coming back from hold does not end this pause
    recordings.resume_recording(actor=agent, call_id=call.pk)
    said(post_twilio, caller, call, "Thank you very much", "2")
    assert call.recordings.get().status == "active"
    assert list(call.recordings.get().lines.values_list("text", "party")) == [("Thank you very much", "patient")]


def said(post_twilio, caller, call, words, line):
    post_twilio(
        "/webhooks/twilio/voice-status", query=f"?call={call.pk}", CallSid=caller.sid, TranscriptionSid="GT1",
        TranscriptionEvent="transcription-content", SequenceId=line, Track="inbound_track",
        TranscriptionData=f'{{"transcript": "{words}"}}', Timestamp=timezone.now().isoformat(),
    )  # fmt: skip
    drain_ledger()


def test_a_pause_that_the_provider_does_not_make_is_refused_in_words(talk, provider, agent):
    call = talk()
    provider.down.add("pause_recording")
    with pytest.raises(Refused, match="Do not take such details yet"):
        recordings.pause_recording(actor=agent, call_id=call.pk, reason=PauseReason.PAYMENT)
    assert call.recordings.get().status == "active"


def test_hold_music_is_not_recorded(talk, provider, agent):
    call = talk()
    call_control.hold_call(actor=agent, call_id=call.pk)
    assert (call.recordings.get().status, call.recordings.get().pause_reason) == ("paused", "hold")
    call_control.hold_call(actor=agent, call_id=call.pk, is_held=False)
    assert call.recordings.get().status == "active"


def test_a_transfer_ends_the_recording_and_only_the_agent_of_the_call_may_steer_it(
    talk, provider, agent, second_agent, clinical_queue, django_capture_on_commit_callbacks
):
    call = talk()
    with pytest.raises(Conflict):
        recordings.pause_recording(actor=second_agent, call_id=call.pk, reason=PauseReason.PAYMENT)
    with django_capture_on_commit_callbacks(execute=True):
        call_control.transfer_call(actor=agent, call_id=call.pk, queue=clinical_queue, why="A nurse knows")
    assert call.recordings.get().status == "ended"
    assert asked(provider, "stop_recording") == ["stop_recording"]


def test_when_the_provider_does_not_begin_the_call_goes_on_and_the_agent_may_try_again(talk, provider, agent):
    provider.down.add("start_recording")
    call = talk()
    assert (call.status, call.recordings.get().status) == ("connected", "missing")
    assert ("not_recorded", "") in moments(call)
    provider.down.clear()
    recordings.record_after_consent(actor=agent, call_id=call.pk)
    assert sorted(call.recordings.values_list("status", flat=True)) == ["active", "missing"]


def test_what_may_run_unseen_is_stopped_at_the_provider(talk, provider, monkeypatch):
    def lost(self, *args):
        raise AdapterError("Broken.", permanent=False, reason="provider_down", doubtful=True)

    monkeypatch.setattr(TwilioVoiceAdapter, "start_recording", lost)
    call = talk()
    assert ("stop_recording", call.external_id) in provider.asked
    assert (call.status, call.recordings.get().status) == ("connected", "missing")


def test_whom_we_call_hears_it_alone_when_they_answer(
    records, provider, agent, post_twilio, django_capture_on_commit_callbacks
):
    records("announce")
    call = call_placing.place_call(actor=agent, purpose="Result", number="+13055550177")
    post_twilio("/webhooks/twilio/voice-status", query=f"?call={call.pk}&party=patient", CallSid=call.external_id,
                CallStatus="in-progress", Direction="outbound-api", From="+15005550111", To="+13055550177")  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        drain_ledger()
    call.refresh_from_db()
    assert (call.status, call.recording_consent) == ("connected", "announced")
    assert asked(provider, "announce", "start_recording") == ["announce", "start_recording"]
    words = post_twilio("/webhooks/twilio/voice", query="?step=announcement&lang=es", ConferenceSid="CF1")
    assert (words.status_code, b"<Say" in words.content) == (200, True)


def ready(post_twilio, recording, status="completed", **given):
    """The provider says that a recording is ready."""
    facts = {"RecordingSid": recording.external_id, "RecordingStatus": status, "RecordingDuration": "3"} | given
    query = f"?call={recording.call_id}"
    post_twilio("/webhooks/twilio/voice-status", query=query, CallSid=recording.call.external_id, **facts)
    drain_ledger()
    recording.refresh_from_db()
    return recording


@pytest.fixture
def sound(monkeypatch):
    """What the provider gives; `sound.fails` is raised instead."""

    class Sound:
        content, fails, type = tone(1, 2), None, "audio/x-wav"

        def fetch(self, adapter, ref, most):
            if self.fails:
                raise self.fails
            return FetchedMedia(io.BytesIO(self.content), self.type, len(self.content))

    found = Sound()
    monkeypatch.setattr(TwilioVoiceAdapter, "fetch_media", lambda adapter, ref, most: found.fetch(adapter, ref, most))
    return found


def test_it_is_fetched_with_a_checksum_told_twice_or_late(talk, caller, post_twilio, sound):
    call = talk()
    recording = ready(post_twilio, call.recordings.get())  # before the end of the call is told
    caller.hang_up()
    ready(post_twilio, recording)
    assert recording_store.fetch_recordings() == 1
    recording.refresh_from_db()
    assert (recording.status, recording.seconds, recording.size) == ("stored", 3, len(sound.content))
    assert recording.digest == hashlib.sha256(sound.content).hexdigest()
    assert recording.file.read() == sound.content
    assert recording_store.fetch_recordings() == 0


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [(b"<html><script>x</script>", "audio/mpeg", "missing"), (b"%PDF-1.4 ...", "application/pdf", "missing")],
)
def test_what_is_no_sound_is_not_kept(talk, caller, post_twilio, sound, content, kind, status):
    call = talk()
    caller.hang_up()
    recording = ready(post_twilio, call.recordings.get())
    sound.content, sound.type = content, kind
    recording_store.fetch_recordings()
    recording.refresh_from_db()
    assert (recording.status, bool(recording.file)) == (status, False)


def test_a_provider_that_does_not_answer_is_asked_again_and_one_that_never_told_is_asked_too(talk, caller, sound):
    call = talk()
    caller.hang_up()
    sound.fails = AdapterError("Not yet.", permanent=False, reason="unknown")
    assert recording_store.fetch_recordings() == 0  # told of nothing, it waits a minute
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        assert recording_store.fetch_recordings() == 1
        assert call.recordings.get().status == "ended"
    sound.fails = None
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        recording_store.fetch_recordings()
    assert call.recordings.get().status == "stored"


def test_nothing_recorded_is_said_in_words(talk, post_twilio):
    recording = ready(post_twilio, talk().recordings.get(), "absent")
    assert (recording.status, recording.error) == ("missing", "Nothing was recorded.")


@pytest.mark.parametrize(
    ("is_wanted", "hours", "file", "deleted"),
    [(False, 5, b"RIFF", 0), (True, 0, b"RIFF", 0), (True, 5, b"RIFF", 1), (True, 5, b"RIFX", 0), (False, 0, None, 1)],
)
def test_the_providers_copy_goes_when_ours_is_safe_and_that_is_wanted_or_when_ours_was_erased(
    provider, settings, is_wanted, hours, file, deleted
):
    settings.DELETE_RECORDINGS_AT_PROVIDER = is_wanted
    recording = RecordingFactory(
        digest=hashlib.sha256(b"RIFF").hexdigest(), stored_at=timezone.now() - timedelta(hours=hours)
    )
    if file is None:
        erase()
    elif file != b"RIFF":
        recording.file.open("wb").write(file)
        recording.file.close()
    assert forget_copies() == deleted
    assert forget_copies() == 0
    assert asked(provider, "delete_recording") == ["delete_recording"] * deleted


@pytest.mark.parametrize(("is_recorded", "status"), [(True, "active"), (False, "ended")])
def test_a_call_handed_over_into_a_queue_where_nothing_is_recorded_is_recorded_no_longer(
    talk, records, provider, agent, clinical_agent, clinical_queue, django_capture_on_commit_callbacks,
    is_recorded, status,
):  # fmt: skip
    call = talk()
    if not is_recorded:
        call.channel.line.unrecorded_queues.add(clinical_queue)
        forget_lines()
    call_control.consult(actor=agent, call_id=call.pk, colleague=clinical_agent)
    with django_capture_on_commit_callbacks(execute=True):
        call_control.hand_over(actor=agent, call_id=call.pk, why="A nurse knows", queue=clinical_queue)
    told = (call.recordings.get().status, asked(provider, "stop_recording"), moments(call)[-1][0])
    ended = [] if is_recorded else ["stop_recording"]
    assert told == (status, ended, "rec_resumed" if is_recorded else "transferred")


def test_the_providers_copy_of_a_recording_we_could_not_fetch_goes_when_its_time_is_over(provider, settings):
    settings.DELETE_RECORDINGS_AT_PROVIDER = True
    recording = RecordingFactory(status="missing", file="")
    assert forget_copies() == 0
    erase()
    assert forget_copies() == 1
    assert provider.asked == [("delete_recording", recording.external_id)]


def erase():
    table = next(one for one in duties.tables() if one.model == "inbox.Recording")
    take_away(table, Recording.objects.all(), [])


@pytest.mark.parametrize("kind", ["recording", "voicemail"])
@pytest.mark.parametrize(("reason", "done"), [("unknown", [1, 0, 0, 0, 0]), ("provider_down", [0, 1, 0, 0, 0])])
def test_a_copy_that_cannot_be_deleted_holds_up_no_other_and_is_asked_for_ever_more_seldom(
    monkeypatch, kind, reason, done
):
    asked, found, start = [], [], timezone.now()

    def delete(self, external_id):
        asked.append(external_id)
        if external_id == "RE1":
            raise AdapterError("No.", permanent=reason == "unknown", reason=reason)

    monkeypatch.setattr(TwilioVoiceAdapter, "delete_recording", delete)
    for name in ("RE1", "RE2"):
        if kind == "recording":
            RecordingFactory(external_id=name)
        else:
            CallFactory(status="voicemail", voicemail_id=name)
    erase()
    for minutes in (0, 9, 10, 29, 30):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            found.append(forget_copies())
    assert (found, asked) == (done, ["RE1", "RE2", "RE1", "RE1"])


@pytest.mark.parametrize(("is_wanted", "hours", "deleted"), [(False, 2, 0), (True, 0, 0), (True, 2, 1)])
def test_the_providers_copy_of_a_voicemail_goes_when_ours_is_safe_and_that_is_wanted_or_when_it_was_erased(
    caller, queue, provider, sound, settings, is_wanted, hours, deleted
):
    settings.SCAN_BACKEND, settings.DELETE_RECORDINGS_AT_PROVIDER = "", is_wanted
    leave_message(caller)
    caller.hang_up()
    file = Attachment.objects.get()
    with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False):
        assert forget_copies() == 0  # it is the only one
        fetch_attachments()
        assert forget_copies() == deleted
        Attachment.objects.filter(pk=file.pk).update(file="", source_url="")
        assert (forget_copies(), forget_copies()) == (1 - deleted, 0)
    assert provider.asked == [("delete_recording", "RE9")]


def test_a_copy_goes_when_ours_was_erased_and_stays_while_it_is_the_only_one(caller, queue, provider, sound):
    leave_message(caller)
    address = "https://api.twilio.com/2010-04-01/Accounts/AC/Recordings/RE8"
    alone = CallFactory(status="voicemail", voicemail_url=address, voicemail_id="RE8", channel=caller.settle().channel)
    assert forget_copies() == 0
    Attachment.objects.update(file="", source_url="")
    Call.objects.filter(pk=alone.pk).update(voicemail_url="")
    assert (forget_copies(), sorted(name for _verb, name in provider.asked)) == (2, ["RE8", "RE9"])


def leave_message(caller):
    caller.wait_in_line()
    caller.press("3")
    caller.follow("Record", RecordingUrl="https://api.twilio.com/2010-04-01/Accounts/AC/Recordings/RE9",
                  RecordingSid="RE9", RecordingDuration="5")  # fmt: skip
    return caller.settle()


def test_a_voicemail_is_a_message_with_its_sound(caller, queue, provider, sound, settings, signed_in, agent):
    settings.SCAN_BACKEND = ""
    call = leave_message(caller)
    message = Message.objects.get(interaction=call.interaction)
    file = Attachment.objects.get(message=message)
    assert (message.direction, message.kind, message.external_id) == ("inbound", "media", "RE9")
    assert file.source_url.endswith("/Recordings/RE9.mp3")
    fetch_attachments()
    file.refresh_from_db()
    assert (file.status, call.interaction.unread_count, call.interaction.status) == ("clean", 1, "queued")
    response = signed_in(agent).get(f"/inbox/sound/{file.pk}/", headers={"Range": "bytes=0-3"})
    assert (response.status_code, b"".join(response.streaming_content)) == (206, b"RIFF")


@pytest.mark.parametrize(
    ("wanted", "status", "said", "content"),
    [
        (None, 200, None, b"RIFF"),
        ("bytes=1-2", 206, "bytes 1-2/4", b"IF"),
        ("bytes=2-", 206, "bytes 2-3/4", b"FF"),
        ("bytes=0-99", 206, "bytes 0-3/4", b"RIFF"),
        ("bytes=4-", 416, "bytes */4", b""),
        ("bytes=-1", 200, None, b"RIFF"),
        ("bytes=0-1,2-3", 200, None, b"RIFF"),
    ],
)
def test_a_part_of_a_recording_is_served(signed_in, supervisor, queue, wanted, status, said, content):
    recording = RecordingFactory(call__interaction=InteractionFactory(queue=queue))
    headers = {"Range": wanted} if wanted else {}
    response = signed_in(supervisor).get(f"/calls/recordings/{recording.pk}/", headers=headers)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    assert (response.status_code, response.headers.get("Content-Range"), body) == (status, said, content)


def test_each_listening_is_on_record_once_and_only_those_with_the_right_listen(signed_in, supervisor, agent, queue):
    recording = RecordingFactory(call__interaction=InteractionFactory(queue=queue))
    url = f"/calls/recordings/{recording.pk}/"
    browser = signed_in(supervisor)
    for wanted in ("bytes=2-", "bytes=0-1", "bytes=1-"):
        browser.get(url, headers={"Range": wanted})
    entries = AuditEntry.objects.filter(action="listened", object_type="recording", object_id=recording.pk)
    assert [entry.actor for entry in entries] == [supervisor]
    with time_machine.travel(timezone.now() + timedelta(seconds=20)):
        browser.get(url, headers={"Range": "bytes=0-"})
    assert entries.all().count() == 2
    assert signed_in(agent).get(url).status_code == 404
