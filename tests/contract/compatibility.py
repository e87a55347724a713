"""Nothing that subscribers know may break: python -m tests.contract.compatibility check|release.

`check` compares docs/api/asyncapi with the documents of the last release, and with those on the main branch where its
history is at hand. `release` makes today's documents the released ones. What was on main and never released may be
taken back by a line in docs/api/released/withdrawn.yaml; a release begins that list anew.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.contract.document_changes import refused_changes
from tests.contract.schema_changes import Finding
from tests.contract.snapshots import ROOT, SERVICES

TODAY, RELEASED = Path("docs/api/asyncapi"), Path("docs/api/released/asyncapi")
WITHDRAWN = Path("docs/api/released/withdrawn.yaml")
_NOTHING_WITHDRAWN = """\
# What was on main but in no release, and is taken back: subscribers were never promised it. A release empties the list.
# - {message: assignment.plan.drafted.v1, place: /note, why: Texts do not travel.}
[]
"""
_MAIN = ("origin/main", "main")


def broken_since_release() -> list[Finding]:
    """Return what breaks the released documents."""
    return [
        finding
        for service in SERVICES
        for finding in refused_changes(_load(ROOT / RELEASED / _file(service)), _today(service))
    ]


def broken_since_main(root: Path = ROOT) -> list[Finding] | None:
    """Return what breaks the documents of the main branch, without what is withdrawn; None without its history."""
    revision = _revision_of_main(root)
    if revision is None:
        return None
    withdrawn = {(entry["message"], entry["place"]) for entry in _load(root / WITHDRAWN)}
    return [
        finding
        for service in SERVICES
        if (text := _git(root, "show", f"{revision}:{TODAY / _file(service)}")) is not None
        for finding in _with_bindings(yaml.safe_load(text), service)
        if (finding.message, finding.place) not in withdrawn
    ]


def _with_bindings(before: Any, service: str) -> Iterator[Finding]:
    # Documents from before topics were described tell nothing that could be compared.
    if all("partitions" in channel["bindings"]["kafka"] for channel in before["channels"].values()):
        yield from refused_changes(before, _today(service))


def release() -> None:
    """Make today's documents those that later ones are held against."""
    (ROOT / RELEASED).mkdir(parents=True, exist_ok=True)
    for service in SERVICES:
        (ROOT / RELEASED / _file(service)).write_text((ROOT / TODAY / _file(service)).read_text())
    (ROOT / WITHDRAWN).write_text(_NOTHING_WITHDRAWN)


def _revision_of_main(root: Path) -> str | None:
    """Return the commit that this work began from; on main itself, the one before."""
    here = _git(root, "rev-parse", "HEAD")
    for branch in _MAIN:
        common = _git(root, "merge-base", "HEAD", branch)
        if common is not None:
            return common if common != here else _git(root, "rev-parse", "--verify", "HEAD^")
    return None


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _file(service: str) -> str:
    return f"{service}.yaml"


def _today(service: str) -> Any:
    return _load(ROOT / TODAY / _file(service))


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def check() -> None:
    """Exit with every refused change, told by message, field and rule."""
    since_main = broken_since_main()
    if since_main is None:
        print("main's history is not at hand: compared with the released documents only")
    told = [f"since the release: {finding}" for finding in broken_since_release()]
    told += [f"since main: {finding}" for finding in since_main or ()]
    if told:
        sys.exit(
            "\n".join([*told, "Subscribers would break; docs/subscribing.md tells what they were promised."])
        )


def main(arguments: list[str]) -> None:
    """Check, or release."""
    if arguments == ["check"]:
        check()
    elif arguments == ["release"]:
        release()
    else:
        sys.exit("usage: python -m tests.contract.compatibility check|release")


if __name__ == "__main__":
    main(sys.argv[1:])
