"""PostgreSQL and Valkey from wheels, under our own care, for a machine that has neither. Imports no Django.

The addresses follow from the data folder alone, so every process finds the engines without asking anybody.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from contact_center import engine_files as files
from contact_center.engine_addresses import (
    DATABASE,
    ROLE,
    TEMPORARY,
    EngineError,
    database_url,
    engine_user,
    redis_url,
    resolved,
    socket_dir,
)
from contact_center.processes import Child, Console, Program, StopRequested, Supervisor

ENGINE_GRACE_S, ENGINE_LONGEST_DELAY_S, LOG_LIMIT_BYTES = 60.0, 2.0, 10_000_000
BASE_DIR = Path(__file__).resolve().parent.parent


def explain(data_dir: Path | str) -> str | None:
    """None when both engines answer, else one plain sentence that says which does not and what to do."""
    missing = [
        name
        for name, answers in (("PostgreSQL", postgres_answers), ("Valkey", valkey_answers))
        if not answers(resolved(data_dir))
    ]
    if not missing:
        return None
    return (
        f"{' and '.join(missing)} of {resolved(data_dir)} cannot be reached: start them with `make demo`, "
        "or set DATABASE_URL and REDIS_URL to servers that run."
    )


def postgres_answers(data_dir: Path, database: str = "postgres") -> bool:
    """Whether the embedded PostgreSQL of this folder accepts a connection and a query now."""
    import psycopg2

    url = database_url(data_dir).replace(f"/{DATABASE}?", f"/{database}?")
    try:
        with contextlib.closing(psycopg2.connect(url, connect_timeout=2)) as connection:
            connection.cursor().execute("SELECT 1")
    except psycopg2.Error:
        return False
    return True


def valkey_answers(data_dir: Path) -> bool:
    """Whether the embedded Valkey of this folder has loaded its data and answers now."""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(2)
            link.connect(f"{socket_dir(data_dir)}/valkey.sock")
            link.sendall(b"PING\r\n")
            return link.recv(16).startswith(b"+PONG")
    except OSError:
        return False


class Engines:
    """Both engines (or one) of one data folder under a supervisor. The caller holds the folder's lock."""

    def __init__(
        self,
        data_dir: Path,
        supervisor: Supervisor,
        *,
        with_postgres: bool = True,
        with_valkey: bool = True,
        is_ephemeral: bool = False,
    ) -> None:
        self.data_dir, self.supervisor, self.is_ephemeral = data_dir, supervisor, is_ephemeral
        self.with_postgres, self.with_valkey = with_postgres, with_valkey
        self.children: list[Child] = []

    def start(self) -> None:
        """Return when the engines answer, however long a recovery takes. Raises EngineError and StopRequested."""
        self.user = engine_user()
        self.home = files.claim_home(self.data_dir, self.user)
        files.end_leftovers(self.data_dir, self.home)
        if not (self.with_postgres or self.with_valkey):
            return
        files.forget_vanished_homes()
        files.require_space(self.home)
        self.binaries = files.find_binaries(self.user)
        self.sockets = files.owned_folder(socket_dir(self.data_dir), self.user)
        files.owned_folder(self.home / "log", self.user)
        if self.with_valkey:
            self._start_valkey()
        if self.with_postgres:
            self._start_postgres()

    def stop(self) -> None:
        """Stop the engines, PostgreSQL last."""
        for child in self.children:
            self.supervisor.stop([child])
        if self.children:
            with contextlib.suppress(OSError):
                socket_dir(self.data_dir).rmdir()

    # ---- PostgreSQL ----

    def _start_postgres(self) -> None:
        data = self.home / "postgres"
        if not (data / "PG_VERSION").exists():
            self._create_cluster(data)
        self._write_access_rules(data)
        child = self._start("postgres", self._postgres_argv(data), data, signal.SIGINT, self._clear_postgres)
        self.children.append(child)
        self._wait_for(child, lambda: postgres_answers(self.data_dir), "PostgreSQL")
        self._create_database()

    def _create_cluster(self, data: Path) -> None:
        for half_made in self.home.glob("postgres.new*"):
            shutil.rmtree(half_made)
        fresh = self.home / f"postgres.new{os.getpid()}"
        argv = [
            str(self.binaries.initdb), "-D", str(fresh), "-U", ROLE, "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST", "--auth=peer", "--data-checksums",
        ]  # fmt: skip
        program = self._program("initdb", argv + ["--no-sync"] * self.is_ephemeral, self.home, signal.SIGTERM)
        if self.supervisor.run(program):
            raise EngineError(f"PostgreSQL cannot create its database in {self.home}: {self._last_words('initdb')}")
        fresh.rename(data)

    def _write_access_rules(self, data: Path) -> None:
        # Peer: the kernel vouches for the caller's account, so a stray local user is refused even at an open socket.
        names = {self.user.pw_name, "root"} if os.geteuid() == 0 else {self.user.pw_name}
        mapping = "".join(f'engines "{name}" {ROLE}\n' for name in sorted(names - {"nobody"}))
        for name, text in (("pg_hba.conf", "local all all peer map=engines\n"), ("pg_ident.conf", mapping)):
            (data / name).write_text(text)
            os.chown(data / name, self.user.pw_uid, self.user.pw_gid)

    def _postgres_argv(self, data: Path) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "shared_buffers": os.environ.get("CONTINUO_SHARED_BUFFERS", "48MB"),
            "jit": "off",
            "io_workers": "1",
            "max_wal_size": "512MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            # Statements and details hold patient data: logs carry ids, never names, numbers or text.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        if self.is_ephemeral:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries.postgres), "-D", str(data), *options]

    def _clear_postgres(self) -> bool:
        """Whether a new postmaster may start; then no file of the old one is left that could refuse it."""
        data = self.home / "postgres"
        pid_file = data / "postmaster.pid"
        leftovers = files.engine_processes(self.home, "postgres")
        if leftovers:
            files.send(leftovers, signal.SIGQUIT)
            return False
        if pid_file.exists():
            if files.shared_memory_is_attached(pid_file):
                return False
            pid_file.unlink(missing_ok=True)
        for stale in self.sockets.glob(".s.PGSQL.*"):
            stale.unlink(missing_ok=True)
        return True

    def _create_database(self) -> None:
        import psycopg2

        url = database_url(self.data_dir).replace(f"/{DATABASE}?", "/postgres?")
        with contextlib.closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE}")

    # ---- Valkey ----

    def _start_valkey(self) -> None:
        folder = files.owned_folder(self.home / "valkey", self.user)
        argv = [str(self.binaries.valkey), "--port", "0", "--unixsocket", f"{self.sockets}/valkey.sock"]
        argv += ["--unixsocketperm", "700", "--dir", "./", "--save", "", "--maxmemory-policy", "noeviction"]
        argv += ["--appendonly", "no" if self.is_ephemeral else "yes", "--appendfsync", "everysec", "--databases", "16"]
        child = self._start("valkey", argv, folder, signal.SIGTERM, self._clear_valkey)
        self.children.insert(0, child)
        self._wait_for(child, lambda: valkey_answers(self.data_dir), "Valkey")

    def _clear_valkey(self) -> bool:
        leftovers = files.engine_processes(self.home, "valkey")
        if leftovers:
            files.send(leftovers, signal.SIGTERM)
            return False
        (self.sockets / "valkey.sock").unlink(missing_ok=True)
        return True

    # ---- both ----

    def _program(self, name: str, argv: list[str], cwd: Path, stop_signal: signal.Signals, **more: object) -> Program:
        log = self.home / "log" / f"{name}.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        return Program(
            name, argv, environment, cwd, self.user, inherit_env=False, log=log, stop_signal=stop_signal,
            grace=ENGINE_GRACE_S, longest_delay=ENGINE_LONGEST_DELAY_S, restart="may_start" in more, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def _start(
        self, name: str, argv: list[str], cwd: Path, stop_signal: signal.Signals, clear: Callable[[], bool]
    ) -> Child:
        return self.supervisor.start(self._program(name, argv, cwd, stop_signal, may_start=clear))

    def _wait_for(self, child: Child, answers: Callable[[], bool], label: str) -> None:
        begun, told = time.monotonic(), False

        def is_ready() -> bool:
            nonlocal told
            if child.starts >= 3 or (child.starts == 0 and time.monotonic() - begun > 20):
                raise EngineError(f"{label} does not start on {self.home}: {self._last_words(child.program.name)}")
            if not told and time.monotonic() - begun > 3:
                told = True
                self.supervisor.console.line(
                    child.program.name, "repairs what the last stop left; this may take a while"
                )
            return child.is_running and answers()

        self.supervisor.run_until(is_ready, 0.05)

    def _last_words(self, name: str) -> str:
        """The last line of an engine's log that says what is wrong."""
        with contextlib.suppress(OSError):
            lines = [
                line.strip() for line in (self.home / "log" / f"{name}.log").read_text("utf-8", "replace").splitlines()
            ]
            lines = [line for line in lines if line][-40:]
            loud = [
                line for line in lines if any(word in line for word in ("PANIC", "FATAL", "error:", "No space", "# "))
            ]
            return (loud or lines or ["it left no message"])[-1]
        return "it left no message"


