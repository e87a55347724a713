"""What the relay and the consumers tell Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

OUTBOX_ROWS = Gauge(
    "bailiwick_outbox_rows", "Events that wait to be sent (estimated beyond 10,000)", ["service"]
)
OUTBOX_OLDEST = Gauge("bailiwick_outbox_oldest_seconds", "Age of the oldest event that waits", ["service"])
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
RETRIES = Counter("bailiwick_consumer_retries_total", "Batches tried again", ["consumer", "error"])
STOPPED = Gauge(
    "bailiwick_consumer_stopped", "1 for a partition stopped by a gap", ["consumer", "topic", "partition"]
)
BATCH_SECONDS = Histogram(
    "bailiwick_consumer_batch_seconds", "Time to apply one batch", ["consumer", "topic"]
)
