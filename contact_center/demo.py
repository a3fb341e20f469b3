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
        "SIMULATOR": "1",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{ports['WEB_PORT']}",
        "LIVE_URL": f"ws://127.0.0.1:{ports['LIVE_PORT']}",
        "SIMULATOR_URL": simulator,
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_BASE_URL": simulator,
    }


def static_fingerprint() -> str:
    """Changes when a static file of ours or a package that brings some changes."""
    digest = hashlib.sha256((BASE_DIR / "requirements" / "base.txt").read_bytes())
    for path in sorted(BASE_DIR.glob("static/**/*")) + sorted(BASE_DIR.glob("**/apps.py")):
        if path.is_file() and ".venv" not in path.parts:
            digest.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def collect_command(data_dir: Path) -> str:
    """Compressing every file takes half a minute: only when a file changed since the last time."""
    stamp, wanted = data_dir / "static.stamp", static_fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    collect = "python manage.py collectstatic --noinput --verbosity 0"
    return f"sh -c {shlex.quote(f'{collect} && printf %s {wanted} > {shlex.quote(str(stamp))}')}"


def plan(scale: int, *, has_traffic: bool) -> supervisor.Plan:
    """Migrate, seed, collect, start, wait. Reads the addresses from the environment."""
    web, simulator = os.environ["PUBLIC_BASE_URL"], os.environ["SIMULATOR_URL"]
    data_dir = embedded.default_data_dir()
    return supervisor.Plan(
        data_dir=data_dir,
        without=() if has_traffic else ("traffic",),
        steps=(
            ("migrate the database", "python manage.py migrate --noinput --verbosity 0"),
            ("seed the clinic", f"python manage.py seed --scale {scale}"),
            ("collect static files", collect_command(data_dir)),
        ),
        ports=[int(os.environ[name]) for name in PORTS],
        ready_url=f"http://127.0.0.1:{os.environ['WEB_PORT']}/readyz",
        announcement=(
            f"  Continuo is ready:    {web}\n"
            f"  The patient's phone:  {simulator}\n"
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
