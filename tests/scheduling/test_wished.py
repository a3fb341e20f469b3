"""Days and hours that patients ask for: read where they are plain, never guessed."""

import json
from datetime import date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.wished import Wished, from_query, wished

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "dates-and-replies"
TODAY = date(2026, 11, 25)  # a Wednesday
DAY = timedelta(days=1)
KINDS = ("date", "daterange", "datetime", "datetimerange")


def day(text, after=None, before=None, *, last="", weekday=None):
    first = date.fromisoformat(text)
    hours = [time.fromisoformat(hour) if hour else None for hour in (after, before)]
    return Wished(first, date.fromisoformat(last) if last else first, weekday, *hours)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("next Tuesday after 3", day("2026-12-01", "15:00", weekday=1)),
        ("could we do Friday before 11 instead?", day("2026-11-27", None, "11:00", weekday=4)),
        ("next Friday", day("2026-11-27", last="2026-12-04", weekday=4)),  # this one or the one after
        ("Wednesday", day("2026-11-25", last="2026-12-02", weekday=2)),
        ("tomorrow morning", day("2026-11-26", "06:00", "12:00")),
        ("the day after tomorrow at 10:30", day("2026-11-27", "10:30", "10:30")),
        ("on December 3rd at 9am", day("2026-12-03", "09:00", "09:00")),
        ("Thursday, 3 December", day("2026-12-03")),
        ("next week please", day("2026-11-30", last="2026-12-06")),
        ("in two weeks", day("2026-12-09")),
        ("el próximo martes después de las 3", day("2026-12-01", "15:00", weekday=1)),
        ("mañana por la mañana", day("2026-11-26", "06:00", "12:00")),
        ("pasado mañana a las 4 de la tarde", day("2026-11-27", "16:00", "16:00")),
        ("mejor el 15 por la tarde", day("2026-12-15", "12:00", "18:00")),
        ("la semana que viene", day("2026-11-30", last="2026-12-06")),
        ("el 2 de enero", day("2027-01-02")),
        ("amanhã de manhã", day("2026-11-26", "06:00", "12:00")),
        ("dia 3 de dezembro às 14h", day("2026-12-03", "14:00", "14:00")),
        ("na quinta-feira depois das 15h", day("2026-11-26", "15:00", weekday=3)),
        ("semana que vem", day("2026-11-30", last="2026-12-06")),
        ("25/12", day("2026-12-25")),
        ("Tuesday between 2 and 4", day("2026-12-01", "14:00", "16:00", weekday=1)),
        ("10am to 12pm Monday morning", day("2026-11-30", "10:00", "12:00", weekday=0)),
        ("December 15, 1 - 2:30 pm", day("2026-12-15", "13:00", "14:30")),
        ("entre las 3 y las 5 de la tarde del lunes", day("2026-11-30", "15:00", "17:00", weekday=0)),
        ("das 14 às 16h na quinta-feira", day("2026-11-26", "14:00", "16:00", weekday=3)),
        ("Monday at 3 pm or later", day("2026-11-30", "15:00", weekday=0)),
        ("a partir de las 15 el lunes", day("2026-11-30", "15:00", weekday=0)),
        ("mañana a las tres", day("2026-11-26", "15:00", "15:00")),
        ("amanhã 8 horas da manhã", day("2026-11-26", "08:00", "08:00")),
        ("from the 3rd to 8 December", day("2026-12-03", last="2026-12-08")),
        ("entre el 28 de diciembre y 5 de enero", day("2026-12-28", last="2027-01-05")),
        ("entre hoy y mañana", day("2026-11-25", last="2026-11-26")),
        ("three days from now", day("2026-11-28")),
        ("the following week", day("2026-11-30", last="2026-12-06")),
        ("this weekend", day("2026-11-28", last="2026-11-29")),
        ("no fim de semana", day("2026-11-28", last="2026-11-29")),
        ("does Tuesday at 10 work?", day("2026-12-01", "10:00", "10:00", weekday=1)),
        ("tomorrow at 3 or later", day("2026-11-26", "15:00")),
        ("tomorrow at ten to three", day("2026-11-26")),  # the day at least
        ("el domingo 31", day("2027-01-31")),
        ("el 21 del 3", day("2027-03-21")),
    ],
)
def test_plain_wishes_are_read(text, meant):
    assert wished(text, TODAY) == meant


