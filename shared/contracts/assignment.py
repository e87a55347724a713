"""What assignment publishes: plans, territory trees, accounts and their alignments, reps, coverage."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import AggregateOrder, EventContract
from shared.contracts.words import one_of, perhaps_one_of

PLANS = "assignment.plan.events.v1"
TERRITORIES = "assignment.territory.events.v1"
ACCOUNTS = "assignment.account.events.v1"
ACCOUNT_STATES = "assignment.account.state.v1"
REPS = "assignment.rep.events.v1"
COVERAGES = "assignment.coverage.events.v1"
POTENTIALS = "assignment.potential.events.v1"
DESIGNS = "assignment.design.events.v1"


class PlanDrafted(EventContract):
    """A draft was created, empty or as a clone."""

    TYPE: ClassVar[str] = "assignment.plan.drafted.v1"
    TOPIC: ClassVar[str] = PLANS

    plan_id: UUID
    based_on_plan_id: UUID | None
    drafted_at: datetime

    @property
    def key(self) -> str:
        """Order is kept per plan."""
        return str(self.plan_id)


class PlanActivated(EventContract):
    """A plan became the live one, for good or by rollback.

    `sequence` counts activations of the organisation 1, 2, 3: it orders them across plans.
    """

    TYPE: ClassVar[str] = "assignment.plan.activated.v1"
    TOPIC: ClassVar[str] = PLANS

    plan_id: UUID
    tree_id: UUID
    activation_id: UUID
    kind: str = one_of("activation", "rollback")
    effective_at: datetime
    previous_plan_id: UUID | None
    sequence: int
    moved_accounts: int

    @property
    def key(self) -> str:
        """Order is kept per plan."""
        return str(self.plan_id)


class PlanRetired(EventContract):
    """A plan stopped being the live one; it stays readable and can be activated again."""

    TYPE: ClassVar[str] = "assignment.plan.retired.v1"
    TOPIC: ClassVar[str] = PLANS

    plan_id: UUID
    activation_id: UUID
    retired_at: datetime

    @property
    def key(self) -> str:
        """Order is kept per plan."""
        return str(self.plan_id)


class TerritoryNode(BaseModel):
    """One territory of a published tree."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    territory_id: UUID
    parent_id: UUID | None
    kind: str = one_of("geographic", "named_account", "overlay")


class TreePublished(EventContract):
    """The whole territory tree of a plan, published before the plan first goes live."""

    TYPE: ClassVar[str] = "assignment.territory.tree-published.v1"
    TOPIC: ClassVar[str] = TERRITORIES

    plan_id: UUID
    tree_id: UUID
    territories: tuple[TerritoryNode, ...]

    @property
    def key(self) -> str:
        """Order is kept per plan."""
        return str(self.plan_id)


class PlannedMove(BaseModel):
    """Where a plan would send an account that is elsewhere now; null: to no territory."""

    model_config = ConfigDict(frozen=True)

    account_id: UUID
    to_territory_id: UUID | None


class PlanPreviewed(EventContract):
    """A part of what a plan would change: its tree, in the first part, and the accounts that would move.

    Parts of a preview come in order, 1 to `parts`; a later preview of the plan replaces an earlier one.
    """

    TYPE: ClassVar[str] = "assignment.plan.previewed.v1"
    TOPIC: ClassVar[str] = PLANS

    plan_id: UUID
    preview_id: UUID
    plan_version: int
    tree_id: UUID
    part: int
    parts: int
    territories: tuple[TerritoryNode, ...]
    moves: tuple[PlannedMove, ...]
    previewed_at: datetime

    @property
    def key(self) -> str:
        """Order is kept per plan."""
        return str(self.plan_id)


class AccountRegistered(EventContract):
    """An account was seen for the first time."""

    TYPE: ClassVar[str] = "assignment.account.registered.v1"
    TOPIC: ClassVar[str] = ACCOUNTS

    account_id: UUID
    external_id: str
    postal_code: str | None
    county: str | None
    state: str | None
    industry: str | None
    employees: int | None

    @property
    def key(self) -> str:
        """Order is kept per account."""
        return str(self.account_id)


class AccountChanged(AccountRegistered):
    """An account's attributes changed; the event carries all of them."""

    TYPE: ClassVar[str] = "assignment.account.changed.v1"


class AccountAligned(EventContract):
    """From `valid_from` on, the account belongs to `to_territory_id` (null: a gap).

    Of two events of one account, the one with the higher version rules the time both speak of; so the
    history follows from the set of events, whatever order they are read in.
    """

    TYPE: ClassVar[str] = "assignment.account.aligned.v1"
    TOPIC: ClassVar[str] = ACCOUNTS

    account_id: UUID
    from_territory_id: UUID | None
    to_territory_id: UUID | None
    valid_from: datetime
    plan_id: UUID
    activation_id: UUID | None
    cause: str = one_of("rule", "pin", "design", "import")
    rule_id: UUID | None

    @property
    def key(self) -> str:
        """Order is kept per account."""
        return str(self.account_id)


