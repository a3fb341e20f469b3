"""Idle memory of the whole stack, engines included, as proportional set size: shared pages count once."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.machine import ACCOUNT_SID, AUTH_TOKEN, ROOT, Row, free_port

GOAL_MB = 600
SETTLE_SECONDS = 20
NAMES = ("postgres", "valkey", "granian", "uvicorn", "celery", "beat", "mail_intake", "contact_center.simulator")


def measure() -> list[Row]:
    """Start everything of the Procfile but the simulated patients on a fresh folder, wait, and add up."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.chmod(folder, 0o755)
        procfile = Path(folder) / "Procfile"
        lines = (ROOT / "Procfile").read_text().splitlines()
        procfile.write_text("\n".join(line for line in lines if line and not line.startswith(("#", "traffic"))) + "\n")
        launcher = _launch(Path(folder), procfile)
        try:
            parts = _settled(launcher)
        finally:
            launcher.send_signal(2)
            launcher.wait(60)
    total = sum(parts.values())
    detail = ", ".join(f"{name} {size:.0f}" for name, size in sorted(parts.items(), key=lambda part: -part[1]))
    return [Row("idle memory of everything", f"{total:.0f} MB ({detail})", "", "", f"< {GOAL_MB} MB", total < GOAL_MB)]


def _launch(folder: Path, procfile: Path) -> subprocess.Popen[bytes]:
    ports = {name: str(free_port()) for name in ("WEB_PORT", "LIVE_PORT", "SIMULATOR_PORT", "SMTP_INTAKE_PORT")}
    ports["SIMULATOR_SMTP_PORT"] = str(free_port())
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    clean = {name: value for name, value in clean.items() if not name.startswith("CONTINUO_")}
    env = (
        clean
        | ports
        | {
            "DEBUG": "1",
            "SIMULATOR": "1",
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{ports['WEB_PORT']}",
            "LIVE_URL": f"ws://127.0.0.1:{ports['LIVE_PORT']}",
            "SIMULATOR_URL": f"http://127.0.0.1:{ports['SIMULATOR_PORT']}",
            "TWILIO_API_BASE_URL": f"http://127.0.0.1:{ports['SIMULATOR_PORT']}",
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "CONTINUO_DATA_DIR": f"{folder}/data",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
    )
    argv = [sys.executable, "-m", "benchmarks.memory", f"{folder}/data", str(procfile)]
    return subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _settled(launcher: subprocess.Popen[bytes]) -> dict[str, float]:
    """Megabytes per program once nothing more was started for a while."""
    known, since, begun = set(), time.monotonic(), time.monotonic()
    while time.monotonic() - since < SETTLE_SECONDS and time.monotonic() - begun < 240:
        assert launcher.poll() is None, "the launcher ended"
        now = {process.pid for process in psutil.Process(launcher.pid).children(recursive=True)}
        if now != known or len(now) < 12:
            known, since = now, time.monotonic()
        time.sleep(0.5)
    parts: dict[str, float] = {}
    for process in [psutil.Process(launcher.pid), *psutil.Process(launcher.pid).children(recursive=True)]:
        name = _name(process)
        parts[name] = parts.get(name, 0.0) + pss_megabytes(process.pid)
    missing = {name.split()[-1] for name in NAMES} - set(parts)
    assert not missing, f"not up in time: {', '.join(sorted(missing))}"
    return parts


def _name(process: psutil.Process) -> str:
    line = " ".join(process.cmdline()) or process.name()
    return next((name.split()[-1] for name in NAMES if name in line), "launcher")


def pss_megabytes(pid: int) -> float:
    """Proportional set size of one process; 0 when it has gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
    except (OSError, StopIteration):
        return 0.0


def _serve(data_dir: str, procfile: str) -> int:
    from contact_center import supervisor

    steps = (("migrate", "python manage.py migrate --noinput --verbosity 0"),)
    return supervisor.start(supervisor.Plan(data_dir=Path(data_dir), procfile=Path(procfile), steps=steps))


if __name__ == "__main__":
    sys.exit(_serve(*sys.argv[1:]))
