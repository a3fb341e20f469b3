"""Twilio's recordings of calls and what its machine writes down of them: made, paused, ended, fetched, deleted."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import Any

from inbox.adapters.base import AdapterError, FetchedMedia
from inbox.adapters.events import MediaRef
from inbox.adapters.twilio_http import TwilioConfig, build_client, failures_explained
from inbox.adapters.twilio_messaging import TwilioMessagingAdapter
from inbox.adapters.twilio_words import GONE, VOICE_STATUS_PATH

RUNNING = "Twilio.CURRENT"
LOCALES = {"en": "en-US", "es": "es-US", "pt": "pt-BR"}


class TwilioRecordings:
    """The part of the voice adapter that has to do with recordings. All methods raise AdapterError."""

    config: TwilioConfig
    _signatures: TwilioMessagingAdapter

    @cached_property
    def _connection(self) -> Any:
        return build_client(self.config)

    def _url(self, path: str) -> str:
        return path if "://" in path else f"{self.config.public_base_url.rstrip('/')}{path}"

    def start_recording(self, leg: str, our_id: str) -> str:
        """Record this leg from now on, the caller on one channel and all others on the other; returns its id."""
        client, http = self._connection
        with failures_explained(http):
            found = client.calls(leg).recordings.create(
                recording_channels="dual",
                trim="do-not-trim",
                recording_status_callback=self._url(f"{VOICE_STATUS_PATH}?call={our_id}"),
                recording_status_callback_event=["completed", "absent"],
            )
            return str(found.sid)

    def pause_recording(self, leg: str, external_id: str) -> None:
        """Record nothing, not even silence, until it is resumed."""
        self._change(leg, external_id, status="paused", pause_behavior="skip")

    def resume_recording(self, leg: str, external_id: str) -> None:
        """Record what is said again."""
        self._change(leg, external_id, status="in-progress")

    def stop_recording(self, leg: str, external_id: str = "") -> None:
        """End the recording while the call goes on, without an id whichever runs; one that has ended is no error."""
        with gone_is_fine():
            self._change(leg, external_id or RUNNING, status="stopped")

    def _change(self, leg: str, external_id: str, **given: str) -> None:
        client, http = self._connection
        with failures_explained(http):
            client.calls(leg).recordings(external_id).update(**given)

    def recording_ref(self, external_id: str, channels: int) -> MediaRef:
        """Where the content of a recording lies."""
        base = self.config.api_base_url.rstrip("/")
        url = f"{base}/2010-04-01/Accounts/{self.config.account_sid}/Recordings/{external_id}.mp3"
        return MediaRef(f"{url}?RequestedChannels={channels}", "audio/mpeg")

    def delete_recording(self, external_id: str) -> None:
        """The provider keeps no copy; one that is gone already is no error."""
        client, http = self._connection
        with gone_is_fine(), failures_explained(http):
            client.recordings(external_id).delete()

    def fetch_media(self, ref: MediaRef, max_bytes: int) -> FetchedMedia:
        """See Adapter.fetch_media."""
        return self._signatures.fetch_media(ref, max_bytes)

    def transcribe(self, leg: str, language: str, our_id: str) -> str:
        """Let what both sides say be written down from now on; returns the id under which it is stopped."""
        client, http = self._connection
        with failures_explained(http):
            found = client.calls(leg).transcriptions.create(
                track="both_tracks",
                status_callback_url=self._url(f"{VOICE_STATUS_PATH}?call={our_id}"),
                language_code=LOCALES.get(language, "en-US"),
                partial_results=False,
            )
            return str(found.sid)

    def stop_transcribing(self, leg: str, transcript_id: str) -> None:
        """Write down nothing more; it is no error that it has ended."""
        client, http = self._connection
        with gone_is_fine(), failures_explained(http):
            client.calls(leg).transcriptions(transcript_id).update(status="stopped")


class gone_is_fine(suppress):
    """What the provider does not know any more is as it should be."""

    def __init__(self) -> None:
        super().__init__(AdapterError)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        return isinstance(error, AdapterError) and error.code in GONE
