"""PostgreSQL and Valkey from wheels, for a machine that has neither. Imports no Django."""

import hashlib
import os
import pwd
from pathlib import Path
from urllib.parse import quote

ROLE = DATABASE = "continuo"


def engine_user() -> pwd.struct_passwd:
    """The account the engines run under: the caller's own, or `nobody` for root (PostgreSQL refuses to run as root)."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def fingerprint(data_dir: Path | str) -> str:
    """Twelve hex digits that stand for this data folder, the same in every process on this machine."""
    return hashlib.sha256(os.fsencode(Path(data_dir).expanduser().resolve())).hexdigest()[:12]


def socket_dir(data_dir: Path | str) -> Path:
    """Folder of the engines' unix sockets: short however long the data path is (the kernel allows 107 bytes)."""
    return Path("/tmp") / f"continuo-{os.geteuid()}-{fingerprint(data_dir)}"  # noqa: S108


def database_url(data_dir: Path | str) -> str:
    """Address of the embedded PostgreSQL of this data folder; pure, the server need not run."""
    sockets = quote(str(socket_dir(data_dir)))
    return f"postgresql://{ROLE}@/{DATABASE}?host={sockets}&requirepeer={quote(engine_user().pw_name)}"


def redis_url(data_dir: Path | str) -> str:
    """Address of the embedded Valkey of this data folder; pure, the server need not run."""
    return f"unix://{socket_dir(data_dir)}/valkey.sock"