@pytest.mark.parametrize(
    "text",
    [
        "", "another time", "not Monday", "any day but Tuesday", "Tuesday or Thursday", "every Tuesday", "12/5",
        "last Tuesday", "from Monday on", "on the 7th after 7", "Monday, 3 December", "el lunes no puedo",
        "entre el lunes y el jueves", "yesterday", "el 31 de febrero", "2026-11-01", "Friday at 3 and at 5",
        "menos na sexta", "tomorrow afternoon at 9am", "from 3 to 5", "Friday 3", "not between 3 and 5 on Tuesday",
        "next weekend", "the weekend of Halloween", "in two to three weeks", "sexta-feira 23 a 4",
        "Tuesday between 2 and 4 or at 5", "from 5 to 3 December", "jueves 10 a las 15:30", "sexta 11 às 14h",
        "viernes 20 en adelante", "Friday 20 or later", "Can we do it Tuesday? I work from 9 to 5", "busy this weekend",
        "I'm away from December 20 to January 5", "estoy de viaje del 1 al 10 de diciembre", "any weekend",
        "um fim de semana em dezembro", "within two weeks from now", "two to three weeks from now", "dia 0",
        "entre 20 y 22 de este mes", "between 10 and 12 of next month", "viernes 15", "cualquier dia", "x" * 300,
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_a_person(text):
    assert wished(text, TODAY) is None


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_no_text_and_no_day_is_too_odd(text, today):
    found = wished(text, today)
    assert found is None or (found.first >= today and found.days())


def test_a_wish_comes_back_from_an_address_and_nothing_else_does():
    wish = wished("next Tuesday after 3", TODAY)
    assert from_query(dict(parse_qsl(wish.query())), TODAY) == wish
    wrong = ({}, {"from": "x", "until": "y"}, {"from": "2026-12-01", "until": "2026-11-30"},
             {"from": "2026-12-01", "until": "2026-12-02", "day": "9"},
             {"from": "2026-12-01", "until": "2027-12-01"},
             {"from": "2026-12-01", "until": "2026-12-02", "after": "15:00+02:00"})  # fmt: skip
    assert [from_query(given, TODAY) for given in wrong] == [None] * len(wrong)


def is_right(got, expected, today):
    """Whether one of the expected values lies in the days that were read (a span: is those days)."""
    for value in expected:
        text, end = value.get("value") or value.get("start") or value.get("end"), value.get("end")
        try:
            first = date.fromisoformat(text[:10])
        except (TypeError, ValueError):
            continue
        if len(got.days()) <= 2 and first in got.days():
            return True
        # Weeks and months end there on the day after, days that are named on the last of them.
        if end and max(first, today) == got.first and date.fromisoformat(end[:10]) - got.last in (DAY, timedelta()):
            return True
    return False


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the expressions are not here")
@pytest.mark.parametrize(("language", "fewest"), [("english", 19), ("spanish", 23), ("portuguese", 3)])
def test_of_many_expressions_about_time_none_is_read_wrongly(language, fewest):
    counts = {"right": 0, "handed to a person": 0, "wrong": 0}
    for one in json.loads((FOLDER / f"{language}-DateTimeModel.json").read_text()):
        at = (one.get("Context") or {}).get("ReferenceDateTime")
        if at is None:
            continue
        today = datetime.fromisoformat(at).date()
        got = wished(one["Input"], today)
        results = [result for result in one["Results"] if result["TypeName"].split(".")[-1] in KINDS]
        expected = [value for result in results for value in (result["Resolution"] or {}).get("values", [])]
        is_known = got is not None and is_right(got, expected, today)
        counts["handed to a person" if got is None else "right" if is_known else "wrong"] += 1
    print(f"Dates, {language}: {counts}")
    assert (counts["wrong"], counts["right"] >= fewest) == (0, True)
