"""What production must not forget: Django's own deployment checks, secrets from the environment only, safe defaults."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 60 + "0123456789abcdefghij"
PRODUCTION = {
    "DEBUG": "0", "SIMULATOR": "0", "SECRET_KEY": KEY, "FIELD_KEYS": "a:" + "A" * 43 + "=",
    "PUBLIC_BASE_URL": "https://care.example.org", "LIVE_URL": "wss://care.example.org",
    "ALLOWED_HOSTS": "care.example.org", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0", "DJANGO_SETTINGS_MODULE": "contact_center.settings",
}  # fmt: skip
UNSET = {"DJANGO_ALLOW_ASYNC_UNSAFE", "SECOND_FACTOR_REQUIRED", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"}


def run(*argv, **changed):
    clean = {name: value for name, value in os.environ.items() if name not in UNSET}
    environment = {name: value for name, value in (clean | PRODUCTION | changed).items() if value is not None}
    return subprocess.run(
        [sys.executable, *argv], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110
    )


def test_djangos_deployment_checks_find_nothing():
    result = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (result.returncode, "no issues" in result.stdout) == (0, True), result.stderr[-2000:]


def test_production_asks_for_second_factors_and_safe_cookies_unless_told_otherwise():
    names = ["SECOND_FACTOR_REQUIRED", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT"]
    names.append("SESSION_COOKIE_HTTPONLY")
    code = f"from contact_center import settings as s; print([getattr(s, n) for n in {names!r}])"
    assert run("-c", code).stdout.strip() == str([True] * 5)
    assert run("-c", code, SECOND_FACTOR_REQUIRED="0").stdout.strip() == str([False, *[True] * 4])


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS"])
def test_production_does_not_start_without_its_secrets(name):
    result = run("-c", "import contact_center.settings", **{name: ""})
    assert (result.returncode != 0, f"{name} is not set" in result.stderr) == (True, True)


SECRET_NAME = re.compile(r"(SECRET|PASSWORD|TOKEN|API_KEY|FIELD_KEYS|CREDENTIAL)", re.IGNORECASE)
LITERAL = re.compile(r"""^\s*([A-Za-z_]*(?:SECRET|PASSWORD|TOKEN|API_KEY)[A-Za-z_]*)\s*=\s*["']([^"'{}$]{8,})["']""")
KNOWN = {
    ("contact_center/settings.py", "SECRET_KEY"),  # of the demo, refused while DEBUG=0
    ("contact_center/settings.py", "KNOX_TOKEN_MODEL"),
    ("contact_center/accounts/enums.py", "MANAGE_API_KEYS"),
    ("inbox/webforms.py", "TOKEN"),  # names of a field and of a salt
    ("inbox/webforms.py", "TOKEN_SALT"),
    ("contact_center/aurora/staff.py", "PASSWORD"),
    ("contact_center/accounts/management/commands/demo_logins.py", "DEMO_PASSWORD"),
}


def test_no_secret_stands_in_the_code():
    found = set()
    for app in ("contact_center", "patients", "inbox", "scheduling", "complaints", "analytics"):
        for path in (ROOT / app).rglob("*.py"):
            for line in path.read_text().splitlines():
                if match := LITERAL.match(line):
                    found.add((str(path.relative_to(ROOT)), match[1]))
    assert found - KNOWN == set()
