"""Which locks a batch takes: ascending, and none in common between batches of two partitions."""

from pathlib import Path
from uuid import uuid4

import yaml

from deploy.local.paths import REPOSITORY
from services.metrics.attribution.credit import BUCKETS, buckets_of
from shared.contracts.assignment import ACCOUNTS
from shared.kafka.partitioning import partition_of

TOPICS = Path(REPOSITORY) / "deploy/kafka/topics.yaml"


def partitions_of(topic: str) -> int:
    topics = yaml.safe_load(TOPICS.read_text())["topics"]
    return next(int(one["partitions"]) for one in topics if one["name"] == topic)


def test_batches_of_two_partitions_have_no_bucket_in_common():
    partitions = partitions_of(ACCOUNTS)
    accounts = [uuid4() for _ in range(5_000)]
    taken: dict[int, set[int]] = {}
    for account in accounts:
        partition = partition_of(str(account).encode(), partitions)
        taken.setdefault(partition, set()).update(buckets_of([account]))

    assert sum(map(len, taken.values())) == len(set.union(*taken.values())) == BUCKETS


def test_buckets_come_ascending_and_once():
    accounts = [uuid4() for _ in range(500)]

    found = buckets_of([*accounts, *accounts])

    assert list(found) == sorted(set(found))


def test_what_is_of_no_account_holds_the_trees_all_the_same():
    assert len(buckets_of([None, None])) == 1
