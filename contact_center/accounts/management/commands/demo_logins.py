"""Print who may sign in to the demo."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from contact_center.accounts.enums import Role
from contact_center.accounts.models import User

DEMO_PASSWORD = "aurora-demo-2026"  # noqa: S105 - printed on purpose; seeded only in a demo
DEMO_EMAILS = {
    "agent@aurora.example": Role.AGENT,
    "clinical@aurora.example": Role.CLINICAL_AGENT,
    "partner@aurora.example": Role.PARTNER_AGENT,
    "supervisor@aurora.example": Role.SUPERVISOR,
    "admin@aurora.example": Role.ADMIN,
    "auditor@aurora.example": Role.AUDITOR,
}


class Command(BaseCommand):
    help = "Prints the seeded demo logins. Refused while DEBUG=0."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Refused while DEBUG=0: demo logins exist only in a demo.")
        present = set(User.objects.filter(email__in=DEMO_EMAILS, is_active=True).values_list("email", flat=True))
        for email, role in DEMO_EMAILS.items():
            if email in present:
                self.stdout.write(f"{email:28} {DEMO_PASSWORD}  {role.label}")
        if not present:
            self.stdout.write("No demo people yet: seed the demo first.")
