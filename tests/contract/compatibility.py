"""Nothing that subscribers know may break: python -m tests.contract.compatibility check|release.

`check` compares docs/api/asyncapi with the documents of the last release, and with those on the main branch where its
history is at hand; and what they tell of topics with deploy/kafka/topics.yaml, which makes them. `release` makes today's
documents the released ones, if they pass. What was on main and never released may be taken back by a line in
docs/api/released/withdrawn.yaml; a release begins that list anew.
"""

import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tests.contract.document_changes import refused_changes
from tests.contract.schema_changes import Finding
from tests.contract.snapshots import ROOT, SERVICES

TOPICS = Path("deploy/kafka/topics.yaml")
TODAY, RELEASED = Path("docs/api/asyncapi"), Path("docs/api/released/asyncapi")
WITHDRAWN = Path("docs/api/released/withdrawn.yaml")
_NOTHING_WITHDRAWN = """\
# What was on main but in no release, and is taken back: subscribers were never promised it. A release empties the list.
# - {message: assignment.plan.drafted.v1, place: /note, why: Texts do not travel.}
[]
"""
_MAIN = ("origin/main", "main")


def broken_since_release(root: Path = ROOT) -> list[Finding]:
    """Return what breaks the released documents."""
    return [
        finding
        for service in SERVICES
        for finding in refused_changes(_load(root / RELEASED / _file(service)), _today(root, service))
    ]


def broken_since_main(root: Path = ROOT) -> list[Finding] | None:
    """Return what breaks the documents of the main branch, without what is withdrawn; None without its history."""
    revision = _revision_of_main(root)
    if revision is None:
        return None
    withdrawn = {(entry["message"], entry["place"]) for entry in _load(root / WITHDRAWN)}
    # A release that is being made here, and one that was undone here, take nothing back either.
    promised = _broken_in_history(root, revision, RELEASED) + _broken_in_history(root, "HEAD", RELEASED)
    kept = [
        finding
        for finding in _broken_in_history(root, revision, TODAY)
        if (finding.message, finding.place) not in withdrawn
    ]
    return list(dict.fromkeys([*promised, *kept]))


def _broken_in_history(root: Path, revision: str, folder: Path) -> list[Finding]:
    return [
        finding
        for service in SERVICES
        if (text := _git(root, "show", f"{revision}:{folder / _file(service)}")) is not None
        for finding in _with_bindings(_parse(text), _today(root, service))
    ]


def untold_topics(listed: Any, document: Any) -> list[str]:
    """Return where a document tells other partitions or settings of a topic than the list that makes it has."""
    kinds = {
        **{topic["name"]: (topic["kind"], topic["partitions"]) for topic in listed["topics"]},
        **{
            f"{topic}.{consumer['name']}.dlq": ("dead-letters", 1)
            for consumer in listed["consumers"]
            for topic in consumer["reads"]
        },
    }
    found = []
    for name, channel in document["channels"].items():
        kind, partitions = kinds[name]
        kafka = channel["bindings"]["kafka"]
        told = {"partitions": kafka["partitions"], **kafka["topicConfiguration"]}
        made = {"partitions": partitions, **listed["kinds"][kind]}
        found += [
            f"{name}, {setting}: {made.get(setting)} in {TOPICS}, {_plain(told.get(setting))} in the document; "
            "say it in shared/contracts/topics.py, too, and run `make docs`"
            for setting in sorted(told.keys() | made.keys())
            if _plain(told.get(setting)) != made.get(setting)
        ]
    return found


def _plain(setting: Any) -> Any:
    return ",".join(setting) if isinstance(setting, list) else setting


def _with_bindings(before: Any, today: Any) -> Iterator[Finding]:
    # Documents from before topics were described tell nothing that could be compared.
    if all("partitions" in channel["bindings"]["kafka"] for channel in before["channels"].values()):
        yield from refused_changes(before, today)


def release(root: Path = ROOT) -> None:
    """Make today's documents those that later ones are held against. Exits with every refused change instead."""
    check(root)
    for service in SERVICES:
        (root / RELEASED / _file(service)).write_text((root / TODAY / _file(service)).read_text())
    (root / WITHDRAWN).write_text(_NOTHING_WITHDRAWN)


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


def _today(root: Path, service: str) -> Any:
    return _load(root / TODAY / _file(service))


def _load(path: Path) -> Any:
    return _parse(path.read_text())


@lru_cache(maxsize=32)
def _parse(text: str) -> Any:
    # libyaml's, ten times as fast, where it is; safe as the other.
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def check(root: Path = ROOT) -> None:
    """Exit with every refused change, told by message, field and rule."""
    since_main = broken_since_main(root)
    if since_main is None:
        print("main's history is not at hand: compared with the released documents only")
    listed = _load(root / TOPICS)
    told = [told for service in SERVICES for told in untold_topics(listed, _today(root, service))]
    told += [f"since the release: {finding}" for finding in broken_since_release(root)]
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
