"""How buckets are shared: each has room in somebody's share, and nobody takes more than theirs."""

import pytest

from shared.messaging.leases import BUCKETS, buckets_to_try, fair_share


@pytest.mark.parametrize("members", range(1, BUCKETS + 4))
def test_shares_hold_all_buckets_and_little_more(members):
    assert BUCKETS <= fair_share(members) * members < BUCKETS + members


def test_who_is_counted_as_nobody_may_have_all():
    assert fair_share(0) == BUCKETS


def test_every_session_tries_all_that_it_does_not_own_and_begins_elsewhere():
    assert sorted(buckets_to_try(21, [3, 5])) == [bucket for bucket in range(BUCKETS) if bucket not in {3, 5}]
    assert buckets_to_try(21, [])[0] != buckets_to_try(22, [])[0]
