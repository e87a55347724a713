"""Bodies of the gate."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import Field, model_validator

from services.assignment.alignments.gates.gate import SETTABLE, Check, Finding, Limit, Limits, Severity
from services.assignment.alignments.gates.queries import GatePolicy, GateReport
from shared.contracts.money import PlainDecimal
from shared.http.bodies import Body, View
from shared.http.principal import MANAGERS, Principal

_LARGEST = Decimal(1_000_000)


class LimitBody(Body):
    """What is found warns, or blocks, above these values; null never does."""

    warn: PlainDecimal | None = Field(default=None, ge=0, le=_LARGEST, decimal_places=4)
    block: PlainDecimal | None = Field(default=None, ge=0, le=_LARGEST, decimal_places=4)

    @model_validator(mode="after")
    def _warns_first(self) -> "LimitBody":
        if self.warn is not None and self.block is not None and self.warn > self.block:
            raise ValueError("warn: lies above block, so it would never warn; name a lower value")
        return self

    def limit(self) -> Limit:
        """Return the limit."""
        return Limit(self.warn, self.block)


class GatePolicyBody(Body):
    """The limits of the gate. Shares lie between 0 and 1."""

    gaps: LimitBody = Field(default=LimitBody(), description="Share of accounts without a territory.")
    ties: LimitBody = Field(
        default=LimitBody(), description="Share of accounts that several rules want alike."
    )
    vacancies: LimitBody = Field(
        default=LimitBody(), description="Share of territories nobody covers as primary."
    )
    imbalance: LimitBody = Field(default=LimitBody(), description="Gini of accounts over territories.")
    disruption: LimitBody = Field(
        default=LimitBody(), description="Share of aligned accounts that would move."
    )
    certifications: LimitBody = Field(
        default=LimitBody(), description="Number of coverages by reps who lack what the plan requires."
    )
    expired_pins: LimitBody = Field(default=LimitBody(), description="Number of pins that no longer hold.")

    def limits(self) -> Limits:
        """Return the limits by what they are of."""
        return {check: getattr(self, check.value).limit() for check in SETTABLE}


class GatePolicyView(GatePolicyBody, View):
    """The limits of the gate that are in force."""

    version: int
    set_at: datetime
    set_by: str | None = Field(description="Null for viewers and contributors.")

    @classmethod
    def of(cls, policy: GatePolicy, by: Principal) -> "GatePolicyView":
        """Show the limits."""
        limits = {
            check.value: LimitBody(warn=limit.warn, block=limit.block)
            for check, limit in policy.limits.items()
        }
        return cls(
            **limits,
            version=policy.version,
            set_at=policy.set_at,
            set_by=policy.set_by if by.roles & MANAGERS else None,
        )


class FindingView(View):
    """Something beyond its limit."""

    check: Check
    severity: Severity
    value: PlainDecimal
    threshold: PlainDecimal
    fix: str
    subject_ids: list[UUID] = Field(
        description="Up to twenty of the territories, coverages or accounts concerned, where it is about such."
    )

    @classmethod
    def of(cls, finding: Finding) -> "FindingView":
        """Show a finding."""
        return cls(
            check=finding.check,
            severity=finding.severity,
            value=finding.value,
            threshold=finding.threshold,
            fix=finding.fix,
            subject_ids=list(finding.subject_ids),
        )


class GateView(View):
    """What speaks against putting a plan in force; it passes unless something blocks."""

    plan_id: UUID
    version: int = Field(description="The plan's version that was looked at.")
    policy_version: int
    passes: bool
    findings: list[FindingView]

    @classmethod
    def of(cls, report: GateReport) -> "GateView":
        """Show what was found."""
        return cls(
            plan_id=report.plan_id,
            version=report.version,
            policy_version=report.policy_version,
            passes=not report.blocking,
            findings=[FindingView.of(finding) for finding in report.findings],
        )
