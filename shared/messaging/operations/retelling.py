"""What the log tells of a publisher's keys, and which of its events readers took for repeats. No I/O.

A restored publisher numbers events below what it has told before. Readers do not apply those (divergence.py), so they
have to be told once more, under new numbers, and with them all that the key told since: order matters. What is told
once more says which event it repeats (`ce_retells`), so that nothing is told anew twice.

States are not told anew but republished, above all that was told: of their keys it is enough to know whether readers
passed one over.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from shared.contracts.envelope import Envelope
from shared.kafka.cloudevents import NotACloudEvent, decode
from shared.kafka.records import IncomingRecord
from shared.messaging.divergence import KnownIds, time_ordered

RETELLS = "retells"
REPUBLISHED = "republished"


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """One event of the log. `divergent`: under a number that another event had had."""

    record: IncomingRecord
    event_id: str
    divergent: bool


@dataclass(slots=True)
class ToldKey:
    """A key as the log tells it: its highest number, and by id its events from the first divergent one on."""

    version: int = 0
    ids: KnownIds = field(default_factory=KnownIds)
    since: dict[str, ToldEvent] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    # Its number and ids before the first divergent event. What diverges is not in the order of its ids (two hosts, two
    # clocks), so it is compared with these: the first one's id tells nothing about the second.
    _before: tuple[int, KnownIds] | None = None

    def read(self, record: IncomingRecord) -> None:
        """Take in the key's next record; what is no event of ours is passed over."""
        if (envelope := _envelope(record)) is None:
            return
        version, event_id = envelope.aggregateversion or 0, time_ordered(envelope.id)
        if version > self.version:
            self._advance(record, version, event_id)
        elif self._is_another(version, envelope.id):
            self._before = self._before or (self.version, replace(self.ids))
            self.since[envelope.id] = ToldEvent(record, envelope.id, divergent=True)

    def _is_another(self, version: int, event_id: str) -> bool:
        last, ids = self._before or (self.version, self.ids)
        return event_id not in self.since and ids.exclude(time_ordered(event_id), is_last=version == last)

    def _advance(self, record: IncomingRecord, version: int, event_id: str | None) -> None:
        self.version = version
        self.ids.advance(event_id)
        if (retold := retold_by(record)) is not None:
            self.settled.add(retold)
            # Not before the last of them: what followed a divergent event has to follow its copy, too.
            if not self.to_tell_anew(()):
                for told_id in self.since:
                    self.ids.note(time_ordered(told_id))
                self._before = None
                self.since.clear()
                self.settled.clear()
        elif self.since and event_id is not None:
            self.since[event_id] = ToldEvent(record, event_id, divergent=False)

    def to_tell_anew(self, on_their_way: Collection[str]) -> Sequence[ToldEvent]:
        """Return what has to be told once more, in order; `on_their_way` are ids whose retelling waits to be sent."""
        settled = self.settled | set(on_their_way)
        return [event for event in self.since.values() if event.event_id not in settled]


@dataclass(slots=True)
class ToldState:
    """A key of a state topic as the log tells it: its highest number, and whether readers passed over a later state."""

    version: int = 0
    ids: KnownIds = field(default_factory=KnownIds)
    passed_over: bool = False

    def read(self, record: IncomingRecord) -> None:
        """Take in the key's next record; what is no event of ours is passed over."""
        if (envelope := _envelope(record)) is None:
            return
        version, event_id = envelope.aggregateversion or 0, time_ordered(envelope.id)
        if version > self.version:
            # The newest state heals whatever readers made of the ones before.
            self.version, self.passed_over = version, False
            self.ids.advance(event_id)
        elif self.ids.exclude(event_id, is_last=version == self.version) and not _republished(record):
            self.passed_over = True

    def to_tell_anew(self, on_their_way: Collection[str]) -> Sequence[ToldEvent]:  # noqa: ARG002 - as of events
        """Return nothing: `state republish` tells what is so now."""
        return []


def _envelope(record: IncomingRecord) -> Envelope | None:
    try:
        return decode(record.headers)
    except NotACloudEvent:
        return None


def retold_by(record: IncomingRecord) -> str | None:
    """Return the id of the event that this record tells once more, if it does."""
    return _header(record, f"ce_{RETELLS}")


def _republished(record: IncomingRecord) -> bool:
    return _header(record, f"ce_{REPUBLISHED}") is not None


def _header(record: IncomingRecord, wanted: str) -> str | None:
    for name, value in record.headers:
        if name == wanted and value is not None:
            return value.decode(errors="replace")
    return None
