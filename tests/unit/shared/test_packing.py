"""Whatever is packed: nothing is left out, and a partition gets its records in the order they were given."""

from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.packing import pack
from shared.kafka.records import OutgoingRecord

PARTITIONS = {"t": 3, "u": 1}


class Builder:
    """Takes three records."""

    def __init__(self) -> None:
        self.taken: list[bytes | None] = []

    def append(self, *, key, **_) -> bool:
        if len(self.taken) == 3:
            return False
        self.taken.append(key)
        return True


@given(
    st.lists(st.tuples(st.sampled_from("tu"), st.sampled_from([None, b"a", b"b", b"c", b"d"])), max_size=40)
)
def test_batches_hold_every_record_once_in_the_order_of_its_partition(told):
    records = [OutgoingRecord(topic, key, b"", (), 0) for topic, key in told]
    batches = list(pack(enumerate(records), PARTITIONS, Builder))
    assert sorted(at for batch in batches for at in batch.positions) == list(range(len(records)))
    by_place: dict[tuple[str, int], list[int]] = {}
    for batch in batches:
        assert [records[at].key for at in batch.positions] == batch.builder.taken
        assert {records[at].topic for at in batch.positions} == {batch.topic}
        by_place.setdefault((batch.topic, batch.partition), []).extend(batch.positions)
    assert all(positions == sorted(positions) for positions in by_place.values())
    place_of = {
        records[at].key: place for place, positions in by_place.items() if place[0] == "t" for at in positions
    }
    assert all(
        place_of[records[at].key] == place
        for place, positions in by_place.items()
        if place[0] == "t"
        for at in positions
    )


def test_a_full_batch_is_handed_over_before_the_rest_is_packed():
    packed = pack(enumerate([OutgoingRecord("u", b"a", b"", (), 0)] * 5), PARTITIONS, Builder)
    assert next(packed).positions == [0, 1, 2]
    assert next(packed).positions == [3, 4]
