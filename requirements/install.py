# ruff: noqa: T201, UP036
"""Makes the virtual environment and keeps it equal to the locks. Needs nothing but Python 3.11 or newer.

    python3 requirements/install.py base        what running needs
    python3 requirements/install.py base test   and what testing needs

A stamp with the locks' hash makes the next call take milliseconds.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
VENV = FOLDER.parent / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"


def say(text: str) -> None:
    """One line of progress."""
    print(f"   install | {text}", flush=True)


def fingerprint(names: list[str]) -> str:
    """Stands for the locks, the interpreter and the place: a moved environment has wrong paths in its scripts."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {VENV}".encode())
    for name in names:
        digest.update((FOLDER / f"{name}.txt").read_bytes())
    return digest.hexdigest()


def stamps() -> dict[str, str]:
    """Lock name → fingerprint of what is installed."""
    if not STAMP.exists() or not PYTHON.exists():
        return {}
    return dict(line.split(maxsplit=1) for line in STAMP.read_text().splitlines() if " " in line)


def run(*argv: str | Path) -> bool:
    """Whether the command succeeded; its output is the user's to see."""
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    return subprocess.run([str(part) for part in argv], env=environment | {"VIRTUAL_ENV": str(VENV)}).returncode == 0


def is_usable() -> bool:
    """Whether .venv is of this Python version and was made where it stands."""
    version = "import sys; sys.exit(sys.version_info[:2] != ({}, {}))".format(*sys.version_info[:2])
    pip = VENV / "bin" / "pip"
    return pip.exists() and str(PYTHON.parent) in pip.read_text() and run(PYTHON, "-c", version)


def make_environment() -> None:
    """A fresh virtual environment with pip. Exits with a sentence when this Python cannot make one."""
    begun = time.monotonic()
    shutil.rmtree(VENV, ignore_errors=True)
    if not run(sys.executable, "-m", "venv", VENV):
        sys.exit("This Python cannot make a virtual environment; on Debian: apt-get install python3-venv")
    say(f"made .venv in {time.monotonic() - begun:.1f} s")


def install(name: str) -> None:
    """Install one lock, by uv when that works and by pip otherwise. Exits with a sentence when neither does."""
    begun = time.monotonic()
    lock = FOLDER / f"{name}.txt"
    say(f"installing {name}.txt …")
    quiet_pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
    uv = VENV / "bin" / "uv"
    has_uv = uv.exists() or run(*quiet_pip, FOLDER / "bootstrap.txt")
    installed = has_uv and run(uv, "pip", "install", "--quiet", "--python", PYTHON, "--require-hashes", "-r", lock)
    if not installed:
        say("uv could not; trying pip …")
        installed = run(*quiet_pip, lock)
    if not installed:
        sys.exit(f"The packages of requirements/{name}.txt could not be installed: see the lines above.")
    say(f"installed {name}.txt in {time.monotonic() - begun:.1f} s")


def main(names: list[str]) -> None:
    """Bring the environment to these locks, in order; two calls at once take turns."""
    if sys.version_info < (3, 11):
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    turn = os.open(FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        bring(names)
    finally:
        os.close(turn)


def bring(names: list[str]) -> None:
    """The work of main, while nobody else does the same."""
    wanted = {name: fingerprint(["base", name] if name != "base" else ["base"]) for name in names}
    found = stamps()
    if all(found.get(name) == value for name, value in wanted.items()):
        return
    if not is_usable():
        make_environment()
        found = {}
    for name, value in wanted.items():
        if found.get(name) != value:
            install(name)
            found = (found if name != "base" else {}) | {name: value}
            STAMP.write_text("".join(f"{key} {text}\n" for key, text in found.items()))


if __name__ == "__main__":
    main(sys.argv[1:] or ["base"])
