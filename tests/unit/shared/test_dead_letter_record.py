"""Whatever bytes a rejected record has, the dead-letter topic gets them back."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.records import IncomingRecord
from shared.messaging.dead_letter_record import MAX_VALUE_BYTES, Rejection, outbox_key, pack, unpack

REJECTION = Rejection(
    consumer="toy.reader", stage="VALUE_CONVERTER", error_class="ValueError", message="bad \x00"
)
HEADERS = st.lists(st.tuples(st.text(max_size=8), st.none() | st.binary(max_size=20)), max_size=5)


@given(st.none() | st.binary(max_size=50), st.none() | st.binary(max_size=200), HEADERS)
def test_bytes_survive_the_outbox(key, value, headers):
    payload = pack(IncomingRecord("t", 3, 9, key, value, headers), REJECTION)
    assert "\\u0000" not in payload  # which jsonb refuses
    found_key, found_value, found_headers = unpack(json.dumps(json.loads(payload)))
    assert (found_key, found_value) == (key, value)
    assert found_headers[: len(headers)] == headers


def test_the_attempt_is_counted_from_what_the_record_says():
    record = IncomingRecord("t", 0, 0, b"k", b"v", [("dlq_attempt", b"2")])
    assert unpack(pack(record, REJECTION))[2][-1] == ("dlq_attempt", b"3")


def test_a_value_too_large_for_kafka_stays_on_its_topic():
    record = IncomingRecord("t", 0, 0, b"k", b"x" * (MAX_VALUE_BYTES + 1), [])
    _, value, headers = unpack(pack(record, REJECTION))
    assert value == b""
    assert ("dlq_value_left_out", str(MAX_VALUE_BYTES + 1).encode()) in headers


def test_a_key_that_is_no_text_is_replaced_in_the_outbox_only():
    for key in (None, b"", b"\xff", b"a\x00", b"x" * 300):
        assert outbox_key(IncomingRecord("t", 5, 0, key, b"", [])) == "partition-5"
    assert outbox_key(IncomingRecord("t", 5, 0, "Zürich".encode(), b"", [])) == "Zürich"
