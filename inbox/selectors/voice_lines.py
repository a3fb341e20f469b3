"""The voice lines as the scripts of their callers need them, kept for some seconds: a caller waits for every answer."""

import time
from dataclasses import dataclass

from inbox.adapters.events import CallEvent
from inbox.enums import ChannelKind, RecordingMode
from inbox.identifiers import folded
from inbox.models import Channel, VoiceLine

KEPT_SECONDS = 5.0
CAREFUL = [RecordingMode.ANNOUNCE, RecordingMode.ASK, RecordingMode.OFF]
"""Ways to record, each more careful than the one before."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a menu."""

    pk: int
    key: str
    labels: dict[str, str]
    words: tuple[str, ...]
    queue_id: int
    reason_id: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """A voice line as its scripts need it."""

    channel_id: int
    queue_id: int
    address: str
    languages: tuple[str, ...] = ("en",)
    emergency_number: str = "911"
    greetings: dict[str, str] | None = None
    options: tuple[Option, ...] = ()
    recording: RecordingMode = RecordingMode.OFF
    regions: tuple[tuple[str, RecordingMode], ...] = ()
    unrecorded: frozenset[int] = frozenset()
    transcribes: bool = False

    def mode_for(self, number: str, queue_id: int) -> RecordingMode:
        """How a call with this number is recorded in this queue: by the longest beginning that fits, else as the line
        is set. Who hides the number may be from anywhere, so the most careful way of all counts.
        """
        if queue_id in self.unrecorded:
            return RecordingMode.OFF
        if not number:
            return max((self.recording, *(mode for _start, mode in self.regions)), key=CAREFUL.index)
        fitting = [(len(start), mode) for start, mode in self.regions if number.startswith(start)]
        return max(fitting)[1] if fitting else self.recording

    def chosen(self, event: CallEvent) -> Option | None:
        """The option that this key means, or the whole words of an answer, with or without their accents."""
        key, said = event.payload.get("key", ""), folded(event.payload.get("speech", ""))
        for option in self.options:
            named = (folded(words) for words in (*option.words, *option.labels.values()))
            if key == option.key or any(f" {words} " in f" {said} " for words in named if words):
                return option
        return None


_kept: tuple[float, dict[str, Line]] | None = None


def line_of(number: str) -> Line | None:
    """The line with this number of ours; may be five seconds behind a change."""
    global _kept
    now = time.monotonic()
    if _kept is None or now >= _kept[0]:
        _kept = (now + KEPT_SECONDS, _read_lines())
    return _kept[1].get(number)


def has_lines() -> bool:
    """Whether there is a line to call or to be called on; may be five seconds behind a change."""
    line_of("")
    return bool(_kept and _kept[1])


def forget_lines() -> None:
    """Read lines anew from now on."""
    global _kept
    _kept = None


def _read_lines() -> dict[str, Line]:
    channels = Channel.objects.filter(kind=ChannelKind.VOICE, is_active=True)
    found = {row.address: Line(row.pk, row.queue_id, row.address) for row in channels}
    for row in (
        VoiceLine.objects.filter(channel__is_active=True)
        .select_related("channel")
        .prefetch_related("options", "unrecorded_queues")
    ):
        options = tuple(
            Option(one.pk, one.key, one.labels, tuple(one.words), one.queue_id, one.reason_id)
            for one in row.options.all()
        )
        found[row.channel.address] = Line(
            channel_id=row.channel_id,
            queue_id=row.channel.queue_id,
            address=row.channel.address,
            languages=tuple(row.languages) or ("en",),
            emergency_number=row.emergency_number,
            greetings=row.greetings,
            options=options,
            recording=RecordingMode(row.recording),
            regions=tuple((start, RecordingMode(mode)) for start, mode in row.recording_by_region.items()),
            unrecorded=frozenset(queue.pk for queue in row.unrecorded_queues.all()),
            transcribes=row.transcribes,
        )
    return found