# ---- the command line ----


def load_dotenv() -> None:
    """Read `.env` beside manage.py as the settings do: what the environment already has wins."""
    import environ

    environ.Env.read_env(BASE_DIR / ".env")


def default_data_dir() -> Path:
    """CONTINUO_DATA_DIR, or `.data` in the checkout."""
    return resolved(os.environ.get("CONTINUO_DATA_DIR") or BASE_DIR / ".data")


@contextlib.contextmanager
def started(data_dir: Path, supervisor: Supervisor, *, is_ephemeral: bool = False) -> Iterator[Engines]:
    """Hold the folder, start what DATABASE_URL and REDIS_URL do not name, export both, stop the engines at the end.

    Raises EngineError when that is impossible and StopRequested when asked to stop meanwhile.
    """
    with files.locked(data_dir):
        engines = Engines(
            data_dir,
            supervisor,
            with_postgres=not os.environ.get("DATABASE_URL"),
            with_valkey=not os.environ.get("REDIS_URL"),
            is_ephemeral=is_ephemeral,
        )
        os.environ[files.MARKER] = str(data_dir)
        try:
            engines.start()
            if engines.with_postgres:
                os.environ["DATABASE_URL"] = database_url(data_dir)
            if engines.with_valkey:
                os.environ["REDIS_URL"] = redis_url(data_dir)
            yield engines
        finally:
            supervisor.stop([child for child in supervisor.children if child not in engines.children])
            engines.stop()


