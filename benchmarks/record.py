"""What a patient's page costs at size: the page against its own statements, and a line with 10,000 entries.

`benchmarks.workspace` asks for it with its clinic (BENCH_SCALE, BENCH_DATABASE); what it adds is rolled back.
"""

from typing import Any

from benchmarks.machine import Row

ENTRIES = 10_000
RATIO_GOAL, LINE_GOAL = 3.0, 60.0
MANY = """
INSERT INTO inbox_interaction (created_at, updated_at, channel_id, channel_kind, direction, thread_key, contact_scheme,
  contact_value, contact_name, patient_id, is_contact_shared, queue_id, owner_id, status, reason_id, priority, language,
  subject, reference, snippet, unread_count, opened_at, last_message_at, is_snooze_kept, closed_at, outcome, next_step)
SELECT created_at, updated_at, channel_id, channel_kind, direction, 'bench' || n, contact_scheme, contact_value,
  contact_name, patient_id, is_contact_shared, queue_id, owner_id, 'closed', reason_id, priority, language, subject, '',
  snippet, 0, opened_at, now() - n * interval '13 minutes', false, now(), outcome, ''
FROM inbox_interaction, generate_series(1, %s) AS n WHERE id = %s
"""


def measure(client: Any) -> list[Row]:
    """CPU milliseconds of the page, and of the first and the deepest page of a long line."""
    from django.db import connection, transaction

    from benchmarks import workspace

    patient_id, interaction_id = _busiest()
    page = f"/patients/{patient_id}/"
    rows = [_against_bare(workspace._page_row("patient's page", lambda: client.get(page), 1000.0))]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MANY, [ENTRIES, interaction_id])
        cursor.execute("ANALYZE inbox_interaction")
        rows.append(
            _against_bare(workspace._page_row(f"the same with {ENTRIES:,} entries", lambda: client.get(page), 1000.0))
        )
        deep = f"{page}timeline/?before={_deep_place()}"
        rows.append(workspace._page_row("its last page of the line", lambda: client.get(deep), LINE_GOAL))
        transaction.set_rollback(True)
    return rows


def _against_bare(row: Row) -> Row:
    """The goal is the share of Python in the page, not its milliseconds."""
    ratio = float(row.ratio.split(" ")[0]) if row.ratio else 0.0
    return Row(row.name, row.measured, row.floor, row.ratio, f"≤ {RATIO_GOAL:.0f} × bare", ratio <= RATIO_GOAL)


def _busiest() -> tuple[int, int]:
    """An unprotected patient with the most conversations, and one of these that is closed."""
    from django.db.models import Count

    from inbox.models import Interaction
    from patients.models import Patient

    found = Patient.objects.filter(sensitivity="none").annotate(n=Count("interactions")).order_by("-n")[0]
    closed = Interaction.objects.filter(patient=found, status="closed").order_by("-pk")
    return found.pk, closed.values_list("pk", flat=True)[0]


def _deep_place() -> str:
    from datetime import timedelta

    from django.utils import timezone

    from patients.timeline import Place

    return str(Place(timezone.now() - timedelta(minutes=13 * (ENTRIES - 40)), "contact", 10**15))
