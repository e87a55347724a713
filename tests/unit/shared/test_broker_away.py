"""A broker that does not answer ends nothing: it is asked again."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from shared.kafka.access import KafkaAccess
from shared.kafka.broker_away import BrokerAway
from shared.kafka.poller import Poller
from shared.kafka.records import TopicPartition
from shared.messaging import metrics
from shared.messaging.reader import PartitionReader
from shared.messaging.transient import is_transient

PLACE = TopicPartition("t", 0)


class SilentClient:
    """A Kafka client that waits for its brokers until its patience ends."""

    async def beginning_offsets(self, _places: Any) -> Any:
        raise KafkaTimeoutError("Failed to get offsets by times in 40000 ms")

    end_offsets = topics = lambda self, *_: self.beginning_offsets(_)


@pytest.fixture
def poller() -> Poller:
    made = Poller(KafkaAccess(bootstrap_servers="127.0.0.1:1"), group_id="g", topics=["t"])
    made._client = SilentClient()
    return made


@pytest.mark.parametrize("ask", ["beginning_offset", "end_offset"])
async def test_silence_is_an_error_that_passes(poller: Poller, ask: str) -> None:
    with pytest.raises(BrokerAway) as raised:
        await getattr(poller, ask)(PLACE)
    assert is_transient(raised.value)
    with pytest.raises(BrokerAway):
        await poller.missing_topics(["t"])


class _Batches:
    consumer = "test"


def test_who_leaves_a_stopped_partition_no_longer_alarms(poller: Poller) -> None:
    poller.pause = lambda _places: None  # type: ignore[method-assign, assignment]
    reader = PartitionReader(PLACE, _Batches(), poller, asyncio.Event(), asyncio.Semaphore(1))  # type: ignore[arg-type]
    gauge = metrics.STOPPED.labels("test", "t", "0")
    reader._stop("the log was recreated")
    assert gauge._value.get() == 1
    reader.leave()
    assert gauge._value.get() == 0
