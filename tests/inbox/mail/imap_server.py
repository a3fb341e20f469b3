"""A real IMAP server (pymap) in a process of its own, and a person's hands on its mailbox."""

import contextlib
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, replace

from imap_tools import MailBoxUnencrypted

from inbox.mail.imap import MailboxAccess


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@dataclass
class ImapServer:
    """One running server with one account."""

    port: int
    folder: str = "Care"

    @property
    def access(self):
        return MailboxAccess("127.0.0.1", self.port, "care", "secret", self.folder, use_tls=False, timeout_seconds=5)

    def wrong(self, **changes):
        return replace(self.access, **changes)

    @contextlib.contextmanager
    def opened(self):
        with MailBoxUnencrypted("127.0.0.1", self.port).login("care", "secret", initial_folder=None) as box:
            yield box

    def create(self):
        with self.opened() as box:
            if box.folder.exists(self.folder):
                box.folder.delete(self.folder)
            box.folder.create(self.folder)

    def put(self, *sources, flags=()):
        with self.opened() as box:
            for source in sources:
                box.append(source, self.folder, flag_set=list(flags))

    def flags(self):
        with self.opened() as box:
            box.folder.set(self.folder)
            return [tuple(set(message.flags) - {"\\Recent"}) for message in box.fetch(mark_seen=False)]


@contextlib.contextmanager
def running_server():
    port = free_port()
    command = [
        sys.executable,
        "-c",
        "from pymap.main import main; main()",
        "--no-service",
        "admin",
        "--no-service",
        "managesieve",
    ]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict", "--demo-data"]
    command += ["--demo-user", "care", "--demo-password", "secret"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
                probe.recv(10)
                break
            time.sleep(0.1)
        yield ImapServer(port)
    finally:
        process.terminate()
        process.wait(10)
