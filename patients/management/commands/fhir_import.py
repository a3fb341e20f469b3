"""`manage.py fhir_import FILE...`: what becomes of the resources in FHIR files, as a table."""

import gzip
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from contact_center.accounts.models import User
from patients.fhir.reading import READ, resources_in
from patients.services.fhir import Taken, take_in


class Command(BaseCommand):
    help = "Takes in Patient, RelatedPerson, Consent and Coverage from FHIR R4 JSON files (also .gz) and folders."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("paths", nargs="+", type=Path)
        parser.add_argument(
            "--as", dest="email", required=True, help="who takes them in: the address they sign in with"
        )
        parser.add_argument("--source", default="", help="name of the system whose ids they carry")
        parser.add_argument("--dry-run", action="store_true", help="write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.filter(email__iexact=options["email"]).first()
        if actor is None:
            raise CommandError("Nobody signs in with this address.")
        with transaction.atomic():
            for path, taken in import_files(actor, options["paths"], options["source"]):
                self.stdout.write(line_of(path, taken))
            if options["dry_run"]:
                transaction.set_rollback(True)


def import_files(actor: User, paths: list[Path], source: str) -> list[tuple[Path, Taken]]:
    """Every resource of the types that are read, with what became of it; patients of all files first."""
    files = sorted(file for path in paths for file in (path.rglob("*.json*") if path.is_dir() else [path]))
    loaded = [(file, _load(file)) for file in files]
    wanted = [
        (file, data) for file, data in loaded if any(one.get("resourceType") in READ for _a, one in resources_in(data))
    ]
    wanted.sort(key=lambda entry: entry[1].get("resourceType") in READ[1:])
    return [(file, taken) for file, data in wanted for taken in take_in(actor=actor, data=data, source=source)]


def _load(file: Path) -> Any:
    raw = file.read_bytes()
    try:
        return json.loads(gzip.decompress(raw) if file.suffix == ".gz" else raw)
    except (OSError, ValueError):
        raise CommandError(f"{file.name} is not JSON.") from None


def line_of(path: Path, taken: Taken) -> str:
    """One line: file, type, what became of it, and why."""
    why = "; ".join(f"{issue.severity}: {issue.words}" for issue in taken.issues)
    return f"{path.name[:44]:44s} {taken.kind:14s} {taken.status:10s} {why}"
