"""One migrated database that every worker copies: migrating costs more than most folders of tests.

`python -m tests.template <run>` makes it beforehand, while something else is going on.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing

import django
import psycopg2
from django.conf import settings
from django.db import connection

PREFIX = "tests_template_"


def template_of(run: str) -> str:
    """The name of this run's migrated database; the first worker to ask makes it, the others wait for it.

    `run` is xdist's id of the run, hexadecimal.
    """
    name = PREFIX + run[:12]
    with closing(_link()) as link, link.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])  # goes with the session
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name])
        if not cursor.fetchone()[0]:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}_raw")
            cursor.execute(f"CREATE DATABASE {name}_raw")
            _migrate(f"{name}_raw")
            cursor.execute(f"ALTER DATABASE {name}_raw RENAME TO {name}")
    return name


def copy_patiently(copy: Callable[..., None]) -> Callable[..., None]:
    """Django's making of a test database, without the product's limits of time: all workers copy at once."""

    def copied(self, cursor, parameters, keepdb=False):
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET lock_timeout = 0")
        copy(self, cursor, parameters, keepdb)

    return copied


def drop_template(run: str) -> None:
    """Leave nothing on a server that outlives the run."""
    name = PREFIX + run[:12]
    with closing(_link()) as link, link.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"DROP DATABASE IF EXISTS {name}_raw")


def _link():
    # Without the product's limits: the others wait as long as migrating takes.
    link = psycopg2.connect(**connection.get_connection_params() | {"dbname": "postgres", "options": ""})
    link.autocommit = True
    return link


def _migrate(name: str) -> None:
    program = (
        "import django; from django.conf import settings;"
        f"settings.DATABASES['default']['NAME'] = {name!r};"
        "django.setup(); from django.core.management import call_command; call_command('migrate', verbosity=0)"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE},
        check=True,
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contact_center.settings_test")
    django.setup()
    template_of(sys.argv[1])
