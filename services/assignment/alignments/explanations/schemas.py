"""Answers that explain alignments."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from services.assignment.accounts.schemas import Cause, GapReason
from services.assignment.alignments.activations.schemas import ActivationView
from services.assignment.alignments.explanations.explanation import (
    Candidate,
    CheckedComparison,
    Lost,
    RuleTrace,
)
from services.assignment.alignments.explanations.queries import AccountExplanation, Ground
from services.assignment.alignments.schemas import AlignmentView
from services.assignment.pins.schemas import PinView
from services.assignment.placements.schemas import PlacementView
from services.assignment.plans.plan import PlanState
from services.assignment.rules.matcher import Match
from services.assignment.territories.tree import TerritoryKind
from shared.http.bodies import View
from shared.http.principal import Principal

# A rule may list 5,000 postal codes; the account's own is told apart from them.
VALUES_SHOWN = 20


class CheckedComparisonView(View):
    """One comparison of a rule's condition, with the account's value."""

    pointer: str = Field(description="Where it stands in the condition, as a JSON pointer.")
    field: str
    op: str
    value: Any = Field(description=f"What the rule asks for; of a list, the first {VALUES_SHOWN} values.")
    values: int = Field(description="How many values the rule lists.")
    actual: Any = Field(description="The account's value then; null: missing.")
    held: bool

    @classmethod
    def of(cls, checked: CheckedComparison) -> "CheckedComparisonView":
        """Show one comparison."""
        value = checked.comparison.value
        listed = list(value) if isinstance(value, tuple) else None
        return cls(
            pointer=checked.pointer,
            field=checked.comparison.field,
            op=checked.comparison.op,
            value=value if listed is None else listed[:VALUES_SHOWN],
            values=1 if listed is None else len(listed),
            actual=checked.actual,
            held=checked.held,
        )


class RuleTraceView(View):
    """A rule tried on the account."""

    rule_id: UUID
    name: str
    territory_id: UUID
    position: int
    held: bool
    comparisons: list[CheckedComparisonView]

    @classmethod
    def of(cls, trace: RuleTrace) -> "RuleTraceView":
        """Show what a rule said."""
        return cls(**_traced(trace))


class CandidateView(RuleTraceView):
    """A rule that could have decided, and why it did not."""

    lost: Lost

    @classmethod
    def lost_by(cls, candidate: Candidate) -> "CandidateView":
        """Show a candidate."""
        return cls(**_traced(candidate.trace), lost=candidate.lost)


class PathStepView(View):
    """A territory on the way from the root."""

    territory_id: UUID
    name: str
    kind: TerritoryKind


class MatchView(View):
    """What matching says of the account."""

    territory_id: UUID | None = Field(description="Null: a gap; `reason` tells why.")
    rule_id: UUID | None
    cause: Cause
    reason: GapReason | None

    @classmethod
    def of(cls, match: Match) -> "MatchView":
        """Show what matching says."""
        return cls(
            territory_id=match.territory_id,
            rule_id=match.rule_id,
            cause=match.cause,
            reason=None if match.reason is None else match.reason.value,
        )


class GroundView(View):
    """What the alignment stands on."""

    plan_id: UUID
    plan_name: str
    plan_state: PlanState
    match: MatchView
    by_rules: MatchView | None = Field(
        description="What the rules alone say, also where a pin or a placement came before them; null if they send "
        "outside your scope."
    )
    attributes: dict[str, Any] = Field(description="What rules could look at, as it was when matched.")
    attributes_since: datetime
    path: list[PathStepView] = Field(description="From the root, or from the root of your scope.")
    pin: PinView | None = Field(description="The pin that held the account when it was matched.")
    placement: PlacementView | None = Field(
        description="Where the plan places the account, by which design run and who accepted it; a pin comes first."
    )
    rule: RuleTraceView | None = Field(
        description="The rule that decided; null with a pin or a placement, or if it sends outside your scope."
    )
    candidates: list[CandidateView] = Field(
        description="Other rules that were met, and those before the decision that came nearest to it."
    )
    candidates_outside_scope: int

    @classmethod
    def of(cls, ground: Ground, by: Principal, at: datetime) -> "GroundView":
        """Show the ground of an alignment."""
        explanation = ground.explanation
        return cls(
            plan_id=ground.plan.plan_id,
            plan_name=ground.plan.name,
            plan_state=ground.plan.state,
            match=MatchView.of(explanation.match),
            by_rules=MatchView.of(explanation.by_rules) if ground.rules_seen else None,
            attributes=ground.version.attributes,
            attributes_since=ground.version.valid_from,
            path=[PathStepView.model_validate(step) for step in ground.path],
            pin=None if ground.pin is None else PinView.of(ground.pin, by, at),
            placement=None if ground.placement is None else PlacementView.of(ground.placement, by),
            rule=None if explanation.winner is None else RuleTraceView.of(explanation.winner),
            candidates=[CandidateView.lost_by(one) for one in explanation.candidates],
            candidates_outside_scope=ground.hidden,
        )


class ExplanationView(View):
    """Why an account belongs where it does; `ground` is null when nothing had been decided at that instant."""

    account_id: UUID
    at: datetime
    alignment: AlignmentView | None = Field(description="As recorded; null for a plan that was asked about.")
    activation: ActivationView | None
    ground: GroundView | None
    replays: bool | None = Field(
        description="Whether matching the account as it was gives what is recorded; null with nothing to compare."
    )

    @classmethod
    def of(cls, found: AccountExplanation, by: Principal) -> "ExplanationView":
        """Show an explanation as far as the caller may see it."""
        return cls(
            account_id=found.account_id,
            at=found.at,
            alignment=None if found.period is None else AlignmentView.model_validate(found.period),
            activation=None if found.activation is None else ActivationView.of(found.activation, by),
            ground=None if found.ground is None else GroundView.of(found.ground, by, found.at),
            replays=_replays(found),
        )


def _replays(found: AccountExplanation) -> bool | None:
    if found.period is None or found.ground is None:
        return None
    match = found.ground.explanation.match
    recorded = (found.period.territory_id, found.period.rule_id, found.period.cause, found.period.reason)
    return recorded == (match.territory_id, match.rule_id, match.cause, match.reason)


def _traced(trace: RuleTrace) -> dict[str, Any]:
    rule = trace.rule
    return {
        "rule_id": rule.rule_id,
        "name": rule.name,
        "territory_id": rule.territory_id,
        "position": rule.position,
        "held": trace.held,
        "comparisons": [CheckedComparisonView.of(one) for one in trace.comparisons],
    }
