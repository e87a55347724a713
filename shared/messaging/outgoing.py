"""From outbox rows to Kafka records. Run once per event, so what repeats is built once and kept."""

import json
from functools import lru_cache
from typing import Any

from shared.kafka.cloudevents import CONTENT_TYPE, SPECVERSION, format_time
from shared.kafka.records import OutgoingRecord
from shared.messaging import dead_letter_record


def to_record(row: Any) -> OutgoingRecord:
    """Return the record of an outbox row."""
    created_at = row["created_at"]
    timestamp_ms = int(created_at.timestamp() * 1000)
    topic = row["aggregatetype"]
    if row["type"] == dead_letter_record.WIRE_TYPE:
        key, value, headers = dead_letter_record.unpack(row["payload"])
        return OutgoingRecord(topic, key, value, headers, timestamp_ms)
    key = row["aggregateid"].encode()
    payload = row["payload"]
    return OutgoingRecord(
        topic,
        key,
        None if payload is None else payload.encode(),
        [
            *_common_headers(row["type"], row["source"], row["dataschema"], row["headers"]),
            ("ce_id", row["id"].encode()),
            ("ce_time", format_time(created_at).encode()),
            ("ce_subject", key),
            ("ce_partitionkey", key),
            ("ce_aggregateversion", b"%d" % row["aggregateversion"]),
        ],
        timestamp_ms,
    )


# The events of one command have these in common and follow on each other; the next command has others.
@lru_cache(maxsize=256)
def _common_headers(
    wire_type: str, source: str, dataschema: str | None, extensions: str
) -> tuple[tuple[str, bytes], ...]:
    common = [SPECVERSION, CONTENT_TYPE, ("ce_type", wire_type.encode()), ("ce_source", source.encode())]
    if dataschema is not None:
        common.append(("ce_dataschema", dataschema.encode()))
    common.extend((f"ce_{name}", str(value).encode()) for name, value in json.loads(extensions).items())
    return tuple(common)
