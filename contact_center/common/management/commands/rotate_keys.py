"""Encrypt everything with the first key of FIELD_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from contact_center.common import encrypted, rotation


class Command(BaseCommand):
    help = (
        "Brings every encrypted value over to the first key of FIELD_KEYS, 500 at a time. May be stopped and started"
        " again at any moment; when nothing waits any more, the other keys can be taken out of FIELD_KEYS."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say how many values wait; 1 when any does")

    def handle(self, *args: Any, **options: Any) -> None:
        waiting = {place: place.waiting() for place in rotation.places()}
        for place, count in waiting.items():
            if not options["check"]:
                self._rotate(place, count)
            self.stdout.write(f"{place.name}: {place.waiting()} wait for key {encrypted.current_key_id()}")
        if options["check"] and any(waiting.values()):
            raise CommandError("Some values are still under another key.")

    def _rotate(self, place: rotation.Place, total: int) -> None:
        done = 0
        try:
            for count in rotation.rotate(place):
                done += count
                self.stdout.write(f"{place.name}: {done} of {total}")
        except encrypted.CannotDecrypt as error:
            raise CommandError(f"{error} Put its key back into FIELD_KEYS, after the present one.") from None
