from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contact_center.audit.models import AuditEntry
from contact_center.audit.services import verify


class Command(BaseCommand):
    help = "Verifies the hash chains of the audit trail and names the first broken link of each."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = list(verify())
        for link in broken:
            self.stderr.write(f"chain {link.chain}, entry {link.sequence}: {link.problem}")
        if broken:
            raise CommandError(f"{len(broken)} broken chain(s)")
        self.stdout.write(f"{AuditEntry.objects.count()} entries, every link intact")
