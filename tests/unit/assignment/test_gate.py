"""The gate: what lies beyond a limit is found, with the value and the limit, what blocks first."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.assignment.alignments.gates.gate import (
    SETTABLE,
    SUBJECTS_TOLD,
    Check,
    Evidence,
    Limit,
    Limits,
    Severity,
    inspect,
)

CLEAN = Evidence(
    missing_parts=0,
    accounts=200,
    gaps=0,
    ties=0,
    displaced=0,
    placed_before=100,
    territories=4,
    gini=Decimal(0),
    vacant=(),
    uncertified=(),
    expired_pins=0,
    expired_pin_accounts=(),
)
STRICT: Limits = {check: Limit(Decimal(0), None) for check in SETTABLE}
decimals = st.decimals(0, 1, places=4)


def test_a_clean_plan_passes_the_strictest_limits() -> None:
    assert inspect(STRICT, CLEAN) == []


def test_each_check_measures_its_own_evidence() -> None:
    vacant = [UUID(int=number) for number in range(30)]
    found = inspect(
        STRICT,
        Evidence(
            missing_parts=0,
            accounts=200,
            gaps=50,
            ties=2,
            displaced=30,
            placed_before=120,
            territories=60,
            gini=Decimal("0.2"),
            vacant=vacant,
            uncertified=[UUID(int=7)],
            expired_pins=41,
            expired_pin_accounts=[UUID(int=8)],
        ),
    )
    assert {one.check: one.value for one in found} == {
        Check.GAPS: Decimal("0.25"),
        Check.TIES: Decimal("0.01"),
        Check.VACANCIES: Decimal("0.5"),
        Check.IMBALANCE: Decimal("0.2"),
        Check.DISRUPTION: Decimal("0.25"),
        Check.CERTIFICATIONS: 1,
        Check.EXPIRED_PINS: 41,
    }
    told = next(one for one in found if one.check is Check.VACANCIES)
    assert told.subject_ids == tuple(vacant[:SUBJECTS_TOLD])
    assert all(one.fix for one in found)


def test_an_incomplete_plan_blocks_whatever_the_limits() -> None:
    (finding,) = inspect({}, replace(CLEAN, missing_parts=2))
    assert (finding.check, finding.severity, finding.value) == (Check.INCOMPLETE, Severity.BLOCK, Decimal(2))


def test_a_limit_is_met_exactly_without_a_finding() -> None:
    limits = {Check.GAPS: Limit(Decimal("0.1"), Decimal("0.25"))}
    assert [one.severity for one in inspect(limits, replace(CLEAN, gaps=50))] == [Severity.WARN]
    assert [one.severity for one in inspect(limits, replace(CLEAN, gaps=51))] == [Severity.BLOCK]
    assert inspect(limits, replace(CLEAN, gaps=20)) == []


@given(decimals, decimals, st.integers(0, 200), st.integers(0, 200))
def test_more_of_what_is_wrong_never_lowers_the_severity(
    warn: Decimal, block: Decimal, one: int, other: int
) -> None:
    limits = {Check.GAPS: Limit(min(warn, block), max(warn, block))}
    ranks = [
        max(
            (1 + (found.severity is Severity.BLOCK) for found in inspect(limits, replace(CLEAN, gaps=gaps))),
            default=0,
        )
        for gaps in sorted((one, other))
    ]
    assert ranks == sorted(ranks)
