"""The gate: what speaks against putting a plan in force, and whether it only warns or blocks. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

_DIGITS = Decimal("0.0001")


class Check(StrEnum):
    """What the gate looks at."""

    INCOMPLETE = "incomplete"
    GAPS = "gaps"
    TIES = "ties"
    VACANCIES = "vacancies"
    IMBALANCE = "imbalance"
    DISRUPTION = "disruption"
    CERTIFICATIONS = "certifications"
    EXPIRED_PINS = "expired_pins"


class Severity(StrEnum):
    """Whether a finding only warns, or keeps the plan from going in force."""

    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Limit:
    """What is found warns, or blocks, above these values; None never does."""

    warn: Decimal | None
    block: Decimal | None


Limits = Mapping[Check, Limit]

SETTABLE = tuple(check for check in Check if check is not Check.INCOMPLETE)
_ALWAYS_BLOCKS = Limit(None, Decimal(0))

FIXES: Mapping[Check, str] = {
    Check.INCOMPLETE: "Give the plan territories, and rules or placements that send accounts to them.",
    Check.GAPS: "See GET .../gaps; widen a rule, or add one behind all others.",
    Check.TIES: "See GET .../gaps?reason=tie; give the rules that tie different positions.",
    Check.VACANCIES: "Have a rep cover the territories named: POST /v1/coverages.",
    Check.IMBALANCE: "See GET .../balance; move rules from the largest territories to the smallest.",
    Check.DISRUPTION: "See GET .../moves; move fewer accounts at once, or pin those that must stay.",
    Check.CERTIFICATIONS: "Certify the reps of the coverages named, or have others cover: "
    "GET /v1/ineligible-coverages?plan_id= names them.",
    Check.EXPIRED_PINS: "Renew the pins of the accounts named, or delete them.",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What matching by the plan counted, and what else is known; ids may be the first of many."""

    missing_parts: int
    accounts: int
    gaps: int
    ties: int
    displaced: int
    placed_before: int
    territories: int
    gini: Decimal | None
    vacant: Sequence[UUID]
    uncertified: Sequence[UUID]
    expired_pins: int
    expired_pin_accounts: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something beyond its limit, and what to do about it; `subject_ids` are those concerned, if few."""

    check: Check
    severity: Severity
    value: Decimal
    threshold: Decimal
    subject_ids: tuple[UUID, ...] = ()

    @property
    def fix(self) -> str:
        """Return what to do about it."""
        return FIXES[self.check]

    def describe(self) -> dict[str, object]:
        """Return the finding as JSON."""
        return {
            "check": self.check.value,
            "severity": self.severity.value,
            "value": str(self.value),
            "threshold": str(self.threshold),
            "fix": self.fix,
            "subject_ids": [str(subject) for subject in self.subject_ids],
        }


# As many as a person reads; the fix names where all of them are.
SUBJECTS_TOLD = 20


def inspect(limits: Limits, evidence: Evidence) -> list[Finding]:
    """Return what lies beyond its limit, what blocks first."""
    found = [
        finding
        for check, value, subjects in _values(evidence)
        if (finding := _judge(check, value, subjects, limits)) is not None
    ]
    return sorted(found, key=lambda finding: finding.severity is not Severity.BLOCK)


def _values(evidence: Evidence) -> Iterator[tuple[Check, Decimal, Sequence[UUID]]]:
    yield Check.INCOMPLETE, Decimal(evidence.missing_parts), ()
    yield Check.GAPS, _share(evidence.gaps, evidence.accounts), ()
    yield Check.TIES, _share(evidence.ties, evidence.accounts), ()
    yield Check.VACANCIES, _share(len(evidence.vacant), evidence.territories), evidence.vacant
    yield Check.IMBALANCE, evidence.gini or Decimal(0), ()
    yield Check.DISRUPTION, _share(evidence.displaced, evidence.placed_before), ()
    yield Check.CERTIFICATIONS, Decimal(len(evidence.uncertified)), evidence.uncertified
    yield Check.EXPIRED_PINS, Decimal(evidence.expired_pins), evidence.expired_pin_accounts


def _judge(check: Check, value: Decimal, subjects: Sequence[UUID], limits: Limits) -> Finding | None:
    limit = _ALWAYS_BLOCKS if check is Check.INCOMPLETE else limits.get(check, Limit(None, None))
    for severity, threshold in ((Severity.BLOCK, limit.block), (Severity.WARN, limit.warn)):
        if threshold is not None and value > threshold:
            return Finding(check, severity, value, threshold, tuple(subjects[:SUBJECTS_TOLD]))
    return None


def _share(part: int, whole: int) -> Decimal:
    return (Decimal(part) / whole).quantize(_DIGITS) if whole else Decimal(0)
