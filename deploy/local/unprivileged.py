"""Running Postgres when we are root: it refuses to be root, so it becomes a user of its own.

The server needs no entry in the password file, so it gets a number that nobody else uses. initdb looks its
user up, so it borrows `nobody` for the making of a template. Where a parent folder is closed to others (a
clone under /root), nobody's permissions are changed: the child alone may search it, by an ambient capability.
"""

import os
import pwd
import signal
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.child import setpriv
from deploy.local.trouble import Trouble

SERVER_ID = 54329
# Numbers from linux/capability.h. READ_SEARCH is the lesser one; containers usually grant only OVERRIDE.
DAC_CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}


@dataclass(frozen=True)
class Identity:
    """Whom a child runs as."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        """Tell whether nothing needs to change."""
        return self.uid == os.geteuid()

    def own(self, path: Path) -> None:
        """Give this file or folder, and all that is in it, to the identity."""
        if self.is_us:
            return
        os.chown(path, self.uid, self.gid)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(folder, name), self.uid, self.gid, follow_symlinks=False)

    def command(
        self, command: Sequence[str], *, reaching: Sequence[Path], death_signal: signal.Signals
    ) -> list[str]:
        """Return the command that runs as this identity and can reach these paths."""
        if self.is_us:
            return list(command)
        found = setpriv()
        if found is None:
            raise Trouble(
                "Postgres does not run as root, and util-linux' setpriv is not here to drop privileges.",
                fix="Run as another user, or install util-linux.",
            )
        return [
            *(found, "--reuid", str(self.uid), "--regid", str(self.gid), "--clear-groups"),
            *("--no-new-privs", "--pdeathsig", death_signal.name.removeprefix("SIG")),
            *self._capabilities(reaching),
            *("--", *command),
        ]

    def _capabilities(self, reaching: Sequence[Path]) -> list[str]:
        closed = first_closed_folder(self, reaching)
        if closed is None:
            return ["--inh-caps=-all", "--bounding-set=-all"]
        granted = bounding_set()
        for name, number in DAC_CAPABILITIES.items():
            if granted >> number & 1:
                sets = (f"--{kind}=-all,+{name}" for kind in ("inh-caps", "ambient-caps", "bounding-set"))
                # Without this bit access(2), by which Postgres finds its own binary, ignores capabilities.
                return [*sets, "--securebits=+no_setuid_fixup"]
        raise Trouble(
            f"Postgres runs as user {self.uid} and cannot pass the folder {closed}.",
            fix=f"Move the clone elsewhere, or let others search the folder: chmod o+x {closed}",
        )


def server_identity(data: Path) -> Identity:
    """Return whom the server runs as: ourselves, unless we are root."""
    if data.exists():
        owner = data.stat()
        if os.geteuid() not in {0, owner.st_uid}:
            raise Trouble(
                f"{data} belongs to user {owner.st_uid}, who first ran this clone.",
                fix=f"Run as that user, or remove the folder: sudo rm -r {data}",
            )
        if owner.st_uid != 0:
            return Identity(owner.st_uid, owner.st_gid)
    return Identity(SERVER_ID, SERVER_ID) if os.geteuid() == 0 else ourselves()


def initdb_identity() -> Identity:
    """Return whom initdb runs as: ourselves, unless we are root."""
    if os.geteuid() != 0:
        return ourselves()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Trouble(
            "initdb does not run as root and the system has no user `nobody` to run it as.",
            fix="Run as another user.",
        ) from None
    return Identity(nobody.pw_uid, nobody.pw_gid)


def ourselves() -> Identity:
    """Return the identity of this process."""
    return Identity(os.geteuid(), os.getegid())


def first_closed_folder(identity: Identity, paths: Sequence[Path]) -> Path | None:
    """Return the outermost folder above the paths that the identity may not search."""
    for path in paths:
        for folder in reversed(path.resolve().parents):
            if not may_search(identity, folder.stat()):
                return folder
    return None


def may_search(identity: Identity, folder: os.stat_result) -> bool:
    """Judge by the mode alone; an access list that says otherwise only costs the capability."""
    if folder.st_uid == identity.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == identity.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def bounding_set() -> int:
    """Return the capabilities that a child of ours may still get."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    return 0
