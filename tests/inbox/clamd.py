"""A scanner that speaks clamd's protocol on a socket, finds EICAR and nothing else, and can be slow, sulky or full."""

import socketserver
import struct
import threading
from contextlib import contextmanager

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        clamd = self.server.clamd
        if self.rfile.read(10) != b"zINSTREAM\0":
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        content = b""
        while size := struct.unpack("!L", self.rfile.read(4))[0]:
            content += self.rfile.read(size)
            if len(content) > clamd.limit:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        clamd.seen.append(len(content))
        if clamd.answer is not None:
            self.wfile.write(clamd.answer)
        else:
            self.wfile.write(b"stream: Eicar-Signature FOUND\0" if EICAR in content else b"stream: OK\0")


class Clamd:
    """`seen` are the sizes it looked at; `answer` replaces its verdict; more than `limit` bytes it refuses."""

    def __init__(self, server):
        self.address = f"clamd://127.0.0.1:{server.server_address[1]}"
        self.seen, self.answer, self.limit = [], None, 50_000_000


@contextmanager
def running():
    """A scanner for the length of a test."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session)
    server.daemon_threads = True
    server.clamd = Clamd(server)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    try:
        yield server.clamd
    finally:
        server.shutdown()
        server.server_close()
