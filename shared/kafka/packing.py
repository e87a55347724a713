"""Packing records into batches, one open per partition, so that each partition gets its records in the given order."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.kafka.partitioning import partition_of
from shared.kafka.records import OutgoingRecord


@dataclass(slots=True)
class Batch:
    """Records of one partition that travel together; `positions` says which of those that were given."""

    topic: str
    partition: int
    builder: Any
    positions: list[int] = field(default_factory=list)


def pack(
    records: Iterable[tuple[int, OutgoingRecord]],
    partitions: Mapping[str, int],
    new_builder: Callable[[], Any],
) -> Iterator[Batch]:
    """Yield each batch when it is full, at the end those that are not: to be handed over in this order.

    `records` come with their positions, `partitions` counts those of each topic. A builder's `append` returns
    None when it is full; an empty one takes any record.
    """
    open_batches: dict[tuple[str, int], Batch] = {}
    for position, record in records:
        partition = partition_of(record.key, partitions[record.topic]) if record.key else 0
        place = record.topic, partition
        batch = open_batches.get(place)
        if batch is not None and not _append(batch, position, record):
            del open_batches[place]
            yield batch
            batch = None
        if batch is None:
            batch = open_batches[place] = Batch(record.topic, partition, new_builder())
            _append(batch, position, record)
    yield from open_batches.values()


def _append(batch: Batch, position: int, record: OutgoingRecord) -> bool:
    taken = batch.builder.append(
        timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=record.headers
    )
    if taken:
        batch.positions.append(position)
    return bool(taken)
