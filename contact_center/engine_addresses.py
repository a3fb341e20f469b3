"""Where the embedded engines answer: it follows from the data folder alone, so every process finds them unasked."""

import hashlib
import os
import pwd
from pathlib import Path
from urllib.parse import quote

TEMPORARY = Path("/tmp")  # noqa: S108 - fixed, so that the addresses are the same in every session
ROLE = DATABASE = "continuo"


class EngineError(RuntimeError):
    """The engines cannot run; the message is one plain sentence for the person who started them."""


def engine_user() -> pwd.struct_passwd:
    """The account the engines run under: the caller's own, or `nobody` for root (PostgreSQL refuses to run as root).

    Raises EngineError for an account without a name, under which PostgreSQL cannot run.
    """
    try:
        return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EngineError(
            f"The account with number {os.geteuid()} has no name on this machine, and PostgreSQL needs one: "
            "set DATABASE_URL and REDIS_URL to servers that run elsewhere."
        ) from None


def resolved(data_dir: Path | str) -> Path:
    """The one absolute spelling of a data folder."""
    return Path(data_dir).expanduser().resolve()


def fingerprint(data_dir: Path | str) -> str:
    """Twelve hex digits that stand for this data folder, the same in every process on this machine."""
    return hashlib.sha256(os.fsencode(resolved(data_dir))).hexdigest()[:12]


def socket_dir(data_dir: Path | str) -> Path:
    """Folder of the engines' unix sockets: short however long the data path is (the kernel allows 107 bytes)."""
    return TEMPORARY / f"continuo-{os.geteuid()}-{fingerprint(data_dir)}"


def database_url(data_dir: Path | str) -> str:
    """Address of the embedded PostgreSQL of this data folder; pure, the server need not run."""
    sockets = quote(str(socket_dir(data_dir)))
    return f"postgresql://{ROLE}@/{DATABASE}?host={sockets}&requirepeer={quote(engine_user().pw_name)}"


def redis_url(data_dir: Path | str) -> str:
    """Address of the embedded Valkey of this data folder; pure, the server need not run."""
    return f"unix://{socket_dir(data_dir)}/valkey.sock"
