"""Posts a stream of facts to metrics, a few batches at a time, and looks at what became of each item."""

import hashlib
import json
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from deploy.demo.client import Service
from deploy.demo.failing import DemoFailed
from deploy.demo.sales import FactBody

_FACTS_PER_BATCH = 1_000
_AT_ONCE = 4
_TAKEN = {"accepted", "duplicate", "superseded"}


def post_facts(metrics: Service, facts: Iterable[FactBody]) -> None:
    """Post all facts. Raises DemoFailed when one is refused: the demo's own facts are valid."""
    stream = iter(facts)
    pending = deque[Future[None]]()
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        while batch := list(islice(stream, _FACTS_PER_BATCH)):
            pending.append(threads.submit(_post, metrics, batch))
            # Bounded, so that a million facts are never in memory at once.
            if len(pending) > 2 * _AT_ONCE:
                pending.popleft().result()
        for answer in pending:
            answer.result()


def _post(metrics: Service, batch: list[FactBody]) -> None:
    # Named by its content: whoever posts it again, after a crash too, gets the answer of the first time.
    key = hashlib.sha256(json.dumps(batch).encode()).hexdigest()
    items = metrics.post("/v1/facts", {"facts": batch}, key=key).body["items"]
    for item in items:
        if item["status"] not in _TAKEN:
            raise DemoFailed(f"fact {batch[item['index']]['external_id']} was not taken: {item}")
