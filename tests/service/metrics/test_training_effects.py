"""Certification effects over HTTP: cohorts from collab's events, figures of what reps covered, within the scope."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.metrics.coverages.commands import start_coverages
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.training.commands import keep_certifications, revoke_certifications
from shared.contracts.assignment import CoverageStarted
from shared.contracts.training import CertificationGranted, CertificationRevoked
from tests.service.metrics.telling import A_DAY, fact, received, recorded, territory

ANN, BEN = uuid4(), uuid4()
ASKED = {
    "certification_code": "health-privacy",
    "metric_id": "revenue",
    "since": "2026-01-01",
    "until": "2027-01-01",
}


def granted(rep: UUID, on: date, *, award: UUID | None = None, code: str = "health-privacy"):
    return received(
        CertificationGranted(
            award_id=award or uuid4(),
            rep_id=rep,
            certification_code=code,
            valid_from=on,
            valid_to=on + timedelta(days=365),
            renewal=False,
            granted_at=datetime(2026, 4, 1, tzinfo=UTC),
        )
    )


@pytest.fixture
async def trained(counted, transact):
    """Ann covers n1 and is certified in April, Ben covers s1 and never is; each sells in March and May."""
    coverages = [
        received(
            CoverageStarted(
                coverage_id=uuid4(),
                territory_id=territory(name),
                rep_id=rep,
                role="primary",
                share_percent=100,
                valid_from=A_DAY - timedelta(days=300),
            )
        )
        for rep, name in ((ANN, "n1"), (BEN, "s1"))
    ]
    await transact(start_coverages, coverages)
    in_may = A_DAY + timedelta(days=65)
    facts = [
        fact("m1", amount="250.00", occurred_at=in_may, created_at=in_may),
        fact("m2", amount="40.00", account_external_id="a2", occurred_at=in_may, created_at=in_may),
    ]
    await transact(apply_facts, [recorded(*facts)])
    await transact(keep_certifications, [granted(ANN, date(2026, 4, 10))])


@pytest.fixture
def ask(api, organisation):
    async def ask(*, status=200, headers=organisation, **params):
        answer = await api.get("/v1/certification-effects", params={**ASKED, **params}, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def usd(values):
    return [value["value"] for value in values if value["currency"] in {"USD", None}]


async def test_a_cohort_beside_the_others(trained, ask) -> None:
    """March: 100.00 in n1. May: 250.00 there, 40.00 in s1."""
    found = await ask(months=1)
    (april,) = found["items"]
    assert (april["month"], april["complete"]) == ("2026-04-01", True)
    assert april["certified"]["reps"] == 1
    assert usd(april["certified"]["before"]) == ["100.00"]
    assert usd(april["certified"]["after"]) == ["250.00"]
    assert april["others"]["reps"] == 1
    assert usd(april["others"]["after"]) == ["40.00"]
    assert (found["metric_id"], found["metric_version"]) == ("revenue", 1)


async def test_ratios_are_sums_over_sums_and_null_with_a_reason(trained, ask) -> None:
    (april,) = (await ask(metric_id="win-rate"))["items"]
    (value,) = april["certified"]["before"]
    assert (value["value"], value["reason"]) == (None, "no-decided-opportunities")


async def test_an_award_that_never_counted_makes_no_cohort(trained, transact, ask) -> None:
    award, on = uuid4(), date(2026, 6, 1)
    await transact(keep_certifications, [granted(BEN, on, award=award)] * 2)
    assert [item["month"] for item in (await ask())["items"]] == ["2026-04-01", "2026-06-01"]
    revoked = CertificationRevoked(
        award_id=award,
        rep_id=BEN,
        certification_code="health-privacy",
        revoked_from=on,
        revoked_at=datetime(2026, 6, 2, tzinfo=UTC),
    )
    await transact(revoke_certifications, [received(revoked, version=2)])
    assert [item["month"] for item in (await ask())["items"]] == ["2026-04-01"]
    assert (await ask(certification_code="energy-safety"))["items"] == []


async def test_a_scope_compares_its_own_reps(trained, ask, issuer) -> None:
    northern = issuer.headers("viewer", territories=[territory("north")])
    (april,) = (await ask(headers=northern, months=1))["items"]
    assert (april["certified"]["reps"], april["others"]["reps"]) == (1, 0)
    southern = issuer.headers("viewer", territories=[territory("south")])
    assert (await ask(headers=southern))["items"] == []


async def test_bad_questions_name_the_field(trained, ask) -> None:
    for wrong, field in (
        ({"until": "2026-01-31"}, "until"),
        ({"until": "2030-01-01"}, "until"),
        ({"months": "13"}, "months"),
        ({"certification_code": "x\x00"}, "certification_code"),
        ({"since": "0"}, "since"),
    ):
        refused = await ask(status=422, **wrong)
        assert field in str(refused["errors"]), refused
    assert (await ask(status=422, metric_id="luck"))["code"] == "unknown-metric"
