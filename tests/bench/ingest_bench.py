"""ingest: facts by HTTP, through outbox, relay, Kafka and consumer, until the api shows them.

The floor is the consumer's own handler with the same kind of batches on the same tables, fed from memory without
HTTP and Kafka: once as a plain loop would feed it, one transaction after the other, and once with as many
transactions at once as the consumer runs.
"""

from tests.bench.report import SAMPLES, Result, rates
from tests.bench.sales import ACCOUNTS, FACTS_PER_REQUEST, TRANSACTIONS_AT_ONCE, selling
from tests.bench.stage import Stage

FACTS_PER_SAMPLE = 40_000


async def run(stage: Stage) -> list[Result]:
    """Measure from the first request to the figure that holds everything, and both floors, in turn."""
    values, one_by_one, several = [], [], []
    async with selling(stage) as sales:
        for sample in range(SAMPLES + 1):
            value = await sales.end_to_end(FACTS_PER_SAMPLE)
            loop = await sales.from_memory(FACTS_PER_SAMPLE, at_once=1)
            crowd = await sales.from_memory(FACTS_PER_SAMPLE)
            # The first round only warms up.
            if sample:
                values.append(value)
                one_by_one.append(loop)
                several.append(crowd)
    told = f"{FACTS_PER_SAMPLE:,} facts of {ACCOUNTS:,} accounts, {FACTS_PER_REQUEST:,} per request; api, relay, consumer"
    return [
        rates(
            "ingest",
            case,
            unit="facts/s",
            values=values,
            floors=floors,
            note=f"{told}; floor: {floor}, no HTTP, no Kafka",
        )
        for case, floors, floor in (
            ("end-to-end", one_by_one, "the handler fed from memory"),
            ("end-to-end-of-all-cores", several, f"the same, {TRANSACTIONS_AT_ONCE} transactions at once"),
        )
    ]
