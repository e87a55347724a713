"""The safeguards that are Postgres's or Kafka's part of the promise, and therefore the model's; each can be taken out.

Those that are the product's own decisions (the test of versions, parking, the test for gaps) are taken out of the
product itself: see mutants.py.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What holds unless a mutant takes it out."""

    # The row of aggregate_versions stays locked until the writer commits (shared/db/outbox.py).
    aggregate_lock: bool = True
    # One task hands the batches of a partition over in the order of seq.
    sent_in_order: bool = True
    # A batch is handed over when the one before it in its partition is acknowledged (shared/kafka/producer.py).
    one_batch_at_a_time: bool = True
    # Only the session that holds a bucket's advisory lock sends its rows.
    lease_to_send: bool = True
    # A session that Postgres has ended deletes nothing any more.
    lease_to_delete: bool = True
    # A relay that finds its session ended leaves what was not acknowledged.
    leaves_unacknowledged: bool = True
    # Rows are deleted when Kafka has acknowledged them.
    delete_after_ack: bool = True
    # SELECT next_offset ... FOR UPDATE, held until the batch commits.
    progress_lock: bool = True
    # The offset moves in the transaction of the effects.
    advance: Literal["together", "after", "before"] = "together"


ALL = Safeguards()
