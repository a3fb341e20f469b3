"""Asking a virus scanner. Speaks clamd's INSTREAM: content in counted chunks, one line back."""

import socket
import struct
from contextlib import suppress
from typing import IO
from urllib.parse import urlsplit

CHUNK = 1 << 16
CLAMD_PORT = 3310


class ScannerUnavailable(Exception):
    """The scanner did not answer, or answered that it cannot look at this now. Try again later."""


class ScannerRefused(Exception):
    """The scanner will not look at this content, e.g. because it is larger than it takes. Trying again is no use."""


def scan(address: str, content: IO[bytes], *, timeout: float) -> str:
    """Name of the virus in `content`; empty when it is clean. `timeout` in seconds holds for each step.

    `address` is `clamd://host:port` or `clamd:///path/of.socket`. Raises ScannerUnavailable, ScannerRefused.
    """
    try:
        with _connect(address, timeout) as connection:
            content.seek(0)
            with suppress(BrokenPipeError, ConnectionResetError):  # it has said why before it hung up
                _send(connection, content)
            answer = _line_of(connection)
    except OSError as error:
        raise ScannerUnavailable(type(error).__name__) from None
    return _virus_in(answer)


def _connect(address: str, timeout: float) -> socket.socket:
    parts = urlsplit(address)
    if parts.scheme != "clamd":
        raise ScannerRefused("SCAN_BACKEND is no clamd:// address.")
    if parts.hostname:
        return socket.create_connection((parts.hostname, parts.port or CLAMD_PORT), timeout)
    local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    local.settimeout(timeout)
    try:
        local.connect(parts.path)
    except OSError:
        local.close()
        raise
    return local


def _send(connection: socket.socket, content: IO[bytes]) -> None:
    connection.sendall(b"zINSTREAM\0")
    while chunk := content.read(CHUNK):
        connection.sendall(struct.pack("!L", len(chunk)) + chunk)
    connection.sendall(struct.pack("!L", 0))


def _line_of(connection: socket.socket) -> str:
    answer = b""
    while not answer.endswith((b"\0", b"\n")) and len(answer) < 4096:
        part = connection.recv(4096)
        if not part:
            break
        answer += part
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")


def _virus_in(answer: str) -> str:
    words = answer.removeprefix("stream: ")
    if words == "OK":
        return ""
    if words.endswith(" FOUND"):
        return words.removesuffix(" FOUND")[:120]
    if "size limit exceeded" in words:
        raise ScannerRefused("larger than the scanner takes")
    raise ScannerUnavailable("The scanner gave no verdict.")
