"""Customer values as a caller meets them: a fit asked for, made by the worker, shown by account and territory."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest

from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.customer_value.commands.make_fit import LEASE, KeepFit, keep_fit, take_fit
from services.metrics.customer_value.valuation import value_customers
from services.metrics.customer_value.worker import make_fits, make_next_fit
from services.metrics.facts.commands.apply_facts import apply_facts
from shared.contracts.identity import ORGANISATION, UNASSIGNED, account_id_of
from shared.testing.waiting import eventually
from tests import cdnow
from tests.service.metrics.telling import aligned, fact, recorded, territory

FITS, VALUES, SUMS = "/v1/customer-value-fits", "/v1/customer-values", "/v1/customer-value-sums"


@pytest.fixture
def ask(api, organisation):
    """Ask for a fit, have it made, and read it."""

    async def ask(transact, **body):
        answer = await api.post(FITS, json={"currency": "USD", **body}, headers=organisation)
        assert answer.status_code == 202, answer.text
        assert answer.json()["state"] == "queued"
        assert await make_next_fit(transact)
        return (await api.get(answer.headers["location"], headers=organisation)).json()

    return ask


@pytest.fixture
def read(api, organisation):
    """Read a page, or one thing."""

    async def read(path, headers=organisation, **params):
        answer = await api.get(path, params={k: str(v) for k, v in params.items()}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return read


def orders_of_cdnow():
    """Return the sample's purchases as orders of one account per customer, two of a day apart."""
    for number, purchase in enumerate(cdnow.purchases()):
        at = datetime.combine(purchase.on, time(9, tzinfo=UTC)) + timedelta(seconds=number % 3_600)
        yield fact(
            f"cdnow-{number}",
            account_external_id=f"cdnow-{purchase.customer}",
            amount=str(purchase.amount),
            created_at=at,
            occurred_at=at,
        )


@pytest.fixture
async def cdnow_orders(transact):
    """The orders of the sample, and two of its customers in territories."""
    orders = list(orders_of_cdnow())
    for start in range(0, len(orders), 500):
        await transact(apply_facts, [recorded(*orders[start : start + 500])])


async def test_orders_of_cdnow_give_its_published_fit(counted, cdnow_orders, ask, transact):
    made = await ask(transact, cut_off_on="1997-09-30")
    assert (made["state"], made["level"], made["reason"], made["version"]) == ("made", "fitted", "fitted", 1)
    assert (made["customers"], made["repeat_customers"], made["findings"]) == (2357, 946, [])
    buying, spend = made["models"]["purchases"], made["models"]["spend"]
    published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert buying == pytest.approx(published, abs=1e-3)
    assert {name: round(value, 2) for name, value in spend.items()} == {"p": 6.25, "q": 3.74, "v": 15.44}
    assert made["models"]["purchases_log_likelihood"] == pytest.approx(-9582.4, abs=0.05)
    again = await ask(transact, cut_off_on="1997-09-30")
    assert again["version"] == 2
    for same in ("models", "input_digest", "customers"):
        assert again[same] == made[same]


async def test_values_by_account_and_by_territory_as_held_today(
    counted, cdnow_orders, ask, read, transact, northerner
):
    """n1 holds one customer of the sample, s1 another; nobody holds the rest."""
    await transact(
        record_alignments, [aligned("cdnow-0001", "n1", version=1), aligned("cdnow-0004", "s1", version=1)]
    )
    await ask(transact, cut_off_on="1997-09-30", margin="0.5")
    value = (await read(f"{VALUES}/{account_id_of('cdnow-0001')}", northerner))["values"][0]
    assert (value["level"], value["reason"], value["currency"]) == ("fitted", "fitted", "USD")
    assert (value["purchases"], value["first_on"], value["last_on"]) == (3, "1997-01-01", "1997-08-02")
    assert value["historic_revenue"] == "74.02"
    assert value["basis"] | {"fit_id": None} == {
        "fit_id": None, "version": 1, "cut_off_on": "1997-09-30", "margin": "0.5000",
        "annual_discount_rate": "0.1000", "horizon_months": 12,
    }  # fmt: skip
    # Twelve months at 0.72658 alive; the golden value for 39 weeks is 1.2260 purchases.
    assert value["p_alive"] == pytest.approx(0.7266, abs=5e-4)
    assert 1.226 < value["expected_purchases"] < 1.226 * 52.14 / 39
    assert 0 < float(value["value"]) < value["expected_purchases"] * float(value["expected_spend"]) * 0.5

    def by_territory(sums):
        return {
            (row["territory_id"], row["currency"], row["level"]): (row["accounts"], row["value"])
            for row in sums["rows"]
        }

    everything = by_territory(await read(SUMS))
    n1, north, s1 = (str(territory(name)) for name in ("n1", "north", "s1"))
    # a1 of n1 ordered in 2026, after the cut-off: it has no value, and is not left out.
    assert everything[n1, "USD", "fitted"] == everything[north, "USD", "fitted"] == (1, value["value"])
    assert everything[north, None, "none"] == (1, None)
    assert everything[s1, "USD", "fitted"][0] == 1
    assert everything[str(UNASSIGNED), "USD", "fitted"][0] == 2355
    assert by_territory(await read(SUMS, northerner)) == {
        key: row for key, row in everything.items() if key[0] in {n1, north}
    }
    totals = {row["level"]: row for row in (await read(SUMS))["totals"]}
    assert (totals["fitted"]["accounts"], totals["none"]["accounts"]) == (2357, 2)
    asked = by_territory(await read(SUMS, territory_id=ORGANISATION))
    assert asked[str(ORGANISATION), "USD", "fitted"] == (2357, totals["fitted"]["value"])
    roots = [territory("north"), territory("south"), UNASSIGNED]
    parts = [
        float(row["value"])
        for root in roots
        for row in (await read(SUMS, territory_id=root))["totals"]
        if row["level"] == "fitted"
    ]
    assert sum(parts) == pytest.approx(float(totals["fitted"]["value"]), abs=0.001)


