from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from contact_center.common.machines import document


class Command(BaseCommand):
    help = "Writes docs/state-machines.md from the models."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "state-machines.md"
        path.write_text(document())
        self.stdout.write(f"wrote {path.relative_to(settings.BASE_DIR)}")
