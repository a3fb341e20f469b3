"""Let simulated patients write to the demo clinic."""

import random
import re
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from contact_center.aurora.traffic import Doors, Traffic, Unreachable

MAX_PER_MINUTE = 60.0
LONGEST_WAIT_SECONDS = 15.0


def per_minute(text: str) -> float:
    """`4/min` or `4`, from just above 0 to 60. Raises ArgumentTypeError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/min)?", text)
    rate = float(found[1]) if found else 0.0
    if not 0 < rate <= MAX_PER_MINUTE:
        raise ArgumentTypeError("Write for example 4/min, at most 60/min.")
    return rate


class Command(BaseCommand):
    help = "Simulated patients write, mail and fill in forms at a gentle rate until stopped. Needs SIMULATOR=1."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rate", type=per_minute, default=4.0, help="events per minute (default 4/min)")
        parser.add_argument("--events", type=int, default=0, help="stop after so many (default: never)")
        parser.add_argument("--seed", type=int, default=None, help="the same patients in the same order")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SIMULATOR:
            raise CommandError("Simulated patients need the simulator: set SIMULATOR=1.")
        doors = Doors(
            web=settings.PUBLIC_BASE_URL,
            simulator=settings.SIMULATOR_URL,
            smtp_host="127.0.0.1",
            smtp_port=settings.SMTP_INTAKE_PORT,
            mailbox="care@aurora.example",
        )
        crowd = Traffic(doors, random.Random(options["seed"]), rate=options["rate"])
        try:
            self._run(crowd, options["events"])
        except KeyboardInterrupt:
            self.stdout.write("")
        self.stdout.write(" ".join(f"{what} {times}" for what, times in sorted(crowd.counts.items())))

    def _run(self, crowd: Traffic, events: int) -> None:
        is_started, wait, done = False, 1.0, 0
        for pause in crowd.pauses():
            close_old_connections()
            try:
                if not is_started:
                    crowd.start()
                    is_started = True
                crowd.step()
                wait = 1.0
            except (Unreachable, DatabaseError) as error:
                # Servers start later than we do, and restart: patients try again.
                if wait == 1.0:
                    name = error if isinstance(error, Unreachable) else "the database"
                    self.stderr.write(f"Patients cannot reach {name}; they try again.")
                wait = min(wait * 1.7, LONGEST_WAIT_SECONDS)
                time.sleep(wait)
                continue
            done += 1
            if events and done >= events:
                return
            time.sleep(pause)
