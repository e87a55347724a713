"""A model of the log: partitions that only grow at their end, and what is on its way to them."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from shared.kafka.packing import Batch, pack
from shared.kafka.producer import Delivery
from shared.messaging.decoding import Decoded
from tests.simulation.telling import PARTITIONS, PLACES, Place, Told, decoded, outgoing

# The model's stand-in for a batch of half a mebibyte.
RECORDS_PER_BATCH = 2


class Refused(Exception):
    """What the broker answers to a batch it does not take."""


class Builder:
    """Stands for aiokafka's BatchBuilder: takes so many records."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = RECORDS_PER_BATCH

    def append(self, **_: Any) -> bool:
        """Tell whether there was room."""
        self.left -= 1
        return self.left >= 0


class Sending:
    """One call of a producer: its batches under way, per partition in the order they were handed over.

    A producer outlives its caller: what it was given may land after the relay died.
    """

    __slots__ = ("delivery", "flying", "rows")

    def __init__(self, rows: Sequence[tuple[int, Told]]) -> None:
        self.rows = rows
        self.delivery = Delivery()
        self.flying: dict[Place, deque[Batch]] = {}
        records = enumerate(outgoing(told) for _, told in rows)
        for batch in pack(records, PARTITIONS, Builder):
            self.flying.setdefault((batch.topic, batch.partition), deque()).append(batch)

    @property
    def answered(self) -> bool:
        """Tell whether nothing is under way any more."""
        return not self.flying

    def take(self, place: Place, *, at: int = 0) -> Batch:
        """Take a batch off its way: the first, unless order is what was taken out."""
        queue = self.flying[place]
        batch = queue[at]
        del queue[at]
        if not queue:
            del self.flying[place]
        return batch

    def cut(self, place: Place) -> list[int]:
        """Lose what is under way to a partition; return the positions."""
        return [at for batch in self.flying.pop(place, ()) for at in batch.positions]


class EventLog:
    """Partitions, and everything on its way to them."""

    def __init__(self) -> None:
        self.records: dict[Place, list[Told]] = {place: [] for place in PLACES}
        self.begins: dict[Place, int] = dict.fromkeys(PLACES, 0)
        self.history: list[tuple[Place, int, Told]] = []
        self.sendings: list[Sending] = []
        self.strays: list[tuple[Place, Told]] = []
        self.strayed = False

    def land(self, choice: int, *, in_order: bool, astray: bool) -> None:
        """Let one batch arrive. With `astray` its first record is held up on the way (no producer of ours does)."""
        found = self._choose(choice)
        if found is None:
            return
        sending, place = found
        at = 0 if in_order else choice % len(sending.flying[place])
        batch = sending.take(place, at=at)
        arrived = [sending.rows[position][1] for position in batch.positions]
        if astray and len(arrived) + len(self.records[place]) > 1:
            self.strayed = True
            self.strays.append((place, arrived.pop(0)))
        for told in arrived:
            self._append(place, told)
        self._forget(sending)

    def refuse(self, choice: int, *, answer_lost: bool, in_turn: bool) -> None:
        """Let the broker refuse a batch, or take it and lose the answer.

        `in_turn`: what follows has not been handed over yet, and never is. Otherwise it is under way and may be written:
        a broker accepts whatever number a producer that it does not know begins with.
        """
        found = self._choose(choice)
        if found is None:
            return
        sending, place = found
        batch = sending.take(place)
        if answer_lost:
            for position in batch.positions:
                self._append(place, sending.rows[position][1])
        followers = sending.cut(place) if in_turn else []
        sending.delivery.fail([*batch.positions, *followers], Refused())
        sending.delivery.spent = True
        self._forget(sending)

    def cut(self, sending: Sending, choice: int) -> None:
        """Let what is under way to one partition never arrive: the connection of a dead sender."""
        places = list(sending.flying)
        sending.cut(places[choice % len(places)])
        self._forget(sending)

    def bring_strays(self) -> None:
        """Let everything arrive that was held up."""
        for place, told in self.strays:
            self._append(place, told)
        self.strays.clear()

    def truncate(self, place: Place, records: int) -> None:
        """Forget the oldest records (retention, kafka-delete-records)."""
        self.begins[place] = min(self.begins[place] + records, len(self.records[place]))

    def read(self, place: Place, position: int, limit: int) -> list[Decoded]:
        """Return the records from a position on; from the first there is when the position is out of range."""
        records = self.records[place]
        if position == len(records):
            return []
        if not self.begins[place] <= position <= len(records):
            position = self.begins[place]
        found = records[position : position + limit]
        return [decoded(told, place[1], position + step) for step, told in enumerate(found)]

    def _choose(self, choice: int) -> tuple[Sending, Place] | None:
        if not self.sendings:
            return None
        sending = self.sendings[choice % len(self.sendings)]
        places = list(sending.flying)
        return sending, places[choice % len(places)]

    def _append(self, place: Place, told: Told) -> None:
        records = self.records[place]
        self.history.append((place, len(records), told))
        records.append(told)

    def _forget(self, sending: Sending) -> None:
        if sending.answered:
            self.sendings.remove(sending)
