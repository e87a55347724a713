"""What a history must not hold. Pure, and linear in the number of records (overlaps: sorting).

After Jepsen's Kafka workload (https://github.com/jepsen-io/jepsen, jepsen.tests.kafka): lost, aborted,
duplicated, divergent, inverted, gap, unseen; and two of our own: stale reads and overlapping periods. Because
the versions of a key are dense and each has one winner, no search for a linearisation is needed.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Place = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be: what kind, how often, and the first of its kind."""

    kind: str
    count: int
    example: str

    def __str__(self) -> str:
        return f"{self.kind} {self.count}x: {self.example}"


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lies in the log. `command` is the number of the command that caused it, where it tells."""

    topic: str
    partition: int
    offset: int
    key: str
    version: int
    event_id: str
    command: int | None = None
    digest: str = ""

    @property
    def place(self) -> Place:
        """Return where it lies."""
        return self.topic, self.partition, self.offset


@dataclass(frozen=True, slots=True)
class Applied:
    """An effect that a consumer made, in the order it made them."""

    topic: str
    partition: int
    offset: int
    key: str
    version: int
    event_id: str
    digest: str = ""

    @property
    def place(self) -> Place:
        """Return where the event was read."""
        return self.topic, self.partition, self.offset


class Versioned(Protocol):
    """Anything that has a version within its key."""

    @property
    def key(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def event_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, the end left out; `end` is None while it lasts. `of` may have one at a time."""

    of: str
    begin: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Read:
    """A read that succeeded: which command's value it saw, and when it was asked and answered."""

    key: str
    command: int
    invoked: float
    returned: float


@dataclass(frozen=True, slots=True)
class Span:
    """When a command was first invoked, and when its success was known, if ever."""

    key: str
    invoked: float
    acknowledged: float | None


def report(kind: str, found: Sequence[object]) -> list[Finding]:
    """Return one finding for all that was found of a kind, or none."""
    return [Finding(kind, len(found), str(found[0]))] if found else []


def find_lost(acknowledged: Iterable[int], present: Collection[int], *, where: str = "log") -> list[Finding]:
    """Find commands that were acknowledged and left nothing."""
    missing = [f"command {number} was acknowledged" for number in acknowledged if number not in present]
    return report(f"lost from {where}", missing)


def find_aborted(failed: Collection[int], known: Collection[int], records: Iterable[Record]) -> list[Finding]:
    """Find events of commands that definitely failed, or that nobody sent."""
    wrong = [
        f"{r.place} tells of command {r.command}"
        for r in records
        if r.command is not None and (r.command in failed or r.command not in known)
    ]
    return report("aborted", wrong)


def find_duplicated(applied: Iterable[Applied]) -> list[Finding]:
    """Find events whose effect was made more than once."""
    seen: set[str] = set()
    again = []
    for effect in applied:
        if effect.event_id in seen:
            again.append(f"{effect.key} v{effect.version} ({effect.event_id}) at {effect.place}")
        seen.add(effect.event_id)
    return report("duplicated effect", again)


def find_divergent(records: Iterable[Record], applied: Iterable[Applied]) -> list[Finding]:
    """Find places and events that were told in two ways: one place one event, one event one content."""
    found = [
        *_told_twice(((r.place, r.event_id) for r in records), "the log holds"),
        *_told_twice(((a.place, a.event_id) for a in (*records, *applied)), "log and consumer read"),
        *_told_twice(((r.event_id, r.digest) for r in (*records, *applied) if r.digest), "contents"),
    ]
    return report("divergent", found)


def _told_twice(told: Iterable[tuple[Hashable, str]], what: str) -> list[str]:
    first: dict[Hashable, str] = {}
    return [
        f"{what} at {subject}: {first[subject]} and {value}"
        for subject, value in told
        if first.setdefault(subject, value) != value
    ]


def find_inverted(told: Iterable[Versioned], *, where: str) -> list[Finding]:
    """Find keys whose versions, each at its first occurrence, do not rise."""
    highest: dict[str, int] = {}
    seen: set[str] = set()
    wrong = []
    for one in told:
        if one.event_id not in seen and one.version < highest.get(one.key, 0):
            wrong.append(f"{one.key}: v{one.version} first told after v{highest[one.key]}")
        seen.add(one.event_id)
        highest[one.key] = max(one.version, highest.get(one.key, 0))
    return report(f"inverted in {where}", wrong)


def find_gaps(told: Iterable[Versioned], *, where: str) -> list[Finding]:
    """Find keys whose versions are not 1, 2, 3 without a hole."""
    versions: dict[str, set[int]] = {}
    for one in told:
        versions.setdefault(one.key, set()).add(one.version)
    wrong = [
        f"{key}: {len(found)} versions up to v{max(found)}"
        for key, found in versions.items()
        if len(found) != max(found)
    ]
    return report(f"gap in {where}", wrong)


def find_unseen(records: Iterable[Record], applied: Iterable[Applied]) -> list[Finding]:
    """Find events that are in the log and had no effect, and effects of no event."""
    effects = {effect.event_id: effect.place for effect in applied}
    events = {record.event_id: record.place for record in records}
    return [
        *report("unseen", [f"{place} {event}" for event, place in events.items() if event not in effects]),
        *report("invented", [f"{place} {event}" for event, place in effects.items() if event not in events]),
    ]


def find_overlapping(periods: Iterable[Period]) -> list[Finding]:
    """Find two periods of one thing that share an instant."""
    wrong = []
    last: Period | None = None
    for period in sorted(periods, key=lambda p: (p.of, p.begin)):
        if last is not None and last.of == period.of and (last.end is None or last.end > period.begin):
            wrong.append(f"{period.of}: {last.begin}..{last.end} and {period.begin}..{period.end}")
        last = period
    return report("overlapping", wrong)


def find_stale(
    reads: Iterable[Read], spans: Mapping[int, Span], versions: Mapping[int, int]
) -> list[Finding]:
    """Find reads older than what was acknowledged before they were asked, or from after they were answered.

    `versions` tells which version of its key a command made.
    """
    acknowledged: dict[str, list[tuple[float, int]]] = {}
    for command, span in spans.items():
        if span.acknowledged is not None and command in versions:
            acknowledged.setdefault(span.key, []).append((span.acknowledged, versions[command]))
    floors = {key: sorted(told) for key, told in acknowledged.items()}
    progress: dict[str, tuple[int, int]] = {}
    wrong = []
    for read in sorted(reads, key=lambda r: r.invoked):
        told = floors.get(read.key, [])
        at, floor = progress.get(read.key, (0, 0))
        while at < len(told) and told[at][0] < read.invoked:
            floor = max(floor, told[at][1])
            at += 1
        progress[read.key] = at, floor
        span = spans.get(read.command)
        if span is None or span.invoked > read.returned:
            wrong.append(f"{read.key}: read command {read.command} before anybody sent it")
        elif versions.get(read.command, 0) < floor:
            wrong.append(
                f"{read.key}: read v{versions.get(read.command)} at {read.invoked}, v{floor} was told"
            )
    return report("stale read", wrong)
