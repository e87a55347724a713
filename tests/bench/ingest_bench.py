"""ingest/end-to-end: facts by HTTP, through outbox, relay, Kafka and consumer, until the api shows them.

The floor is the consumer's own handler with the same kind of batches on the same tables, fed from memory.
"""

from tests.bench.report import Result, paired, rates
from tests.bench.sales import ACCOUNTS, FACTS_PER_REQUEST, TRANSACTIONS_AT_ONCE, selling
from tests.bench.stage import Stage

FACTS_PER_SAMPLE = 40_000


async def run(stage: Stage) -> list[Result]:
    """Measure from the first request to the figure that holds everything."""
    async with selling(stage) as sales:
        values, floors = await paired(
            lambda: sales.end_to_end(FACTS_PER_SAMPLE), lambda: sales.from_memory(FACTS_PER_SAMPLE)
        )
    note = (
        f"{FACTS_PER_SAMPLE:,} facts of {ACCOUNTS:,} accounts, {FACTS_PER_REQUEST:,} per request; api, relay, consumer; "
        f"floor: the handler fed from memory, {TRANSACTIONS_AT_ONCE} transactions at once, no HTTP, no Kafka"
    )
    return [rates("ingest", "end-to-end", unit="facts/s", values=values, floors=floors, note=note)]
