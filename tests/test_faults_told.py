"""What a failing database is called in an answer, and how little of any failure reaches the log."""

import io
import json
import logging
from types import SimpleNamespace

import pytest
import redis
import structlog
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from django.urls import reverse

from contact_center.common.errors import Refused
from contact_center.common.logs import formatter

CANARY = "+13055550100"
NOTHING_SAVED = "Nothing was saved"
HTML = {"Accept": "text/html"}


def failing_with(state):
    """Django's error as it stands on the driver's, which carries the SQLSTATE."""
    error = OperationalError("failed")
    error.__cause__ = type("DriverError", (Exception,), {"pgcode": state})()
    return error


def ran_out_of_time():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 10")
        cursor.execute("SELECT pg_sleep(1)")


def answer_to(client, monkeypatch, error):
    client.raise_request_exception = False

    def fail(self):
        if not isinstance(error, Exception):
            error()
        raise error

    monkeypatch.setattr(SessionStore, "load", fail)
    return client.get(reverse("inbox:list"), headers=HTML)


@pytest.mark.django_db
@pytest.mark.parametrize("is_debug", [False, True])
def test_a_signed_in_person_is_told_503_when_the_database_fails_before_the_view(
    agent, signed_in, monkeypatch, settings, is_debug
):
    settings.DEBUG = is_debug
    answer = answer_to(signed_in(agent), monkeypatch, OperationalError("server closed the connection"))
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "5", "no-store")
    assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (ran_out_of_time, "This took too long and was stopped."),
        (failing_with("40P01"), "Others were changing the same thing."),
        (failing_with("55P03"), "Others were changing the same thing."),
        (failing_with(None), "The connection to the database broke."),
    ],
)
def test_what_may_have_been_saved_is_never_said_to_be_lost(agent, signed_in, monkeypatch, failure, sentence):
    page = answer_to(signed_in(agent), monkeypatch, failure).content.decode()
    assert (sentence in page, "before you try again" in page, NOTHING_SAVED in page) == (True, True, False)


@pytest.mark.django_db
def test_without_any_connection_nothing_was_saved(agent, signed_in, monkeypatch):
    monkeypatch.setattr("contact_center.common.middleware.connection", SimpleNamespace(connection=None))
    page = answer_to(signed_in(agent), monkeypatch, OperationalError("connection refused")).content.decode()
    assert NOTHING_SAVED in page


# ---- the log ----


def line_of(error, event="Internal Server Error: %s", args=("/inbox/1/",)):
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(formatter())
    try:
        raise error
    except Exception as raised:
        info = (type(raised), raised, raised.__traceback__)
    return handler.format(logging.getLogger("django.request").makeRecord("x", 40, "f", 1, event, args, info))


def test_a_failure_is_logged_with_type_and_frames_but_without_the_words_of_the_driver():
    words = f"duplicate key value\nDETAIL:  Key (patient_id, value)=(1, {CANARY}) already exists."
    told = json.loads(line_of(IntegrityError(words)))
    assert CANARY not in json.dumps(told)
    assert told["event"] == "Internal Server Error: /inbox/1/"
    assert told["exception"].endswith("django.db.utils.IntegrityError")
    assert "in line_of" in told["exception"]


def test_the_words_of_an_error_behind_the_error_are_not_logged_either():
    error = OperationalError("wrapped")
    error.__cause__ = ValidationError({"value": [f"{CANARY} is wrong"]})
    told = line_of(error)
    assert (CANARY in told, "ValidationError" in told) == (False, True)


@pytest.mark.parametrize("event", ["Task raised unexpected: %s", "Task raised unexpected: %r"])
def test_a_library_that_repeats_the_error_in_its_sentence_says_only_its_type(event):
    error = ValueError(f"cannot read\n{CANARY}")
    told = json.loads(line_of(error, event, (error,)))
    assert told["event"] == "Task raised unexpected: ValueError"


def test_our_own_errors_keep_their_sentence():
    assert json.loads(line_of(Refused("Take this interaction first.")))["exception"].endswith(
        "errors.Refused: Take this interaction first."
    )


def test_an_error_logged_through_structlog_is_cut_as_well():
    handler = logging.StreamHandler(stream := io.StringIO())
    handler.setFormatter(formatter())
    logger = logging.getLogger("canary")
    logger.addHandler(handler)
    try:
        raise ValueError(CANARY)
    except ValueError:
        structlog.get_logger("canary").exception("failed")
    logger.removeHandler(handler)
    told = json.loads(stream.getvalue())
    assert (told["event"], CANARY in stream.getvalue()) == ("failed", False)
    assert told["exception"].endswith("ValueError")


# ---- small promises ----


def test_an_unattended_screen_is_signed_out_after_fifteen_minutes():
    assert settings.SESSION_IDLE_SECONDS == 900


@pytest.mark.django_db
def test_asking_for_readiness_leaves_no_connection_to_redis_behind(client):
    watch = redis.Redis.from_url(settings.REDIS_URL)
    name = lambda: {entry["id"] for entry in watch.client_list()}  # noqa: E731
    before = name()
    for _ in range(3):
        client.get("/readyz")
    assert name() - before == set()
