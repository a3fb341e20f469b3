"""One inbound message processed to a finished interaction, against bare inserts of the same rows, as tables grow."""

import contextlib
import datetime
import io
import os
import statistics
import time
from urllib.parse import urlencode

import psycopg2
from psycopg2.extras import Json

from benchmarks.machine import ACCOUNT_SID, Row, environment

GOAL, FLAT = 4.0, 1.5
ROUNDS, MESSAGES = 7, 200
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10000,1000000").split(",")]
ADDRESS = "+15005550100"


def measure(database_url: str) -> list[Row]:
    """CPU milliseconds (worker and its database session) per message at each size. New senders, one worker."""
    os.environ.update(environment(database_url, "http://127.0.0.1:1"), DJANGO_SETTINGS_MODULE="contact_center.settings")
    import django

    django.setup()
    with contextlib.closing(psycopg2.connect(database_url)) as link:
        link.autocommit = True
        channel, queue = _desk(link)
        found = []
        for size in SIZES:
            grow(link, size, channel, queue)
            found.append(_at_size(link, size, channel, queue))
    rows = [row for row, _ in found]
    first, last = found[0][1], found[-1][1]
    growth = last / first
    name = f"processing from {SIZES[0]:,} to {SIZES[-1]:,}"
    rows.append(Row(name, f"{last:.2f} ms", f"{first:.2f} ms", f"{growth:.2f} ×", f"flat: ≤ {FLAT} ×", growth <= FLAT))
    return rows


def _desk(link) -> tuple[int, int]:
    cursor = link.cursor()
    cursor.execute(
        "INSERT INTO inbox_queue (name, slug, position, is_active, created_at, updated_at)"
        " VALUES ('General', 'general', 0, true, now(), now()) RETURNING id"
    )
    queue = cursor.fetchone()[0]
    cursor.execute(
        "INSERT INTO inbox_channel (name, kind, adapter, address, is_active, sends_receipts, queue_id, created_at,"
        " updated_at) VALUES ('SMS', 'sms', 'twilio_messaging', %s, true, false, %s, now(), now()) RETURNING id",
        [ADDRESS, queue],
    )
    return cursor.fetchone()[0], queue


def grow(link, size: int, channel: int, queue: int) -> None:
    """Bring the tables to `size` interactions, each with one patient's address, one message and one event."""
    cursor = link.cursor()
    cursor.execute("SELECT count(*) FROM inbox_interaction")
    have = cursor.fetchone()[0]
    for start in range(have, size, 50_000):
        _grow(cursor, start, min(start + 50_000, size), channel, queue)
    cursor.execute("ANALYZE")
    cursor.execute("CHECKPOINT")