async def test_too_few_customers_are_valued_by_their_history(counted, ask, read, transact):
    """Each currency has a fit of its own; a2 sold 10 USD and 1 JPY."""
    await transact(apply_facts, [recorded(fact("back", account_external_id="a2", amount="-2.50"))])
    for currency in ("USD", "JPY"):
        made = await ask(transact, currency=currency, margin="0.3")
        assert (made["level"], made["reason"], made["models"]) == ("historic", "too-few-customers", None)
    (yen, dollars) = (await read(f"{VALUES}/{account_id_of('a2')}"))["values"]
    assert (yen["currency"], yen["historic_revenue"], yen["value"]) == ("JPY", "1", "0")
    assert (dollars["level"], dollars["reason"]) == ("historic", "too-few-customers")
    assert (dollars["historic_revenue"], dollars["value"], dollars["p_alive"]) == ("7.50", "2.25", None)


async def test_without_a_value_the_reason_is_told(counted, ask, read, transact):
    path = f"{VALUES}/{account_id_of('a1')}"
    (value,) = (await read(path))["values"]
    assert (value["level"], value["reason"], value["value"], value["basis"]) == (
        "none",
        "not-valued-yet",
        None,
        None,
    )
    await ask(transact, cut_off_on="2026-03-01")
    (value,) = (await read(path))["values"]
    assert (value["level"], value["reason"], value["value"]) == ("none", "no-orders", None)


async def test_a_later_fit_replaces_the_values_and_corrections_count(counted, ask, read, transact):
    await ask(transact)
    voided = fact("o1", revision=2, voided=True)
    await transact(apply_facts, [recorded(voided)])
    before = (await read(f"{VALUES}/{account_id_of('a1')}"))["values"][0]
    assert (before["value"], before["basis"]["version"]) == ("100.00", 1)
    await ask(transact)
    assert (await read(f"{VALUES}/{account_id_of('a1')}"))["values"][0]["level"] == "none"


async def test_orders_of_a_day_are_one_purchase_and_refunds_none(transact, ask, read):
    await transact(
        apply_facts,
        [
            recorded(
                fact("o1", amount="10.00"),
                fact("o2", amount="5.00"),
                fact("r1", amount="-4.00", occurred_at=datetime(2026, 3, 9, tzinfo=UTC)),
                fact("o3", amount="0.00", occurred_at=datetime(2026, 3, 20, tzinfo=UTC)),
                fact("r2", amount="-4.00", account_external_id="a2"),
                fact("r3", kind="refund", amount="1.50", occurred_at=datetime(2026, 3, 20, tzinfo=UTC)),
                fact("r4", kind="refund", amount="2.00", account_external_id="a2"),
                fact(
                    "r5", kind="refund", amount="9.00", currency="USD", account_external_id="a2", voided=True
                ),
                fact("nobody", kind="spend", amount="9.00", account_external_id=None),
            )
        ],
    )
    await ask(transact)
    one, other = [(await read(f"{VALUES}/{account_id_of(name)}"))["values"][0] for name in ("a1", "a2")]
    assert (one["purchases"], one["last_on"], one["value"]) == (2, "2026-03-20", "9.50")
    assert (other["purchases"], other["reason"], other["value"]) == (0, "no-purchase", "-6.00")


