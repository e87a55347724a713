"""Every published event by its wire type: the one list that codecs, AsyncAPI and checks read."""

from shared.contracts import assignment, collab, customers, metrics, policies, sales, training
from shared.contracts.envelope import EventContract

PUBLISHED: dict[str, tuple[type[EventContract], ...]] = {
    "assignment": (
        assignment.PlanDrafted,
        assignment.PlanActivated,
        assignment.PlanRetired,
        assignment.PlanPreviewed,
        assignment.TreePublished,
        assignment.AccountRegistered,
        assignment.AccountChanged,
        assignment.AccountAligned,
        assignment.AlignedAccountState,
        assignment.RepRegistered,
        assignment.RepChanged,
        assignment.CoverageStarted,
        assignment.CoverageEnded,
        assignment.PotentialEstimateCompleted,
        assignment.DesignRunFinished,
        assignment.ProposalAccepted,
    ),
    "metrics": (
        metrics.AccountState,
        metrics.GoalAtRisk,
        metrics.GoalRecovered,
        metrics.GoalSettled,
        metrics.GoalCancelled,
        sales.FactsRecorded,
    ),
    "collab": (
        collab.HandoffOpened,
        collab.HandoffDecided,
        collab.HandoffCompleted,
        collab.HandoffSuperseded,
        collab.NoteWritten,
        collab.NoteEdited,
        collab.NoteDeleted,
        training.CertificationGranted,
        training.CertificationExpiring,
        training.CertificationExpired,
        training.CertificationRevoked,
        customers.NeedChanged,
        customers.PreferencesChanged,
        customers.ConsentChanged,
        customers.SatisfactionRecorded,
        policies.ObligationOpened,
        policies.ObligationReminded,
        policies.ObligationEscalated,
        policies.ObligationBreached,
        policies.ObligationClosed,
        policies.PolicyPublished,
        policies.PolicyAcknowledged,
    ),
}

CONSUMED: dict[str, tuple[str, ...]] = {
    "assignment": (metrics.ACCOUNT_STATE, training.TRAINING, customers.CUSTOMERS),
    "metrics": (
        sales.FACTS,
        assignment.ACCOUNTS,
        assignment.PLANS,
        assignment.TERRITORIES,
        assignment.COVERAGES,
        training.TRAINING,
    ),
    "collab": (
        assignment.ACCOUNTS,
        assignment.PLANS,
        assignment.TERRITORIES,
        assignment.REPS,
        assignment.COVERAGES,
        metrics.ACCOUNT_STATE,
        metrics.GOALS,
    ),
}

CONTRACTS: dict[str, type[EventContract]] = {
    contract.TYPE: contract for contracts in PUBLISHED.values() for contract in contracts
}
