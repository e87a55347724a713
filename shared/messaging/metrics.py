"""What the relay and the consumers tell Prometheus."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

OUTBOX_ROWS = Gauge(
    "bailiwick_outbox_rows", "Events that wait to be sent (estimated beyond 10,000)", ["service"]
)
OUTBOX_OLDEST = Gauge("bailiwick_outbox_oldest_seconds", "Age of the oldest event that waits", ["service"])
QUARANTINED = Gauge(
    "bailiwick_outbox_quarantined_rows",
    "Events taken out of the outbox; holds_key tells whether later ones of their keys wait for them",
    ["service", "holds_key"],
)
OUTBOX_LEASES = Gauge("bailiwick_outbox_leases", "Buckets this relay owns", ["service"])
OUTBOX_SENT = Counter("bailiwick_outbox_sent_total", "Events acknowledged by Kafka", ["service"])
OUTBOX_ERRORS = Counter(
    "bailiwick_outbox_errors_total", "Sessions that ended in an error", ["service", "error"]
)

LAG = Gauge("bailiwick_consumer_lag_records", "Records not yet applied", ["consumer", "topic", "partition"])
APPLIED = Counter("bailiwick_consumer_applied_total", "Events handed to handlers", ["consumer", "topic"])
DUPLICATES = Counter(
    "bailiwick_consumer_duplicates_total", "Records dropped as repeats", ["consumer", "topic"]
)
GAPS = Counter("bailiwick_consumer_gaps_total", "Keys that skipped a version", ["consumer", "topic"])
DIVERGED = Counter(
    "bailiwick_consumer_diverged_total",
    "Keys that used a version again for another event",
    ["consumer", "topic"],
)
PARKED = Counter("bailiwick_consumer_parked_total", "Records set aside for later", ["consumer", "topic"])
DEAD = Counter("bailiwick_consumer_dead_letters_total", "Records given up", ["consumer", "topic"])
PARKED_KEYS = Gauge(
    "bailiwick_consumer_parked_keys", "Keys that wait, for whatever reason", ["consumer", "topic"]
)
DIVERGED_KEYS = Gauge(
    "bailiwick_consumer_diverged_keys", "Keys of these whose publisher went back", ["consumer", "topic"]
)
RETRIES = Counter("bailiwick_consumer_retries_total", "Batches tried again", ["consumer", "error"])
STOPPED = Gauge(
    "bailiwick_consumer_stopped", "1 for a partition stopped by a gap", ["consumer", "topic", "partition"]
)
BATCH_SECONDS = Histogram(
    "bailiwick_consumer_batch_seconds", "Time to apply one batch", ["consumer", "topic"]
)


def begin_counting(consumer: str, topics: Iterable[str]) -> None:
    """Tell what a consumer counts from zero on: of a series that begins at its first event, none is an increase."""
    for topic in topics:
        for counter in (APPLIED, DUPLICATES, GAPS, DIVERGED, PARKED, DEAD):
            counter.labels(consumer, topic)
