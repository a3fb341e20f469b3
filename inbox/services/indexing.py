"""Makes messages findable by their words, a moment after they came."""

from django.db import connection, transaction

from contact_center.common.deadline import Deadline
from inbox.models import IndexProgress

BATCH = 5_000

# Rows that are there already cost an index look; at rest the range behind the safe id is nearly empty.
INDEX = """
    INSERT INTO inbox_messagewords (message_id, words)
    SELECT message.id, continuo_words(message.subject || ' ' || message.text || ' ' || interaction.contact_name)
      FROM (SELECT id, subject, text, interaction_id FROM inbox_message m
             WHERE id > %s AND NOT EXISTS (SELECT 1 FROM inbox_messagewords w WHERE w.message_id = m.id)
             ORDER BY id LIMIT %s) AS message
      JOIN inbox_interaction interaction ON interaction.id = message.interaction_id
    ON CONFLICT DO NOTHING RETURNING message_id
"""
NOW = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
           (SELECT last_value FROM inbox_message_id_seq)
"""


def index_messages(*, batch: int = BATCH) -> int:
    """Index what was committed since the last run; returns how many messages. What one run does not manage within its
    time the next one does, so a filled database becomes findable by itself. Runs beside another one end at once."""
    deadline = Deadline("inbox.index_messages", "default")
    IndexProgress.objects.get_or_create(pk=1)
    oldest_xid, next_xid, newest_id = _now()
    done, start, count = 0, None, batch
    while count == batch and not deadline.is_over:
        with transaction.atomic():
            progress = IndexProgress.objects.select_for_update(skip_locked=True).filter(pk=1).first()
            if progress is None:
                return done
            start = progress.safe_id if start is None else start
            count, start = _index(start, batch)
            done += count
            if count < batch:
                _advance(progress, oldest_xid, next_xid, newest_id)
    return done


def _now() -> tuple[int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(NOW)
        oldest_xid, next_xid, newest_id = cursor.fetchone()
    return oldest_xid, next_xid, newest_id


def _index(start: int, batch: int) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(INDEX, [start, batch])
        ids = [row[0] for row in cursor.fetchall()]
    return len(ids), max(ids, default=start)


def _advance(progress: IndexProgress, oldest_xid: int, next_xid: int, newest_id: int) -> None:
    """Everything visible at the start of this run is indexed now. The mark's id was known a run before its
    transaction number, so whoever drew an id up to it had begun by then."""
    is_settled = progress.mark_xid <= oldest_xid
    is_foreign = progress.mark_xid > next_xid  # of another server: this database was restored
    if is_settled or is_foreign:
        progress.safe_id = progress.mark_id if is_settled else progress.safe_id
        progress.mark_id, progress.mark_xid, progress.seen_id = progress.seen_id, next_xid, newest_id
        progress.save()
