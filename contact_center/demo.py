"""`make demo`: the whole product on this machine with a seeded clinic and simulated patients. Imports no Django."""

import argparse
import hashlib
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from contact_center import embedded, supervisor
from contact_center.embedded import BASE_DIR

ACCOUNT_SID, AUTH_TOKEN = "AC00000000000000000000000000000de0", "demo-auth-token-not-a-secret"
PORTS = {
    "WEB_PORT": 8000,
    "LIVE_PORT": 8001,
    "SIMULATOR_PORT": 8002,
    "SMTP_INTAKE_PORT": 2525,
    "SIMULATOR_SMTP_PORT": 2526,
}


def environment(offset: int) -> dict[str, str]:
    """The demo's settings where the environment says nothing; `offset` moves every port."""
    ports = {name: os.environ.get(name) or str(number + offset) for name, number in PORTS.items()}
    simulator = f"http://127.0.0.1:{ports['SIMULATOR_PORT']}"
    return {
        **ports,
        "DEBUG": "1",
        "ORGANISATION_NAME": "Aurora Health",
        "SIMULATOR": "1",
        "CALL_COUNTRIES": "US,GB",
        "LOG_LEVEL": "WARNING",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{ports['WEB_PORT']}",
        "LIVE_URL": f"ws://127.0.0.1:{ports['LIVE_PORT']}",
        "SIMULATOR_URL": simulator,
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_BASE_URL": simulator,
        "TWILIO_API_KEY_SID": "SK00000000000000000000000000000de0",
        "TWILIO_API_KEY_SECRET": "demo-key-secret-not-a-secret",
        "TWILIO_TWIML_APP_SID": "AP00000000000000000000000000000de0",
    }


def fingerprint(*patterns: str, extra: str = "") -> str:
    """Changes when one of these files, the locked packages or `extra` changes."""
    digest = hashlib.sha256((BASE_DIR / "requirements" / "base.txt").read_bytes() + extra.encode())
    for path in sorted(path for pattern in patterns for path in BASE_DIR.glob(pattern) if path.is_file()):
        if not path.is_relative_to(BASE_DIR / ".venv"):
            digest.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def unless_done(command: str, stamp: Path, wanted: str) -> str:
    """The command, which leaves the stamp when it succeeds, or nothing when the stamp is there: a start of Django takes
    seconds that a warm start does not have. The stamp lies in the data folder and goes with it."""
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    return f"sh -c {shlex.quote(f'{command} && printf %s {wanted} > {shlex.quote(str(stamp))}')}"


def steps(data_dir: Path, scale: int) -> list[tuple[str, str]]:
    """What must be done before the processes start; on servers that others look after, everything each time."""
    manage = "python manage.py"
    schema, collected = fingerprint("**/migrations/*.py"), fingerprint("static/**/*", "**/apps.py")
    seeded = fingerprint("**/management/commands/seed.py", extra=f"{schema} {scale}")
    todo = [
        ("migrate the database", f"{manage} migrate --noinput --verbosity 0", "migrated", schema),
        ("seed the clinic", f"{manage} seed --scale {scale}", "seeded", seeded),
        ("collect static files", f"{manage} collectstatic --noinput --verbosity 0", "collected", collected),
    ]
    if os.environ.get("DATABASE_URL"):
        return [(title, command) for title, command, *_ in todo]
    return [(title, unless_done(command, data_dir / f"{name}.stamp", wanted)) for title, command, name, wanted in todo]


def plan(scale: int, *, has_traffic: bool) -> supervisor.Plan:
    """Migrate, seed, collect, start, wait. Reads the addresses from the environment."""
    web, simulator = os.environ["PUBLIC_BASE_URL"], os.environ["SIMULATOR_URL"]
    data_dir = embedded.default_data_dir()
    return supervisor.Plan(
        data_dir=data_dir,
        without=() if has_traffic else ("traffic",),
        steps=steps(data_dir, scale),
        ports=[int(os.environ[name]) for name in PORTS],
        ready_urls=(f"http://127.0.0.1:{os.environ['WEB_PORT']}/readyz", f"{simulator}/_state"),
        announcement=(
            f"  Continuo is ready:    {web}\n"
            f"  The patient's phone:  {simulator}\n"
            f"  The public web forms: {web}/forms/\n"
            f"  The patient's page:   {web}/my/\n"
            f"  Twilio demo account:  {os.environ['TWILIO_ACCOUNT_SID']}  token {os.environ['TWILIO_AUTH_TOKEN']}\n"
            "  Ctrl+C stops everything; the data stays. `make reset` starts afresh.\n"
        ),
        announce_command="python manage.py demo_logins",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of `python -m contact_center.demo`; see --help."""
    parser = argparse.ArgumentParser(prog="python -m contact_center.demo", description=__doc__)
    parser.add_argument("--scale", type=int, default=2000, help="how many patients a fresh clinic has")
    parser.add_argument("--offset", type=int, default=0, help="added to every port, for a second demo on one machine")
    parser.add_argument(
        "--traffic", action=argparse.BooleanOptionalAction, default=True, help="simulated patients write"
    )
    options = parser.parse_args(arguments)
    embedded.load_dotenv()
    for name, value in environment(options.offset).items():
        os.environ.setdefault(name, value)
    return supervisor.start(plan(options.scale, has_traffic=options.traffic))


if __name__ == "__main__":
    sys.exit(main())
