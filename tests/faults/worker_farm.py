"""Forks real Celery workers from one warm process, so that killing one costs a test little time.

Reads lines `start <processes>` and answers with the process id of the new worker group. `POISON=1` arms two inbound
texts: "poison raise" raises while it is processed, "poison kill" ends its worker process.
"""

import ctypes
import os
import signal
import sys

import django

QUEUES = "webhooks,outbound,reminders,default,reports"


def arm_poison() -> None:
    """Make two texts dangerous, where the snippet of a message is cut."""
    from inbox.services import inbound

    harmless = inbound.snippet_of

    def snippet_of(message):
        if message.text == "poison raise":
            raise RuntimeError("poison")
        if message.text == "poison kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return harmless(message)

    inbound.snippet_of = snippet_of


def start(processes: str) -> int:
    """A new worker group in a session of its own; it dies with this process."""
    from contact_center.celery import app

    farm = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != farm:
        os._exit(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    arguments = ["worker", "-Q", QUEUES, "-c", processes, "--without-gossip", "--without-mingle"]
    try:
        app.worker_main(
            [*arguments, "--loglevel", os.environ.get("LOG_LEVEL", "ERROR"), "-n", f"worker{os.getpid()}@here"]
        )
    finally:
        os._exit(0)


def main() -> None:
    """Warm up, then fork on demand until standard input ends."""
    django.setup()
    from contact_center.celery import app
    from inbox.adapters.registry import adapter_class

    app.loader.import_default_modules()
    app.finalize()
    adapter_class("twilio_messaging")
    if os.environ.get("POISON"):
        arm_poison()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        print(start(line.split()[1]), flush=True)


if __name__ == "__main__":
    main()