async def test_a_scope_sees_the_accounts_it_holds(counted, ask, read, transact, northerner, api, issuer):
    await ask(transact)
    assert {item["account_id"] for item in (await read(VALUES, northerner))["items"]} == {
        str(account_id_of("a1"))
    }
    everything = (await read(VALUES))["items"]
    assert {item["account_id"] for item in everything} == {
        str(account_id_of(name)) for name in ("a1", "a2", "stranger")
    }
    for hidden in (account_id_of("a2"), account_id_of("stranger"), uuid4()):
        assert (await api.get(f"{VALUES}/{hidden}", headers=northerner)).status_code == 404
    for hidden in (territory("south"), UNASSIGNED, ORGANISATION):
        for path in (VALUES, SUMS):
            params = {"territory_id": str(hidden)}
            assert (await api.get(path, params=params, headers=northerner)).status_code == 404
    assert [row["account_id"] for row in (await read(VALUES, territory_id=UNASSIGNED))["items"]] == [
        str(account_id_of("stranger"))
    ]
    nothing = issuer.headers("viewer", territories=[])
    assert (await read(SUMS, nothing)) == {"rows": [], "totals": []}


async def test_pages_hold_every_account_once(counted, ask, read, transact):
    await ask(transact)
    seen, cursor = [], {}
    while True:
        page = await read(VALUES, limit=1, **cursor)
        seen += [item["account_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == sorted(str(account_id_of(name)) for name in ("a1", "a2", "stranger"))


async def test_fits_are_asked_for_by_administrators_of_everything(api, issuer, northerner, organisation):
    scoped = issuer.headers("admin", territories=[territory("north")])
    for headers, code in ((northerner, "forbidden"), (scoped, "outside-scope")):
        answer = await api.post(FITS, json={"currency": "USD"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    answer = await api.get(FITS, headers=northerner)
    assert (answer.status_code, answer.json()["code"]) == (403, "outside-scope")
    assert (await api.get(f"{FITS}/{uuid4()}", headers=organisation)).status_code == 404


async def test_one_fit_of_a_currency_waits_at_a_time(api, organisation, read, transact):
    first = await api.post(FITS, json={"currency": "USD"}, headers=organisation)
    second = await api.post(FITS, json={"currency": "USD"}, headers=organisation)
    assert (second.status_code, second.json()["code"]) == (409, "fit-already-queued")
    assert second.json()["fit_id"] == first.json()["fit_id"]
    other = await api.post(FITS, json={"currency": "EUR"}, headers=organisation)
    assert other.status_code == 202
    page = await read(FITS, limit=1)
    assert [fit["fit_id"] for fit in page["items"]] == [other.json()["fit_id"]]
    page = await read(FITS, cursor=page["next_cursor"])
    assert [fit["fit_id"] for fit in page["items"]] == [first.json()["fit_id"]]
    assert len((await read(FITS, currency="EUR"))["items"]) == 1
    assert await make_next_fit(transact)
    assert (await api.post(FITS, json={"currency": "USD"}, headers=organisation)).status_code == 202


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/currency"),
        ({"currency": "usd"}, "/currency"),
        ({"currency": "USD", "margin": "1.5"}, "/margin"),
        ({"currency": "USD", "annual_discount_rate": "-0.1"}, "/annual_discount_rate"),
        ({"currency": "USD", "horizon_months": 0}, "/horizon_months"),
        ({"currency": "USD", "cut_off_on": 0}, "/cut_off_on"),
        ({"currency": "USD", "model": "pareto"}, "/model"),
    ],
)
async def test_bad_input_names_the_field_and_queues_nothing(api, organisation, read, body, pointer):
    answer = await api.post(FITS, json=body, headers=organisation)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await read(FITS))["items"] == []


async def test_a_cut_off_in_the_future_is_refused(api, organisation):
    body = {"currency": "USD", "cut_off_on": "2199-01-01"}
    answer = await api.post(FITS, json=body, headers=organisation)
    assert (answer.status_code, answer.json()["code"]) == (422, "cut-off-in-the-future")
    assert answer.json()["detail"].startswith("cut_off_on: ")


async def test_a_fit_whose_worker_died_is_made_by_another_once(counted, api, organisation, clock, transact):
    await api.post(FITS, json={"currency": "USD"}, headers=organisation)
    lost = await transact(take_fit, LEASE)
    assert await transact(take_fit, LEASE) is None
    clock.advance(LEASE)
    assert await make_next_fit(transact)
    late = KeepFit(lost.fit_id, value_customers(lost.histories, lost.terms))
    assert await transact(keep_fit, late) is False


async def test_the_worker_makes_fits_until_it_is_stopped(counted, api, organisation, read, transact):
    stopping = asyncio.Event()
    working = asyncio.create_task(make_fits(transact, stopping))
    await api.post(FITS, json={"currency": "USD"}, headers=organisation)

    async def made():
        return (await read(FITS))["items"][0]["state"] == "made"

    await eventually(made)
    stopping.set()
    await working
