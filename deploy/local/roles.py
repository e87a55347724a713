"""Runs deploy/postgres/roles.sql, the same file that operators run, with development passwords."""

import os
import shutil
import subprocess
from urllib.parse import unquote, urlsplit, urlunsplit

from deploy.local.paths import REPOSITORY
from deploy.local.ports import LOOPBACK
from deploy.local.postgres_binaries import find_postgres
from deploy.local.trouble import Trouble

SERVICES = ("assignment", "metrics", "collab")
ROLES = tuple(f"{service}_{kind}" for service in SERVICES for kind in ("owner", "app"))


def apply_roles(admin_url: str) -> None:
    """Create or mend the database, the schemas and the roles."""
    address = urlsplit(admin_url)
    # The password travels in the environment: everybody may read a command line.
    without_password = address._replace(
        netloc=f"{address.username}@{address.hostname}:{address.port or 5432}"
    )
    done = subprocess.run(
        [
            *(psql(address.hostname), "--no-psqlrc", "--quiet", "-d", urlunsplit(without_password)),
            *("-f", str(REPOSITORY / "deploy/postgres/roles.sql")),
        ],
        env={
            **os.environ,
            **{f"{role.upper()}_PASSWORD": password_of(role) for role in ROLES},
            "PGPASSWORD": unquote(address.password or ""),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Trouble(
            f"The roles could not be created: {' '.join(done.stderr.split())}",
            fix="The database user must be allowed to create databases and roles.",
        )


def password_of(role: str) -> str:
    """Return the role's password: its name, unless <ROLE>_PASSWORD says otherwise."""
    return os.environ.get(f"{role.upper()}_PASSWORD", role)


def psql(host: str | None) -> str:
    """Prefer the system's psql for a server elsewhere: the wheel's does not speak TLS."""
    elsewhere = host not in {LOOPBACK, "localhost"}
    return (shutil.which("psql") if elsewhere else None) or find_postgres().path("psql")
