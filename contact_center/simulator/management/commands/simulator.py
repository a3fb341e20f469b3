"""Run the simulator: Twilio's interface, a mailbox and the patient's phone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from contact_center.simulator.config import Config
from contact_center.simulator.server import serve


class Command(BaseCommand):
    """Serve on 127.0.0.1 until stopped. Refused in production."""

    help = "Plays Twilio, the mail world and the patients on this machine, for demo and tests."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Only the port may differ from the settings."""
        parser.add_argument("--port", type=int, default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        """Check that a simulator may run here, then serve."""
        config = checked_config(options["port"])
        self.stdout.write(f"Simulator and the patient's phone: http://{config.host}:{config.port}/")
        self.stdout.flush()
        try:
            asyncio.run(_until_stopped(config))
        except OSError as error:
            raise CommandError(
                f"The simulator cannot listen on {config.host}:{config.port}: {error.strerror}."
            ) from error


def checked_config(port: int | None = None) -> Config:
    """The settings as a Config. Raises CommandError where a simulator must not run."""
    if not settings.SIMULATOR:
        raise CommandError("The simulator is off. Set SIMULATOR=1 to run it, never in production.")
    if not settings.DEBUG:
        raise CommandError(
            "The simulator is refused while DEBUG=0: it answers for a provider and must never run in production."
        )
    if not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN):
        raise CommandError("Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: the simulator signs with them.")
    return Config(
        data_dir=settings.DATA_DIR,
        public_base_url=settings.PUBLIC_BASE_URL,
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
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
