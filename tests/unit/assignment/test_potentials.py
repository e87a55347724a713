"""Potential estimates: on real counties the model wins, on noise it loses, and either way it is said."""

import subprocess
import sys
from dataclasses import replace
from functools import cache
from random import Random
from uuid import UUID

import pytest

from deploy.demo.geography import _rows, load_counties
from services.assignment.potentials.baseline import IndustryMedians
from services.assignment.potentials.potential import Company, Method, Potentials, as_money, digest
from services.assignment.potentials.trial import estimate_potentials

SECTORS = ("Farming", "Mining", "Trade", "Care")


@cache
def counties() -> tuple[Company, ...]:
    """Return the counties of the BLS as companies: labour force for size, unemployed for amount, drawn sectors."""
    unemployed = {row["fips"]: float(row["unemployed"]) for row in _rows("bls_county_labor_2009.csv.gz")}
    dice = Random(7)
    return tuple(
        Company(
            account_id=UUID(int=int(county.fips)),
            employees=county.labor_force,
            industry=dice.choice(SECTORS),
            state=county.state,
            latitude=county.places[0].latitude,
            longitude=county.places[0].longitude,
            amount=unemployed[county.fips],
        )
        for county in load_counties()
    )


@cache
def learnt() -> tuple[list[Company], Potentials]:
    """Return counties of which every third is a prospect, and what is learnt from the others."""
    companies = [
        replace(county, amount=None) if place % 3 == 0 else county for place, county in enumerate(counties())
    ]
    return companies, estimate_potentials(companies, seed=1)


def shuffled() -> list[Company]:
    """Return counties whose amounts say nothing about them."""
    amounts = [county.amount for county in counties()[:600]]
    Random(3).shuffle(amounts)
    return [replace(county, amount=amount) for county, amount in zip(counties(), amounts, strict=False)]


def test_the_model_beats_the_median_where_there_is_something_to_learn():
    companies, potentials = learnt()
    trial = potentials.trial
    assert (trial.beats_baseline, trial.method) == (True, Method.GRADIENT_BOOSTING)
    assert trial.model.weighted < 0.3 < trial.baseline.weighted
    assert trial.importance[0].feature == "employees"
    # What the trial promises is kept on the prospects, whose unemployed are known here, and were not there.
    distances = [
        abs(amount - truth.amount)
        for company, amount, truth in zip(companies, potentials.amounts, counties(), strict=True)
        if company.amount is None and truth.amount is not None
    ]
    assert sum(distances) / len(distances) < trial.baseline.mean_absolute / 2


def test_on_noise_the_model_loses_says_so_and_is_not_used():
    companies = [*shuffled(), replace(counties()[600], amount=None)]
    potentials = estimate_potentials(companies, seed=1)
    trial = potentials.trial
    assert trial.model.mean_absolute >= trial.baseline.mean_absolute
    assert trial.improvement <= 0
    assert (trial.beats_baseline, trial.method) == (False, Method.INDUSTRY_MEDIAN)
    assert potentials.amounts[-1] == IndustryMedians.learn(companies).by_industry[companies[-1].industry]


def test_an_improvement_within_two_standard_errors_is_none():
    _, potentials = learnt()
    lucky = replace(potentials.trial, improvement=0.05, improvement_error=0.03)
    assert (lucky.beats_baseline, lucky.method) == (False, Method.INDUSTRY_MEDIAN)
    assert replace(lucky, improvement_error=0.02).method is Method.GRADIENT_BOOSTING


def test_the_errors_are_those_of_their_definitions():
    companies, potentials = learnt()
    pairs = [
        (amount, company.amount)
        for company, amount in zip(companies, potentials.amounts, strict=True)
        if company.amount is not None
    ]
    total = sum(amount for _, amount in pairs)
    model = potentials.trial.model
    assert model.mean_absolute == pytest.approx(sum(abs(e - a) for e, a in pairs) / len(pairs))
    assert model.weighted == pytest.approx(sum(abs(e - a) for e, a in pairs) / total)
    assert model.bias == pytest.approx(sum(e for e, _ in pairs) / total - 1)
    improvement = 1 - model.mean_absolute / potentials.trial.baseline.mean_absolute
    assert potentials.trial.improvement == pytest.approx(improvement)


def test_a_known_account_is_estimated_without_itself():
    companies = list(counties()[:400])
    before = estimate_potentials(companies, seed=5).amounts
    companies[17] = replace(companies[17], amount=1e9)
    after = estimate_potentials(companies, seed=5).amounts
    assert after[17] == before[17]
    assert after != before


def test_equal_seed_and_accounts_give_equal_estimates_another_seed_others():
    companies = list(counties()[:300])
    assert estimate_potentials(companies, seed=1) == estimate_potentials(companies, seed=1)
    assert estimate_potentials(companies, seed=1) != estimate_potentials(companies, seed=2)
    changed = [replace(companies[0], employees=1), *companies[1:]]
    assert len({digest(companies, seed=1), digest(companies, seed=2), digest(changed, seed=1)}) == 3


def test_nothing_known_but_the_amount_and_more_industries_than_trees_tell_apart():
    bare = [
        replace(county, employees=None, state=None, latitude=None, longitude=None) for county in counties()
    ]
    many = [replace(company, industry=f"Sector {place % 400}") for place, company in enumerate(bare[:1200])]
    none = [replace(company, industry=None) for company in bare[1200:1400]]
    potentials = estimate_potentials([*many, *none], seed=1)
    assert len(potentials.amounts) == 1400
    assert min(potentials.amounts) > 0
    growth = {one.feature.value: one.error_growth for one in potentials.trial.importance}
    assert (growth["employees"], growth["location"]) == (0, 0)
    assert growth["industry"] != 0


def test_a_rare_industry_has_the_median_of_all():
    def company(industry: str | None, amount: float) -> Company:
        return Company(UUID(int=int(amount)), None, industry, None, None, None, amount)

    known = [company("Trade", amount) for amount in (1, 2, 3, 40, 50)] + [company("Care", 100)]
    medians = IndustryMedians.learn(known)
    assert medians.estimate([company("Trade", 0), company("Care", 0), company(None, 0)]) == [3, 21.5, 21.5]


def test_amounts_have_the_decimals_of_their_currency():
    assert [str(as_money(1234.5678, currency)) for currency in ("USD", "JPY", "KWD")] == [
        "1234.57",
        "1235",
        "1234.568",
    ]


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("services.assignment.app", {"numpy", "scipy", "sklearn", "numba", "matplotlib", "shapely"}),
        # The worker reads accounts into arrays; what works on them has a process of its own.
        ("services.assignment.__main__", {"scipy", "sklearn", "numba", "matplotlib", "shapely"}),
    ],
)
def test_no_process_carries_what_others_need(module, heavy):
    """It costs seconds of every start and a hundred megabytes of every process."""
    code = f"import sys, {module}; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
