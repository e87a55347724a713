"""First orders and converted leads: worked out from all of an account's facts, again when one of them changes."""

from datetime import UTC, datetime, timedelta

import pytest

from services.metrics.facts.commands.apply_facts import apply_facts
from shared.contracts.identity import ORGANISATION
from tests.service.metrics.telling import A_DAY, fact, read_cells, recorded, trace_all

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def count(transact, engine):
    """Count facts, trace what they changed, and return a figure of the whole organisation by day."""

    async def counted(figure, *facts):
        if facts:
            await transact(apply_facts, [recorded(*facts)])
        await trace_all(transact)
        async with engine.connect() as connection:
            cells = await read_cells(connection)
        return {
            day.isoformat(): figures[figure]
            for (view, territory, day, _), figures in cells.items()
            if view == 1 and territory == ORGANISATION and figure in figures
        }

    return counted


def visit(day):
    """Return a lead of January."""
    moment = JANUARY + timedelta(days=day - 1)
    return fact(f"visit-{day}", kind="lead", occurred_at=moment, created_at=moment)


def buy(day, **told):
    """Return an order of January."""
    moment = JANUARY + timedelta(days=day - 1)
    return fact(f"buy-{day}", occurred_at=moment, created_at=moment, **told)


async def test_a_sale_converts_the_nearest_lead_before_it(count):
    """Source: dbt MetricFlow, conversion metrics: visits on 1, 4, 7, buys on 2, 7, window of 7 days: 2 of 3."""
    facts = [visit(1), visit(4), visit(7), buy(2), buy(7)]
    assert await count("converted_7", *facts) == {"2026-01-01": 1, "2026-01-07": 1}
    assert await count("leads") == {"2026-01-01": 1, "2026-01-04": 1, "2026-01-07": 1}


async def test_a_window_ends_before_its_last_day_is_over(count):
    lead = visit(1)
    assert await count("converted_7", lead, buy(8, lead_external_id="visit-1")) == {}
    assert await count("converted_30") == {"2026-01-01": 1}
    an_instant_before = JANUARY + timedelta(days=7, microseconds=-1)
    corrected = fact(
        "buy-8", revision=2, occurred_at=an_instant_before, created_at=JANUARY + timedelta(days=7),
        lead_external_id="visit-1",
    )  # fmt: skip
    assert await count("converted_7", corrected) == {"2026-01-01": 1}


async def test_the_first_order_moves_with_corrections(count):
    assert await count("new_customers", buy(9)) == {"2026-01-09": 1}
    assert await count("new_customers", buy(3)) == {"2026-01-03": 1}
    void = fact(
        "buy-3", revision=2, voided=True, created_at=JANUARY + timedelta(days=2), amount=None, currency=None
    )
    assert await count("new_customers", void) == {"2026-01-09": 1}
    elsewhere = fact(
        "buy-9", revision=2, created_at=JANUARY + timedelta(days=8), account_external_id="a2",
        occurred_at=A_DAY,
    )  # fmt: skip
    assert await count("new_customers", elsewhere, buy(20)) == {"2026-01-20": 1, "2026-03-02": 1}


async def test_the_last_lead_before_the_first_order_tells_whether_it_was_paid_for(count):
    paid = visit(1).model_copy(update={"paid": True, "channel": "search"})
    assert await count("paid_new_customers", paid, buy(5)) == {"2026-01-05": 1}
    assert await count("paid_new_customers", visit(4)) == {}


async def test_a_refund_is_counted_beside_the_order_on_its_own_day(count):
    refund = fact("back", kind="refund", amount="30.00", order_external_id="buy-1", occurred_at=A_DAY)
    assert await count("refunded_minor", buy(1), refund) == {"2026-03-02": 3000}
    assert await count("revenue_minor") == {"2026-01-01": 10000}


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"kind": "refund", "amount": "1.00", "currency": "USD"}, "order_external_id"),
        (
            {"kind": "refund", "amount": "-1.00", "currency": "USD", "order_external_id": "o1"},
            "amount",
        ),
        ({"kind": "order", "amount": "1.00", "currency": "USD", "paid": True}, "paid"),
        ({"kind": "lead", "lead_external_id": "l1"}, "lead_external_id"),
        ({"kind": "deal"}, "amount"),
    ],
)
async def test_what_hangs_together_wrongly_names_the_field(api, organisation, told, field):
    usual = {"source": "crm", "external_id": "x", "revision": 1, "account_external_id": "a1"}
    times = {"created_at": A_DAY.isoformat(), "occurred_at": A_DAY.isoformat()}
    answer = await api.post("/v1/facts", json={"facts": [{**usual, **times, **told}]}, headers=organisation)
    (item,) = answer.json()["items"]
    assert item["status"] == "invalid"
    assert item["errors"][0]["detail"].startswith(f"{field}:")