class AlignedAccountState(EventContract):
    """An account with its attributes and where it belongs now, as of the event of the same version.

    What assignment.account.events.v1 tells up to that version, in one record. The account belongs to `territory_id`
    since `valid_from`; both are null in a gap, and until a plan is live.
    """

    TYPE: ClassVar[str] = "assignment.account.state.v1"
    TOPIC: ClassVar[str] = ACCOUNT_STATES
    ORDER: ClassVar[AggregateOrder] = "rising"

    account_id: UUID
    external_id: str
    postal_code: str | None
    county: str | None
    state: str | None
    industry: str | None
    employees: int | None
    territory_id: UUID | None
    valid_from: datetime | None

    @property
    def key(self) -> str:
        """One state per account."""
        return str(self.account_id)


class RepRegistered(EventContract):
    """A rep is known from now on. Ids and codes only: name, external id and home are read over HTTP."""

    TYPE: ClassVar[str] = "assignment.rep.registered.v1"
    TOPIC: ClassVar[str] = REPS

    rep_id: UUID
    languages: tuple[str, ...]
    industries: tuple[str, ...]
    need_kinds: tuple[str, ...]

    @property
    def key(self) -> str:
        """Order is kept per rep."""
        return str(self.rep_id)


class RepChanged(RepRegistered):
    """Something about a rep changed; the event carries all that is told of reps."""

    TYPE: ClassVar[str] = "assignment.rep.changed.v1"


class CoverageStarted(EventContract):
    """A rep covers a territory in a role from an instant on."""

    TYPE: ClassVar[str] = "assignment.coverage.started.v1"
    TOPIC: ClassVar[str] = COVERAGES

    coverage_id: UUID
    territory_id: UUID
    rep_id: UUID
    role: str = one_of("primary", "backup", "overlay", "holdover")
    share_percent: Decimal
    valid_from: datetime

    @property
    def key(self) -> str:
        """Order is kept per territory, so that a hand-over of the role reads in order."""
        return str(self.territory_id)


class CoverageEnded(EventContract):
    """A rep no longer covers a territory from an instant on, which may lie ahead; the last one told counts."""

    TYPE: ClassVar[str] = "assignment.coverage.ended.v1"
    TOPIC: ClassVar[str] = COVERAGES

    coverage_id: UUID
    territory_id: UUID
    rep_id: UUID
    valid_to: datetime

    @property
    def key(self) -> str:
        """Order is kept per territory."""
        return str(self.territory_id)


class PotentialEstimateCompleted(EventContract):
    """Potentials of accounts were estimated from those that are known; amounts are read over HTTP.

    Errors are out of fold, per account in `currency`. `method` is the model's only when it beats the baseline.
    """

    TYPE: ClassVar[str] = "assignment.potential-estimate.completed.v1"
    TOPIC: ClassVar[str] = POTENTIALS

    estimate_id: UUID
    measure: str = one_of("revenue", "pipeline")
    currency: str
    method: str = one_of("gradient_boosting", "industry_median")
    beats_baseline: bool
    model_error: Decimal
    baseline_error: Decimal
    known_accounts: int
    prospects: int
    completed_at: datetime

    @property
    def key(self) -> str:
        """Each estimate is an event of its own."""
        return str(self.estimate_id)


class DesignRunFinished(EventContract):
    """A run of the territory optimiser has come to its end: what it proposes is read over HTTP.

    `infeasible` has a proposal, too, that keeps less than all limits. `accounts` took part in it, `moved_accounts` of
    them would change territory; both are null without a proposal. `reason` tells why it failed.
    """

    TYPE: ClassVar[str] = "assignment.design-run.finished.v1"
    TOPIC: ClassVar[str] = DESIGNS

    design_run_id: UUID
    plan_id: UUID
    state: str = one_of("finished", "infeasible", "cancelled", "failed")
    reason: str | None = perhaps_one_of(
        "nothing-to-design",
        "nothing-to-balance",
        "torn-group",
        "impossible-sizes",
        "wrong-problem",
        "time-budget-spent",
        "engine-ended",
        "engine-failed",
    )
    accounts: int | None = None
    moved_accounts: int | None = None
    finished_at: datetime

    @property
    def key(self) -> str:
        """Order is kept per run."""
        return str(self.design_run_id)


class ProposalAccepted(EventContract):
    """A draft took over what a design run proposed: wholly, or for single territories.

    `accounts` are placed in the draft, which has `plan_version` since; nothing moves until the plan goes live.
    `edited_accounts` of what it took over were moved by hand, elsewhere than the run would have them, in the proposal at
    `edit_version`; null where the publisher does not know.
    """

    TYPE: ClassVar[str] = "assignment.proposal.accepted.v1"
    TOPIC: ClassVar[str] = DESIGNS

    design_run_id: UUID
    plan_id: UUID
    plan_version: int
    whole: bool
    territory_ids: tuple[UUID, ...]
    accounts: int
    accepted_at: datetime
    edited_accounts: int | None = None
    edit_version: int | None = None

    @property
    def key(self) -> str:
        """Order is kept per run."""
        return str(self.design_run_id)