def _grow(cursor, start: int, end: int, channel: int, queue: int) -> None:
    cursor.execute("SELECT coalesce(max(id), 0) FROM inbox_interaction")
    base = cursor.fetchone()[0]
    span = f"generate_series({start + 1}, {end}) AS n"
    status = "CASE WHEN n % 20 = 0 THEN 'queued' ELSE 'closed' END"
    phone = "'+44' || lpad(n::text, 10, '0')"
    _copy_defaults(
        cursor,
        "patients_patient",
        {
            "mrn": "'B' || n", "given_name": "'Given' || n % 997", "family_name": "'Family' || n",
            "gender": "'unknown'", "language": "'en'", "sensitivity": "'none'",
        },
        f"{span} WHERE n % 4 = 0",
    )  # fmt: skip
    _copy_defaults(
        cursor,
        "patients_contactpoint",
        {"patient_id": "p.id", "scheme": "'phone'", "value": phone, "use": "'mobile'", "rank": "1"},
        f"{span} JOIN patients_patient p ON p.mrn = 'B' || n",
    )
    _copy_defaults(
        cursor,
        "inbox_interaction",
        {
            "id": f"{base} + n - {start}", "channel_id": str(channel), "queue_id": str(queue), "thread_key": phone,
            "contact_value": phone, "contact_scheme": "'phone'", "channel_kind": "'sms'", "direction": "'inbound'",
            "status": status, "priority": "3", "closed_at": f"CASE WHEN {status} = 'closed' THEN now() END",
            "opened_at": "now() - n % 90 * interval '1 day'", "last_message_at": "now() - n % 90 * interval '1 day'",
        },
        span,
    )  # fmt: skip
    cursor.execute("SELECT setval('inbox_interaction_id_seq', (SELECT max(id) FROM inbox_interaction))")
    _copy_defaults(
        cursor,
        "inbox_message",
        {
            "public_id": "gen_random_uuid()", "interaction_id": f"{base} + n - {start}", "channel_id": str(channel),
            "channel_kind": "'sms'", "direction": "'inbound'", "kind": "'text'", "status": "'received'",
            "address_scheme": "'phone'", "address": phone, "text": "'Good morning, is my result there yet?'",
            "provider": "'twilio_messaging'", "external_id": "'SMbb' || lpad(n::text, 30, '0')", "cc": "'[]'",
            "references": "'[]'", "payload": "'{}'", "template_variables": "'{}'", "purpose": "'reply'",
        },
        span,
    )  # fmt: skip
    _copy_defaults(
        cursor,
        "inbox_webhookevent",
        {
            "provider": "'twilio_messaging'", "kind": "'messaging'",
            "dedupe_key": "'in:SMbb' || lpad(n::text, 30, '0')",
            "external_id": "'SMbb' || lpad(n::text, 30, '0')", "status": "'processed'", "headers": "'{}'",
            "body": "repeat('x', 400)::bytea",
        },
        span,
    )  # fmt: skip


def _copy_defaults(cursor, table: str, given: dict[str, str], span: str) -> None:
    """Insert from a series; columns that must not be null and are not given get an empty value of their type."""
    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO'"
        " AND column_name <> 'id'",
        [table],
    )
    empty = {
        "boolean": "false",
        "timestamp with time zone": "now()",
        "jsonb": "'{}'",
        "ARRAY": "'{}'",
        "bytea": "''::bytea",
    }
    values = {
        name: empty.get(kind, "''" if "char" in kind or kind == "text" else "0") for name, kind in cursor.fetchall()
    } | given
    columns = ", ".join(f'"{name}"' for name in values)
    cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {', '.join(values.values())} FROM {span}")


def _at_size(link, size: int, channel: int, queue: int) -> tuple[Row, float]:
    product, floor, ratios = [], [], []
    for number in range(-1, ROUNDS):
        bare = _bare_inserts(link, number + 1, size, channel, queue)
        full = _drain(link, number + 1, size)
        if number >= 0:
            floor.append(bare)
            product.append(full)
            ratios.append(full / bare)
    middle, bare, ratio = statistics.median(product), statistics.median(floor), statistics.median(ratios)
    row = Row(
        f"one inbound message at {size:,} interactions",
        f"{middle:.2f} ms CPU",
        f"{bare:.2f} ms CPU",
        f"{ratio:.1f} × the inserts",
        f"≤ {GOAL:.0f} ×",
        ratio <= GOAL,
    )
    return row, middle


