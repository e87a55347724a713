"""What a library says over and over is said once in a while, with how often it was said."""

import logging

import pytest

from shared.runtime.throttle import QUIET_SECONDS, Throttle


class Told(logging.Handler):
    """Keeps the lines that pass the throttle."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.now = 0.0
        self.addFilter(Throttle("aiokafka", clock=lambda: self.now))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def told():
    handler = Told()
    root = logging.getLogger()
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)


def test_a_message_is_written_once_in_ten_seconds_whatever_its_arguments(told: Told):
    connecting = logging.getLogger("aiokafka.client")

    for attempt in range(500):
        connecting.error("Unable connect to node with id %s: %s", attempt, "refused")
    told.now = QUIET_SECONDS
    connecting.error("Unable connect to node with id %s: %s", 7, "refused")

    assert told.lines == [
        "Unable connect to node with id 0: refused",
        "Unable connect to node with id 7: refused (499 more like it in 10 s)",
    ]


def test_other_trouble_is_told_at_once(told: Told):
    logging.getLogger("aiokafka.client").error("Unable connect to node")
    logging.getLogger("aiokafka.client").warning("Unable connect to node")
    logging.getLogger("aiokafka.conn").error("Unable connect to node")
    logging.getLogger("aiokafka.client").error("Topic not found")

    assert len(told.lines) == 4


def test_our_own_lines_are_all_written(told: Told):
    for _ in range(3):
        logging.getLogger("shared.messaging.relay").warning("session ended")
        logging.getLogger("aiokafkaesque").warning("session ended")

    assert len(told.lines) == 6


def test_messages_without_end_take_no_memory_without_end(told: Told):
    throttle = told.filters[0]
    assert isinstance(throttle, Throttle)
    for number in range(5_000):
        logging.getLogger("aiokafka").error(f"Node {number} is away")  # noqa: G004
        told.now += 0.001

    assert len(told.lines) == 5_000
    assert len(throttle._said) <= 1_000
