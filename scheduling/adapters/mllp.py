"""MLLP: HL7 v2 messages over a socket, each in a frame and each answered before the next one is read.

It keeps nothing: `answer` says what goes back, and only after it has made the message safe. When it cannot, nothing
goes back and the connection is closed: the sender still has the message and sends it again.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

import structlog

log = structlog.get_logger(__name__)
START, END = b"\x0b", b"\x1c\r"
BETWEEN = b"\r\n "  # some senders put them between frames
THREADS = 4
Networks = Sequence[IPv4Network | IPv6Network]


@dataclass(frozen=True, slots=True)
class Terms:
    """Who may connect and how much is borne. A frame has at most `most_bytes`; seconds are those without a new frame,
    those that a frame may take to arrive, and those that an answer may take to be taken."""

    peers: Networks
    most_bytes: int
    most_connections: int = 20
    idle_seconds: float = 600.0
    frame_seconds: float = 60.0


class Unframed(Exception):
    """What comes is no frame; says what is wrong."""


class Listener:
    """The listening server. `answer` gets what a frame holds and returns its acknowledgement, `refuse` the one for what
    cannot be a message; both are called in a thread and may take their time."""

    def __init__(self, answer: Callable[[bytes], bytes], refuse: Callable[[str], bytes], terms: Terms) -> None:
        self._answer, self._refuse, self._terms = answer, refuse, terms
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mllp")
        self._talks: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listen; returns the address, of which port 0 takes a free one. Raises OSError when it is taken."""
        limit = self._terms.most_bytes + len(END)
        self._server = await asyncio.start_server(self._meet, host, port, limit=limit, ssl=tls)
        address = self._server.sockets[0].getsockname()
        return str(address[0]), int(address[1])

    async def stop(self) -> None:
        """Take no more, let what is being answered be answered, close the rest."""
        self._is_stopping = True
        if self._server is not None:
            self._server.close()
        for talk in self._talks - self._busy:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        try:
            if not self._may_talk(writer):
                return
            self._talks.add(talk)
            await self._talk(talk, reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            log.info("mllp_ended", error=type(error).__name__)
        except Exception as error:
            log.error("mllp_not_kept", error=type(error).__name__)
        finally:
            self._talks.discard(talk)
            self._busy.discard(talk)
            writer.close()
            with suppress(Exception):
                await writer.wait_closed()

    def _may_talk(self, writer: asyncio.StreamWriter) -> bool:
        address = ip_address(writer.get_extra_info("peername")[0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if not any(address in network for network in self._terms.peers):
            log.warning("mllp_stranger", address=str(address))
            return False
        if len(self._talks) >= self._terms.most_connections:
            log.warning("mllp_crowded", connections=len(self._talks))
            return False
        return True

    async def _talk(
        self, talk: "asyncio.Task[None]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while not self._is_stopping:
            try:
                frame = await self._frame(reader)
            except Unframed as error:
                log.warning("mllp_unframed", why=str(error))
                await self._say(writer, await self._threaded(self._refuse, str(error)))
                return
            if frame is None:
                return
            self._busy.add(talk)
            await self._say(writer, await self._threaded(self._answer, frame))
            self._busy.discard(talk)
            if len(frame) > self._terms.most_bytes:
                return  # where the next frame begins is not known

    async def _frame(self, reader: asyncio.StreamReader) -> bytes | None:
        """What the next frame holds, None when the other side has ended; a frame that is too large as far as it was
        read. A frame that was cut off by a new one is forgotten: nobody expects its answer."""
        async with asyncio.timeout(self._terms.idle_seconds):
            while (first := await reader.read(1)) and first in BETWEEN:
                pass
        if not first:
            return None
        if first != START:
            raise Unframed("This is no HL7 message in a frame of MLLP.")
        async with asyncio.timeout(self._terms.frame_seconds):
            try:
                held = await reader.readuntil(END)
            except asyncio.LimitOverrunError:
                return await reader.readexactly(self._terms.most_bytes + 1)
        return held.removesuffix(END).rpartition(START)[2]

    async def _say(self, writer: asyncio.StreamWriter, said: bytes) -> None:
        writer.write(START + said + END)
        async with asyncio.timeout(self._terms.frame_seconds):
            await writer.drain()

    def _threaded(self, work: Callable[..., bytes], *given: bytes | str) -> "asyncio.Future[bytes]":
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