def run(argv: Sequence[str], data_dir: Path, *, is_ephemeral: bool = False) -> int:
    """Run a command while the engines run; its exit code, or 130 when it was interrupted."""
    supervisor = Supervisor(Console(sys.stderr))
    with started(data_dir, supervisor, is_ephemeral=is_ephemeral):
        child = supervisor.start(Program(Path(argv[0]).name, argv, restart=False, inherit_output=True))
        with contextlib.suppress(StopRequested):
            supervisor.run_until(lambda: child.returncode is not None)
            return child.returncode if child.returncode is not None and child.returncode >= 0 else 1
        # A terminal's Ctrl+C reaches the command too: let it end in its own way first.
        for _ in range(30):
            if child.returncode is None:
                supervisor.pump(0.1)
    return 130


def run_ephemeral(argv: Sequence[str]) -> int:
    """Run a command on fresh engines without durability, in a temporary folder that is removed afterwards."""
    data_dir = Path(tempfile.mkdtemp(prefix=files.EPHEMERAL_PREFIX, dir=TEMPORARY))
    data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    try:
        return run(argv, resolved(data_dir), is_ephemeral=True)
    finally:
        files.erase(resolved(data_dir))


def reset(data_dir: Path) -> int:
    """Erase the engines' data, uploads and collected files of this folder. Raises EngineError while it is in use."""
    if data_dir.exists():
        with files.locked(data_dir):
            files.end_leftovers(data_dir, files.claim_home(data_dir, engine_user()))
            files.erase(data_dir)
    print(f"{data_dir} is empty; the next start begins afresh.")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of `python -m contact_center.embedded`; see --help."""
    parser = argparse.ArgumentParser(prog="python -m contact_center.embedded", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    runner = commands.add_parser("run", help="start the engines, run a command with their addresses, stop them")
    runner.add_argument("--data-dir", type=resolved)
    runner.add_argument("--ephemeral", action="store_true", help="fresh engines without durability, removed afterwards")
    runner.add_argument("command", nargs=argparse.REMAINDER)
    eraser = commands.add_parser("reset", help="erase the engines' data of a folder")
    eraser.add_argument("--data-dir", type=resolved)
    options = parser.parse_args(arguments)
    load_dotenv()
    data_dir = options.data_dir or default_data_dir()
    try:
        if options.action == "reset":
            return reset(data_dir)
        command = options.command[1:] if options.command[:1] == ["--"] else options.command
        if not command:
            parser.error("name the command to run after --")
        return run_ephemeral(command) if options.ephemeral else run(command, data_dir)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    except StopRequested:
        return 130


if __name__ == "__main__":
    sys.exit(main())
