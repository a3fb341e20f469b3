from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inbox.services.provider_check import check_provider


class Command(BaseCommand):
    help = "Says whether the Twilio account is set up as this house needs it, and what is to be set to which value."

    def handle(self, *args: Any, **options: Any) -> None:
        missing = 0
        for point in check_provider():
            missing += not point.is_fine
            self.stdout.write(f"ok       {point.what}" if point.is_fine else f"MISSING  {point.what}: {point.todo}")
        if missing:
            raise CommandError(f"{missing} to be set.")
        self.stdout.write("Everything is set.")
