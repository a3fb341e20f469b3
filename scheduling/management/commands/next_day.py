"""Let a day of a demonstration pass."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from scheduling.services.demonstration import let_a_day_pass


class Command(BaseCommand):
    help = "Moves the agenda of a demonstration a day nearer (DEBUG=1): reminders fall due, visits are missed."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            passed = let_a_day_pass()
        except RuntimeError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"A day has passed: {passed.came} patients came, {passed.missed} did not.")
