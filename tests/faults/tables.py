"""What tables, figures and processes have to be once all is quiet, beside the log and the clients. Pure: all is given."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.checks import Finding, Record, find_aborted, find_lost, report
from tests.faults.observed import Raw

_ALIGNED = "assignment.account.aligned.v1"
_MB = 2**20

Timelines = Mapping[tuple[str, int], str | None]
"""Territories by account and version."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What clients know of the commands that they sent: their names by number, and what became of them."""

    names: Mapping[int, str]
    acknowledged: Collection[int]
    failed: Collection[int]
    unresolved: Collection[int]


def find_wrong_commands(
    outcomes: Outcomes, records: Iterable[Record], times: Mapping[str, int]
) -> list[Finding]:
    """A, B and F of the commands; `times` says how often the audit has a name."""
    records = list(records)
    told = {record.command for record in records if record.command is not None}
    stored = {number for number, name in outcomes.names.items() if name in times}
    twice = [f"{name} {count} times" for name, count in times.items() if count > 1]
    untold = [f"command {number} is in the database" for number in sorted(stored - told)]
    return [
        *find_lost(outcomes.acknowledged, told, where="the log"),
        *find_lost(outcomes.acknowledged, stored, where="the database"),
        *find_aborted(outcomes.failed, outcomes.names.keys(), records),
        *report("B: a refused command is in the database", sorted(stored & set(outcomes.failed))),
        *report("F: one key, several effects", twice),
        *report("A: stored without an event", untold),
        *report("never answered", [f"command {number}" for number in outcomes.unresolved]),
    ]


def find_wrong_tally(
    tallied: Mapping[str, tuple[int, int]], listed: Mapping[str, tuple[int, int]]
) -> list[Finding]:
    """C: what was added up by key, events and employees told, equals what was listed."""
    wrong = [
        f"{key}: {tallied.get(key)} added up, {listed.get(key)} listed"
        for key in sorted(tallied.keys() | listed.keys())
        if tallied.get(key) != listed.get(key)
    ]
    return report("C: tally and list differ", wrong)


def find_wrong_watermarks(records: Iterable[Record], found: Mapping[str, int]) -> list[Finding]:
    """D: the reader stands at the last version of every key."""
    last: dict[str, int] = {}
    for record in records:
        last[record.key] = max(record.version, last.get(record.key, 0))
    wrong = [
        f"{key}: v{found.get(key)} of v{version}"
        for key, version in last.items()
        if found.get(key) != version
    ]
    return report("D: watermark", wrong)


def find_wrong_projection(
    raws: Iterable[Raw], timelines: Timelines, places: Mapping[str, tuple[int, str | None]]
) -> list[Finding]:
    """J: timelines and places of accounts are what the log says, worked out here from nothing but the log."""
    expected = timelines_of(raws)
    last: dict[str, tuple[int, str | None]] = {}
    for (account, version), territory in expected.items():
        last[account] = max(last.get(account, (0, None)), (version, territory), key=lambda told: told[0])
    return [
        *report("J: timeline", sorted(map(str, expected.items() ^ timelines.items()))),
        *report("J: place of an account", sorted(map(str, last.items() ^ places.items()))),
    ]


def timelines_of(raws: Iterable[Raw]) -> dict[tuple[str, int], str | None]:
    """Return where accounts were put, by the log; of two events under one version the first counts.

    There are two when a publisher was restored, and tells other things under numbers that it has used before.
    """
    expected: dict[tuple[str, int], str | None] = {}
    under: dict[tuple[bytes | None, str], str] = {}
    for raw in raws:
        event_id = raw.header("ce_id")
        if under.setdefault((raw.key, raw.header("ce_aggregateversion")), event_id) != event_id:
            continue
        if raw.header("ce_type") == _ALIGNED and raw.value:
            event = json.loads(raw.value)
            version = int(raw.header("ce_aggregateversion"))
            expected[event["account_id"], version] = event["to_territory_id"]
    return expected


def find_unequal(missing: str | None, proof: Mapping[str, Any]) -> list[Finding]:
    """C and J: what is missing of the figures that are known by heart, and the answer to a reconciliation."""
    differing = [] if proof["equal"] else [f"{proof['differing']} of {proof['cells']} cells differ"]
    return report("C: figures", [missing] if missing else []) + report("J: roll-ups", differing)


def find_unfit_processes(
    resident: Mapping[str, int], *, limit: int, stuck: Collection[object], ended: Collection[str]
) -> list[Finding]:
    """I: bytes resident by process, sessions left in a transaction, and what ended without being asked to."""
    fat = [f"{name} has {size // _MB} MB" for name, size in resident.items() if size > limit]
    return [
        *report("I: memory", fat),
        *report("I: a connection in a transaction", list(stuck)),
        *find_ended(ended),
    ]


def find_ended(ended: Collection[str]) -> list[Finding]:
    """I: what ended by itself, in the words of `Fleet.ended_by_themselves`."""
    return report("I: a process that ended by itself", list(ended))
