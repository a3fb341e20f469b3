"""Fill an empty database with the demo clinic."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from contact_center.aurora import seeding


class Command(BaseCommand):
    help = "Fills an empty database with Clínica Aurora Health: staff, patients and 90 days of history."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scale", type=int, default=2000, help="how many patients (default 2000)")
        parser.add_argument("--seed", type=int, default=7, help="another number makes another clinic (default 7)")
        parser.add_argument("--reset", action="store_true", help="first remove every row; only with DEBUG=1")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["scale"] <= 300_000:
            raise CommandError("--scale takes a number of patients from 1 to 300000.")
        if options["reset"]:
            if not settings.DEBUG:
                raise CommandError("--reset removes every patient and is refused while DEBUG=0.")
            seeding.empty()
        started = time.monotonic()
        try:
            made = seeding.seed(patients=options["scale"], number=options["seed"], progress=self._progress)
        except seeding.NotEmpty:
            raise CommandError(
                "This database holds patients or interactions that are not the demo clinic's. Nothing was changed."
            ) from None
        if made is None:
            self.stdout.write("The clinic is there already. Nothing to do.")
            return
        self.stdout.write(
            f"Seeded {made.patients:,} patients, {made.interactions:,} interactions ({made.open_now} open now)"
            f" and {made.messages:,} messages in {time.monotonic() - started:.0f} s."
        )

    def _progress(self, words: str, share: float) -> None:
        """A bar on a terminal; nothing in a log."""
        if not sys.stderr.isatty():
            return
        full = int(share * 30)
        self.stderr.write(f"\r  [{'#' * full}{'.' * (30 - full)}] {share:4.0%} {words:<24}", ending="")
        if share >= 1:
            self.stderr.write("")
