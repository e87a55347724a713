"""Keys must land where every other Kafka client puts them."""

from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.partitioning import murmur2, partition_of


@given(st.binary(max_size=80))
def test_the_hash_is_that_of_other_clients(data):
    assert murmur2(data) == reference(data) & 0xFFFFFFFF


def test_known_values_of_the_java_client():
    assert murmur2(b"21") - (1 << 32) == -973932308
    assert murmur2(b"foobar") - (1 << 32) == -790332482
    assert partition_of(b"foobar", 1) == 0