def _session_cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bare_inserts(link, number: int, size: int, channel: int, queue: int) -> float:
    """The rows of one message, written by psycopg2 alone: one transaction, one statement per row."""
    with contextlib.closing(psycopg2.connect(link.dsn)) as own:
        cursor = own.cursor()
        pid = own.info.backend_pid
        shapes = {
            table: _shape(cursor, table)
            for table in ("inbox_interaction", "inbox_message", "inbox_timelineevent", "inbox_webhookevent")
        }
        own.commit()
        before = time.process_time() + _session_cpu(pid)
        for item in range(MESSAGES):
            phone = f"+1212{number:01d}{size % 89:02d}{item:04d}"
            _insert(
                cursor,
                shapes["inbox_interaction"],
                channel_id=channel, queue_id=queue, thread_key=phone, contact_value=phone, contact_scheme="phone",
                channel_kind="sms", direction="inbound", status="queued", priority=3, unread_count=1,
                snippet="Good morning, is my result there yet?",
            )  # fmt: skip
            interaction = cursor.fetchone()[0]
            _insert(
                cursor,
                shapes["inbox_message"],
                interaction_id=interaction, channel_id=channel, channel_kind="sms", direction="inbound", kind="text",
                status="received", address_scheme="phone", address=phone, provider="bare", purpose="reply",
                text="Good morning, is my result there yet?", external_id=f"SMba{number}{size:08d}{item:06d}",
                public_id=f"{number:08x}-0000-4000-8000-{size:06x}{item:06x}",
            )  # fmt: skip
            _insert(cursor, shapes["inbox_timelineevent"], interaction_id=interaction, kind="opened", to_queue_id=queue)
            cursor.execute(
                "INSERT INTO inbox_topicsequence (topic, sequence) VALUES (%s, 1) ON CONFLICT (topic)"
                " DO UPDATE SET sequence = inbox_topicsequence.sequence + 1",
                [f"queue.{queue}"],
            )
            own.commit()
        return (time.process_time() + _session_cpu(pid) - before) / MESSAGES * 1000


def _shape(cursor, table: str) -> tuple[str, dict[str, object]]:
    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO'"
        " AND column_name <> 'id'",
        [table],
    )
    empty = {"boolean": False, "timestamp with time zone": datetime.datetime.now(datetime.UTC), "jsonb": Json({})}
    return table, {
        name: empty.get(kind, "" if "char" in kind or kind == "text" else 0) for name, kind in cursor.fetchall()
    }


def _insert(cursor, shape: tuple[str, dict[str, object]], **given: object) -> None:
    table, empty = shape
    values = empty | given
    columns = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(["%s"] * len(values))
    cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING id", list(values.values()))


def _drain(link, number: int, size: int) -> float:
    """Store the events of MESSAGES new senders, then let one worker process them."""
    from django.db import connection

    from inbox.services.ledger import drain_ledger

    rows = io.StringIO()
    for item in range(MESSAGES):
        sid = f"SM{number:02x}{size:010x}{item:020x}"
        params = {
            "MessageSid": sid, "AccountSid": ACCOUNT_SID, "To": ADDRESS, "NumMedia": "0", "SmsStatus": "received",
            "From": f"+1213{number:01d}{size % 89:02d}{item:04d}", "Body": "Good morning, is my result there yet?",
        }  # fmt: skip
        body = urlencode(params).encode().hex()
        form = "application/x-www-form-urlencoded"
        rows.write(f"twilio_messaging\tmessaging\tin:{sid}\t{sid}\treceived\t{form}\t\t{{}}\t\\\\x{body}\tnow\t0\t\n")
    rows.seek(0)
    link.cursor().copy_expert(
        "COPY inbox_webhookevent (provider, kind, dedupe_key, external_id, status, content_type, query, headers, body,"
        " received_at, attempts, error) FROM STDIN",
        rows,
    )
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    before = time.process_time() + _session_cpu(pid)
    tried = drain_ledger(limit=MESSAGES)
    cost = time.process_time() + _session_cpu(pid) - before
    link.cursor().execute("SELECT 1")
    _check(link, number, size, tried)
    return cost / MESSAGES * 1000


def _check(link, number: int, size: int, tried: int) -> None:
    cursor = link.cursor()
    cursor.execute("SELECT count(*) FROM inbox_message WHERE external_id LIKE %s", [f"SM{number:02x}{size:010x}%"])
    done = cursor.fetchone()[0]
    assert (tried, done) == (MESSAGES, MESSAGES), f"processed {done} of {MESSAGES}"
