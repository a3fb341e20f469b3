"""Make an API key and print it, once."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from contact_center.accounts import services
from contact_center.accounts.enums import Role


class Command(BaseCommand):
    help = "Creates an API key with a service account of its own and prints the key, which is shown only this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", required=True, help=f"one of: {', '.join(Role.values)}")
        parser.add_argument("--name", required=True, help="who uses the key")
        parser.add_argument("--scopes", nargs="+", help="narrower than the role, e.g. patients:read messages:write")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _key, text = services.create_api_key(
                actor=None, name=options["name"], role=options["role"], scopes=options["scopes"]
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(text)
