"""Follow where every account belongs: catch up from states, then read events.

    pip install -r requirements.txt
    python subscribe.py --bootstrap-servers 127.0.0.1:9094 --file accounts.sqlite

The first time, `assignment.account.state.v1` is read to its end, and then `assignment.account.events.v1` from an hour
before that on: events that a state includes already are passed over by their version. Later it reads on from where it
was. `--until-end` ends it once everything that is there has been read.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

from accounts import Account, Accounts
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import OFFSET_END, Consumer, KafkaException, Message, TopicPartition

STATES = "assignment.account.state.v1"
EVENTS = "assignment.account.events.v1"
OVERLAP_SECONDS = 3600
"""Longer than any event waits between its commit and Kafka. A wrong guess is noticed: versions have no holes."""
SECONDS = 20.0


class Log:
    """The topics of an installation, read by offsets that we keep ourselves."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self._prefix = prefix
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": f"{prefix}example-subscriber",
                "enable.auto.commit": False,
                # A position that retention overtook is an error to look at, never a reason to jump.
                "auto.offset.reset": "error",
            }
        )

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def ends(self, topic: str) -> dict[int, int]:
        """Return the offset after the last record of every partition."""
        return {place.partition: self._watermarks(place)[1] for place in self._places(topic)}

    def beginnings(self, topic: str) -> dict[int, int]:
        """Return the offset of the first record that is still there."""
        return {place.partition: self._watermarks(place)[0] for place in self._places(topic)}

    def offsets_at(self, topic: str, seconds: float) -> dict[int, int]:
        """Return the offsets of the first records from an instant on, in seconds since 1970."""
        wanted = [TopicPartition(p.topic, p.partition, int(seconds * 1000)) for p in self._places(topic)]
        found = self._consumer.offsets_for_times(wanted, timeout=SECONDS)
        ends = self.ends(topic)
        return {p.partition: ends[p.partition] if p.offset == OFFSET_END else p.offset for p in found}

    def read(self, topic: str, positions: dict[int, int], *, until_end: bool) -> Iterator[list[Message]]:
        """Return batches of records from these positions on; for ever, or to where the topic ends now."""
        ends = self.ends(topic)
        left = {number for number, offset in positions.items() if offset < ends[number]}
        self._consumer.assign([TopicPartition(self._prefix + topic, *place) for place in positions.items()])
        while left or not until_end:
            records = self._consumer.consume(500, timeout=0.5)
            for record in records:
                if record.error() is not None:
                    raise KafkaException(record.error())
            if records:
                yield records
            # By position, not by record: in a compacted topic the last offsets may hold none.
            places = [TopicPartition(self._prefix + topic, number) for number in left]
            left = {p.partition for p in self._consumer.position(places) if p.offset < ends[p.partition]}

    def _places(self, topic: str) -> list[TopicPartition]:
        physical = self._prefix + topic
        told = self._consumer.list_topics(physical, timeout=SECONDS).topics[physical]
        if told.error is not None:
            raise KafkaException(told.error)
        return [TopicPartition(physical, number) for number in told.partitions]

    def _watermarks(self, place: TopicPartition) -> tuple[int, int]:
        low, high = self._consumer.get_watermark_offsets(place, timeout=SECONDS)
        return low, high


def catch_up(log: Log, accounts: Accounts) -> None:
    """Take over every state, and decide where events are read from."""
    start = log.offsets_at(EVENTS, time.time() - OVERLAP_SECONDS)
    for records in log.read(STATES, log.beginnings(STATES), until_end=True):
        with accounts.transaction():
            for record in records:
                take_state(record, accounts)
    with accounts.transaction():
        for partition, offset in start.items():
            accounts.move(EVENTS, partition, offset)


def follow(log: Log, accounts: Accounts, *, until_end: bool) -> None:
    """Apply events, and tell of every account that came to another territory."""
    for records in log.read(EVENTS, accounts.positions(EVENTS), until_end=until_end):
        moved: list[Account] = []
        with accounts.transaction():
            for record in records:
                before = accounts.get(key_of(record))
                after = take_event(record, before)
                if after is not before:
                    accounts.put(after)
                if after.territory_id != before.territory_id:
                    moved.append(after)
                accounts.move(EVENTS, record.partition(), record.offset() + 1)
        for account in moved:
            print(json.dumps({"account_id": account.account_id, "territory_id": account.territory_id}))


def take_state(record: Message, accounts: Accounts) -> None:
    """Keep a state; no value means that the account is gone."""
    if record.value() is None:
        accounts.forget(key_of(record))
        return
    event = from_binary(KafkaMessage(headers_of(record), record.key(), record.value()), JSONFormat())
    before = accounts.get(key_of(record))
    accounts.put(before.after_state(int(event.get_extension("aggregateversion")), dict(event.get_data())))


def take_event(record: Message, before: Account) -> Account:
    """Return the account after an event."""
    event = from_binary(KafkaMessage(headers_of(record), record.key(), record.value()), JSONFormat())
    version = int(event.get_extension("aggregateversion"))
    return before.after_event(version, event.get_type(), dict(event.get_data()))


def key_of(record: Message) -> str:
    """Return the account a record is about."""
    return (record.key() or b"").decode()


def headers_of(record: Message) -> dict[str, bytes]:
    """Return a record's headers by name."""
    return dict(record.headers() or ())


def main() -> None:
    """Catch up the first time, then follow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--prefix", default="", help="what the installation puts before its topics")
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--until-end", action="store_true")
    options = parser.parse_args()
    log, accounts = Log(options.bootstrap_servers, options.prefix), Accounts(options.file)
    try:
        if not accounts.positions(EVENTS):
            catch_up(log, accounts)
        follow(log, accounts, until_end=options.until_end)
    finally:
        log.close()


if __name__ == "__main__":
    main()
