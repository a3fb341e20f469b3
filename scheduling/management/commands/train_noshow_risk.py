import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from contact_center.common.errors import Refused
from scheduling.services.risk import train


class Command(BaseCommand):
    help = "Learns the no-show risk from the visits of the last two years and prints its model card."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Store the model, but do not use it.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            model = train(is_activated=not options["dry_run"])
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(model.card, indent=2))
        used = "is used from now on" if model.is_active else "is not used"
        self.stdout.write(f"Model {model.pk} of {model.visits} visits {used}.")
