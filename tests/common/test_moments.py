"""When something is, as people read it."""

import re
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.template import Context, Template
from django.utils import timezone, translation

from contact_center.common.moments import moment_words

NOON = datetime(2026, 11, 19, 14, 40, 5, tzinfo=UTC)  # 09:40 in New York
MACHINE_SHAPES = r"\|(?:date|time):(?!(['\"])(?:c|U|Y-m-d|D|j|M)\1)"


@pytest.fixture(autouse=True)
def this_day():
    with time_machine.travel(NOON, tick=False), timezone.override("America/New_York"):
        yield


@pytest.mark.parametrize(
    ("shape", "en", "es", "pt"),
    [
        ("time", "09:40", "09:40", "09:40"),
        ("seconds", "09:40:05", "09:40:05", "09:40:05"),
        ("near", "09:40", "09:40", "09:40"),
        ("day", "19 Nov", "19 nov", "19 nov"),
        ("weekday", "Thu 19 Nov", "jue 19 nov", "qui 19 nov"),
        ("date", "19 Nov 2026", "19 nov 2026", "19 nov 2026"),
        ("dated", "Thu 19 Nov 2026, 09:40", "jue 19 nov 2026, 09:40", "qui 19 nov 2026, 09:40"),
        ("moment", "Thu 19 Nov, 09:40", "jue 19 nov, 09:40", "qui 19 nov, 09:40"),
        ("exact", "19 Nov 2026, 09:40:05", "19 nov 2026, 09:40:05", "19 nov 2026, 09:40:05"),
        ("day_name", "Thursday", "jueves", "quinta-feira"),
        ("full_day", "Thursday 19 November", "jueves 19 de noviembre", "quinta-feira, 19 de novembro"),
        ("full", "Thursday 19 November, 09:40", "jueves 19 de noviembre, 09:40", "quinta-feira, 19 de novembro, 09:40"),
        (
            "full_year",
            "Thursday 19 November 2026, 09:40",
            "jueves 19 de noviembre de 2026, 09:40",
            "quinta-feira, 19 de novembro de 2026, 09:40",
        ),
    ],
)
def test_a_moment_is_said_as_the_language_says_it(shape, en, es, pt):
    said = {}
    for language in ("en", "es", "pt"):
        with translation.override(language):
            said[language] = moment_words(NOON, shape)
    assert said == {"en": en, "es": es, "pt": pt}


def test_the_year_is_said_where_it_is_another_one():
    then = datetime(2025, 1, 2, 12, tzinfo=UTC)
    with translation.override("pt"):
        assert moment_words(then, "full_day") == "quinta-feira, 2 de janeiro de 2025"
    assert [moment_words(then, shape) for shape in ("moment", "near", "day_name")] == [
        "Thu 2 Jan 2025, 07:00",
        "2 Jan 2025",
        "Thursday",
    ]


def test_it_is_the_clock_of_the_place_that_counts():
    madrid = ZoneInfo("Europe/Madrid")
    page = Template("{% load tz %}{{ at|when }} · {{ at|timezone:zone|when:'time' }} · {{ day|when }} · {{ no|when }}.")
    assert moment_words(NOON, "moment", madrid) == "Thu 19 Nov, 15:40"
    drawn = page.render(Context({"at": NOON, "zone": madrid, "day": date(2026, 11, 20), "no": None}))
    assert drawn == "Thu 19 Nov, 09:40 · 15:40 · Fri 20 Nov · ."
    assert moment_words(time(18, 5), "time") == "18:05"


def test_pages_write_no_moment_in_a_shape_of_their_own():
    own = {
        str(path): found
        for path in Path("templates").rglob("*.html")
        if (found := [hit[0] for hit in re.finditer(MACHINE_SHAPES + ".{12}", path.read_text())])
    }
    assert own == {}
