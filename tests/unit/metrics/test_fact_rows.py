from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest

from services.metrics.facts.fact_row import columns_of, reduce_to_newest, row_of
from services.metrics.facts.intake import Told, judge, read_items, split_into_records
from shared.contracts.money import from_minor
from tests.service.metrics.telling import A_DAY, fact


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "USD", 1999),
        ("500", "JPY", 500),
        ("1.234", "BHD", 1234),
        ("-0.01", "EUR", -1),
        ("1e3", "EUR", 100_000),
    ],
)
def test_money_is_kept_in_whole_minor_units(amount, currency, minor):
    row = row_of(fact(amount=amount, currency=currency))
    assert (row.amount_minor, row.currency) == (minor, currency)
    assert from_minor(minor, currency) == fact(amount=amount, currency=currency).amount


def test_a_count_without_money_has_no_currency():
    row = row_of(fact(kind="lead", amount=None, currency=None))
    assert (row.amount_minor, row.currency) == (0, "XXX")


def test_the_same_instant_in_another_zone_says_the_same():
    elsewhere = A_DAY.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert row_of(fact(occurred_at=A_DAY)).payload_hash == row_of(fact(occurred_at=elsewhere)).payload_hash
    assert row_of(fact(occurred_at=elsewhere)).occurred_at.utcoffset() == timedelta(0)


def test_an_account_named_by_either_id_says_the_same():
    by_name = row_of(fact())
    by_id = row_of(fact(account_external_id=None, account_id=by_name.account_id))
    assert by_name == by_id


def test_the_highest_revision_stays_whatever_the_order():
    told = [row_of(fact(name, revision=n, amount=f"{n}.00")) for name in "abc" for n in range(1, 5)]
    Random(1).shuffle(told)
    reduced = reduce_to_newest(told)
    assert [row.revision for row in reduced.newest] == [4, 4, 4]
    assert [row.entity_key for row in reduced.newest] == sorted(row.entity_key for row in reduced.newest)
    assert reduced.contradicted == []


@pytest.mark.parametrize("places", [(0, 1, 0), (1, 0, 1), (1, 1, 0)])
def test_of_two_tellings_of_a_revision_the_smaller_digest_stays(places):
    tellings = [row_of(fact(amount="1.00")), row_of(fact(amount="2.00"))]
    smaller, larger = sorted(tellings, key=lambda row: row.payload_hash)
    reduced = reduce_to_newest(tellings[place] for place in places)
    assert reduced.newest == [smaller]
    assert set(reduced.contradicted) == {larger}


def test_no_rows_are_still_columns():
    assert set(columns_of([])) == set(columns_of([row_of(fact())]))


def test_each_item_is_judged_against_what_is_known_and_what_came_before():
    known_row = row_of(fact("known", revision=2))
    sent = [
        {"external_id": "known", "revision": 1},
        {"external_id": "known", "revision": 2},
        {"external_id": "known", "revision": 2, "amount": "7.00"},
        {"external_id": "known", "revision": 3},
        {"external_id": "new", "revision": 1},
        {"external_id": "new", "revision": 1},
        {"external_id": "new", "revision": 1, "amount": "7.00"},
    ]
    items = read_items([fact(**each).model_dump(mode="json") for each in sent])
    judge(items, {known_row.entity_key: Told(2, known_row.payload_hash, known_row.account_id)})
    assert [item.status for item in items] == [
        "superseded", "duplicate", "conflict", "accepted", "accepted", "duplicate", "conflict",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "pointer", "said"),
    [
        ("not a fact", "/facts/0", "dictionary"),
        ({"kind": "order"}, "/facts/0/source", "required"),
        ({"amount": "1.005"}, "/facts/0", "more decimals than USD has"),
        ({"amount": "NaN"}, "/facts/0/amount", "finite"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "/facts/0/occurred_at", "timezone"),
        ({"occurred_at": "2199-12-31T23:59:59-12:00"}, "/facts/0", "occurred_at: years 1990 to 2199 in UTC"),
        ({"created_at": "1990-01-01T00:00:00+14:00"}, "/facts/0", "created_at: years 1990 to 2199 in UTC"),
        ({"occurred_at": "9999-12-31T23:59:59-12:00"}, "/facts/0", "occurred_at: years 1990 to 2199 in UTC"),
        ({"currency": "usd"}, "/facts/0", "three capital letters"),
        ({"currency": "XXX"}, "/facts/0", "no currency"),
        ({"stage": "open"}, "/facts/0", "stage"),
        ({"source": "\ud800"}, "/facts/0/source", "unicode"),
    ],
)
def test_an_invalid_fact_tells_where_and_why(sent, pointer, said):
    if isinstance(sent, dict) and "kind" not in sent:
        sent = {**fact().model_dump(mode="json"), **sent}
    (item,) = read_items([sent])
    judge([item], {})
    assert item.status == "invalid"
    assert item.errors[0][0] == pointer
    assert said in item.errors[0][1]


def test_records_hold_at_most_500_facts_and_stay_small():
    plain = [fact(f"o{n}") for n in range(1_001)]
    assert [len(record) for record in split_into_records(plain)] == [500, 500, 1]
    long = [fact(f"{n:03}" + "\u00e9" * 125, source="\u4e16" * 128) for n in range(500)]
    records = list(split_into_records(long))
    assert [each for record in records for each in record] == long
    for record in records:
        assert sum(len(each.model_dump_json().encode()) for each in record) < 700_000


def test_keys_of_one_time_lie_together():
    early = row_of(fact("z", created_at=datetime(2024, 5, 1, tzinfo=UTC))).entity_key
    late = row_of(fact("a", created_at=datetime(2024, 5, 1, 0, 0, 1, tzinfo=UTC))).entity_key
    assert early < late
