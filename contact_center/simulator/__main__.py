"""`python -m contact_center.simulator`: Twilio's interface, a mailbox and the patient's phone, until stopped.

Reads the settings and loads no apps: only whoever looks for a patient on the phone needs those (`people`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contact_center.settings")

from django.conf import settings
from django.utils.log import configure_logging

from contact_center.simulator.config import Config
from contact_center.simulator.server import serve


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve on 127.0.0.1. Ends with one sentence where a simulator must not or cannot run."""
    parser = argparse.ArgumentParser(prog="python -m contact_center.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=None, help="instead of SIMULATOR_PORT")
    config = checked_config(parser.parse_args(arguments).port)
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    sys.stdout.write(f"Simulator and the patient's phone: http://{config.host}:{config.port}/\n")
    sys.stdout.flush()
    try:
        asyncio.run(_until_stopped(config))
    except OSError as error:
        sys.exit(f"The simulator cannot listen on {config.host}:{config.port}: {error.strerror}.")


def checked_config(port: int | None = None) -> Config:
    """The settings as a Config. Exits where a simulator must not run."""
    if not settings.SIMULATOR:
        sys.exit("The simulator is off. Set SIMULATOR=1 to run it, never in production.")
    if not settings.DEBUG:
        sys.exit("The simulator is refused while DEBUG=0: it answers for a provider and must never run in production.")
    if not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN):
        sys.exit("Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: the simulator signs with them.")
    return Config(
        data_dir=settings.DATA_DIR,
        public_base_url=settings.PUBLIC_BASE_URL,
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        api_key_sid=settings.TWILIO_API_KEY_SID,
        api_key_secret=settings.TWILIO_API_KEY_SECRET,
        port=settings.SIMULATOR_PORT if port is None else port,
        own_url=settings.SIMULATOR_URL,
        smtp_port=settings.SIMULATOR_SMTP_PORT,
        smtp_intake_port=settings.SMTP_INTAKE_PORT,
    )


async def _until_stopped(config: Config) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serve(config)


if __name__ == "__main__":
    main()
