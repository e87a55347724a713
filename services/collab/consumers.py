"""What collab reads, and which handler takes what."""

from services.collab.handoffs.commands.hand_over_moved_accounts import hand_over_moved_accounts
from services.collab.projections.account_states import forget_account_states, keep_account_states
from services.collab.projections.coverages import end_coverages, start_coverages
from services.collab.projections.territories import follow_activations, keep_trees
from shared.contracts import assignment, metrics
from shared.messaging.subscription import Subscription

CONSUMERS = {
    "collab.handoffs": (
        Subscription(assignment.ACCOUNTS, {assignment.AccountAligned: hand_over_moved_accounts}),
        Subscription(assignment.PLANS, {assignment.PlanActivated: follow_activations}),
        Subscription(assignment.TERRITORIES, {assignment.TreePublished: keep_trees}),
        Subscription(
            assignment.COVERAGES,
            {assignment.CoverageStarted: start_coverages, assignment.CoverageEnded: end_coverages},
        ),
        Subscription(
            metrics.ACCOUNT_STATE, {metrics.AccountState: keep_account_states}, forget_account_states
        ),
    )
}
